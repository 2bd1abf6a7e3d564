//! slice: a large answer, asked for in pieces.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use http::Method;
use tidegate_config::http::error_log::Level;
use tokio::sync::mpsc;

use crate::body::Body;
use crate::exchange::Exchange;
use crate::response::Response;
use crate::stop::Stop;
use crate::subrequest::received;

/// How many pieces of a body wait to be taken.
const PIECES: usize = 2;

/// What of the whole is wanted: from the first byte to the one behind the last.
pub type Window = Rc<Cell<(u64, u64)>>;

/// Makes a whole out of an answer that is one slice of it: the others are asked for when it is
/// their turn (nginx: `ngx_http_slice_header_filter`).
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) -> Result<(), Stop> {
    let size = ex.location.slice.size.0;
    let Some(start) = ex.slice.filter(|_| size > 0 && response.status == 206) else {
        return Ok(());
    };
    let first = judge(response, start, size, None).map_err(|told| {
        ex.log(Level::Error, &told);
        Stop::Status(502)
    })?;
    response.status = 200;
    response.reason = None;
    response.headers.remove("Content-Range");
    response.headers.remove("Accept-Ranges");
    response.content_length = Some(first.complete);
    response.allow_ranges = true;
    response.single_range = true;
    let window = Window::new(Cell::new((0, first.complete)));
    response.slices = Some(Rc::clone(&window));
    if ex.method == Method::HEAD {
        return Ok(());
    }
    let body = std::mem::take(&mut response.body);
    let copy = ex.copy();
    let (sender, receiver) = mpsc::channel(PIECES);
    let slices = Slices { ex: copy, size, window, etag: first.etag, sender };
    ex.tasks.add(slices.run(start, first.end, body));
    response.body = Body::Stream(received(receiver));
    Ok(())
}

impl Exchange<'_> {
    /// `$slice_range`: the slice that holds the first byte the client wants (nginx:
    /// `ngx_http_slice_range_variable`).
    pub(crate) fn slice_range(&mut self) -> Option<Bytes> {
        let size = self.location.slice.size.0;
        if size == 0 {
            return None;
        }
        let first = self.first_wanted();
        let start = *self.slice.get_or_insert(first / size * size);
        Some(format!("bytes={start}-{}", start.saturating_add(size - 1)).into())
    }

    /// nginx: `ngx_http_slice_get_start`
    fn first_wanted(&self) -> u64 {
        let headers = &self.request.headers;
        let Some(range) = headers.get("Range").filter(|_| !headers.contains("If-Range")) else {
            return 0;
        };
        let range = String::from_utf8_lossy(range);
        let wanted = range.trim_start().strip_prefix("bytes=").filter(|range| !range.contains(','));
        let first = wanted.and_then(|range| range.trim_start().split(['-', ' ']).next());
        first.and_then(|first| first.parse().ok()).unwrap_or(0)
    }
}

/// What an answer says of the slice that it is.
struct Told {
    /// Behind its last byte.
    end: u64,
    /// The length of the whole.
    complete: u64,
    etag: Option<Bytes>,
}

/// Whether an answer is the slice that was asked for, and of the same whole as those before it.
fn judge(
    response: &Response,
    start: u64,
    size: u64,
    before: Option<&Option<Bytes>>,
) -> Result<Told, String> {
    if response.status != 206 {
        return Err(format!("unexpected status code {} in slice response", response.status));
    }
    let etag = response.headers.get("ETag").cloned();
    if before.is_some_and(|before| before.is_some() && *before != etag) {
        return Err("etag mismatch in slice response".into());
    }
    let range = response.headers.get("Content-Range").and_then(|range| content_range(range));
    let Some((from, end, complete)) = range else {
        return Err("invalid range in slice response".into());
    };
    if from != start || end > start.saturating_add(size) {
        return Err(format!("unexpected range in slice response: {from}-{end}"));
    }
    Ok(Told { end, complete, etag })
}

/// `bytes 0-9/100`: the first byte, the one behind the last, and the length of the whole.
fn content_range(value: &[u8]) -> Option<(u64, u64, u64)> {
    let text = std::str::from_utf8(value).ok()?.trim().strip_prefix("bytes")?;
    let (range, complete) = text.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, end) = (number(first)?, number(last)?.checked_add(1)?);
    (first < end).then_some((first, end, number(complete)?))
}

/// A whole on its way.
struct Slices<'a> {
    /// A copy of the request.
    ex: Exchange<'a>,
    size: u64,
    window: Window,
    etag: Option<Bytes>,
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl Slices<'_> {
    /// Sends what is wanted, first of the slice that is here, then of the others.
    async fn run(mut self, start: u64, end: u64, first: Body) {
        let (mut from, to) = self.window.get();
        if start <= from && from < end {
            let Some(at) = self.send(first, start).await else { return };
            from = at;
        } else {
            drop(first);
        }
        while from < to {
            let start = from / self.size * self.size;
            let Some(response) = self.ask(start).await else { return };
            let Some(at) = self.send(response.body, start).await else { return };
            if at <= from {
                self.fail("a slice is empty").await;
                return;
            }
            from = at;
        }
    }

    async fn ask(&mut self, start: u64) -> Option<Response> {
        let (uri, args) = (self.ex.uri.clone(), self.ex.args.clone());
        let Some(mut own) = self.ex.side_request(uri, args) else {
            self.fail("a slice cannot be asked for").await;
            return None;
        };
        own.location = self.ex.location;
        own.method.clone_from(&self.ex.method);
        own.cloned = true;
        own.slice = Some(start);
        let answer = own.answered().await;
        let told = match &own.sent.answer {
            None => Err("no slice response".to_owned()),
            Some(head) => judge(head, start, self.size, Some(&self.etag)),
        };
        match told {
            Ok(_) => answer,
            Err(told) => {
                self.fail(&told).await;
                None
            }
        }
    }

    /// Sends what of a slice is wanted; says how far the whole has come, `None` where it ends here.
    async fn send(&mut self, body: Body, start: u64) -> Option<u64> {
        let (from, to) = self.window.get();
        let mut body = body.into_stream();
        let mut at = start;
        while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            let Ok(mut bytes) = piece else {
                let _nobody = self.sender.send(piece).await;
                return None;
            };
            let end = at + bytes.len() as u64;
            let skip = from.saturating_sub(at).min(bytes.len() as u64);
            let keep = to.min(end).saturating_sub(at + skip);
            bytes = bytes.slice(skip as usize..(skip + keep) as usize);
            at = end;
            if !bytes.is_empty() && self.sender.send(Ok(bytes)).await.is_err() {
                return None;
            }
            if at >= to {
                break;
            }
        }
        Some(at)
    }

    async fn fail(&mut self, told: &str) {
        let _nobody = self.sender.send(Err(io::Error::other(told.to_owned()))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_says_where_it_lies() {
        assert_eq!(content_range(b"bytes 0-9/100"), Some((0, 10, 100)));
        for wrong in ["bytes 0-9/*", "bytes 9-0/100", "0-9/100", "bytes */100", "bytes 0-9"] {
            assert_eq!(content_range(wrong.as_bytes()), None, "{wrong}");
        }
    }
}

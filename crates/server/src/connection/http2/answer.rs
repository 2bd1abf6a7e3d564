//! Writes an answer in frames, as far as the client opens its window.

use std::future::poll_fn;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tidegate_config::http::error_log::Level;
use tidegate_http::answer_head::http2::{fields, trailers};
use tidegate_http::answer_head::{Frame, Framing};
use tidegate_http::body::{Body, BodyStream, Told};
use tidegate_http::exchange::Exchange;
use tidegate_http::head::Version;
use tidegate_http::pace::Pace;
use tidegate_http::response::Response;

use super::side::Side;
use super::tunnel;
use crate::connection::manner::Manner;

/// Writes an answer, up to its last byte's being on its way to h2. An error means that the stream
/// has to be given up.
pub(super) async fn write(
    side: &Side,
    ex: &mut Exchange<'_>,
    mut response: Box<Response>,
) -> io::Result<()> {
    let manner = Manner::new(ex, &response, false);
    let frame = Frame {
        version: Version::Http2,
        head_only: ex.request.method == http::Method::HEAD,
        keep_alive: false,
        chunked: true,
        server: manner.server.as_bytes(),
        base: manner.base.as_deref(),
        keepalive_header: None,
    };
    if response.status == 101 {
        // What the upstream has agreed to is said by 200 here (RFC 8441, section 5).
        response.status = 200;
        response.content_length = None;
        response.headers.remove("Sec-WebSocket-Accept");
    }
    let fields = fields(&response, &frame);
    for name in &fields.dropped {
        let name = String::from_utf8_lossy(name);
        let text = format!("header field \"{name}\" is left out: HTTP/2 cannot carry its bytes");
        ex.log(Level::Warn, &text);
    }
    let framing = fields.promise.framing;
    ex.sent.status = response.status;
    ex.sent.promise = Some(fields.promise);
    let body = std::mem::take(&mut response.body);
    let trailing = response.trailers.is_some();
    ex.sent.answer = Some(response);
    let ends = framing == Framing::None || (body.is_empty() && !trailing);
    side.head(fields.status, fields.map, ends)?;
    if ends {
        return Ok(());
    }
    let pace = Pace::of(ex);
    let mut writer = Writer {
        side,
        patience: ex.location.sendfile.timeout,
        piece: usize::try_from(ex.location.http2.chunk_size.0).unwrap_or(usize::MAX),
        left: if let Framing::Length(length) = framing { Some(length) } else { None },
        pace,
        trailing,
    };
    match body {
        Body::Bytes(bytes) if !trailing => writer.data(bytes, true).await,
        Body::Empty => writer.end(ex),
        Body::File(_) | Body::Parts(_) => {
            // A file can wait: nothing of it is read for a client that has no room for it.
            if writer.left != Some(0) {
                side.room(1, writer.patience).await?;
            }
            writer.stream(body.into_stream(), ex).await
        }
        Body::Bytes(_) => writer.stream(body.into_stream(), ex).await,
        Body::Stream(stream) => writer.stream(stream, ex).await,
        Body::Tunnel(tunnel) => {
            ex.body_received += tunnel::run(&mut writer, &mut *ex.body, tunnel).await;
            Ok(())
        }
    }
}

/// Sends the body of an answer.
pub(super) struct Writer<'a> {
    side: &'a Side,
    patience: Duration,
    /// The most that one frame carries.
    piece: usize,
    /// What is left of a length that was told.
    left: Option<u64>,
    /// How fast it may go, where that is bounded.
    pace: Option<Pace>,
    /// Whether fields may come behind the body.
    trailing: bool,
}

impl Writer<'_> {
    async fn stream(&mut self, mut stream: BodyStream, ex: &mut Exchange<'_>) -> io::Result<()> {
        while let Some(item) = poll_fn(|cx| ex.poll_body(&mut stream, cx)).await {
            let mut bytes = item.map_err(|error| told(ex, &error))?;
            let mut last = false;
            if let Some(left) = &mut self.left {
                bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= bytes.len() as u64;
                last = *left == 0;
            }
            self.data(bytes, last && !self.trailing).await?;
            if last {
                return if self.trailing { self.end(ex) } else { Ok(()) };
            }
        }
        if self.left.is_some_and(|left| left > 0) {
            // The client was promised more, and must see that it does not come.
            return Err(told(ex, &io::Error::other("body is shorter than its Content-Length")));
        }
        self.end(ex)
    }

    /// Sends bytes, in pieces, as there is room for them; `last` ends the stream with them.
    pub(super) async fn data(&mut self, mut bytes: Bytes, last: bool) -> io::Result<()> {
        while !bytes.is_empty() {
            let wanted = bytes.len().min(self.piece).min(self.turn().await);
            let room = self.side.room(wanted, self.patience).await?;
            let piece = bytes.split_to(room);
            self.side.data(piece, last && bytes.is_empty())?;
            if let Some(pace) = &mut self.pace {
                pace.spend(room as u64, Instant::now());
            }
        }
        Ok(())
    }

    /// Waits until something may leave; how much that is.
    async fn turn(&self) -> usize {
        let Some(pace) = &self.pace else { return usize::MAX };
        loop {
            match pace.allows(Instant::now()) {
                Ok(bytes) => return usize::try_from(bytes).unwrap_or(usize::MAX),
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    /// Ends the stream, with the fields that stand behind the body.
    fn end(&mut self, ex: &mut Exchange<'_>) -> io::Result<()> {
        let fields = if self.trailing { trailers(&ex.trailers()) } else { HeaderMap::new() };
        if fields.is_empty() { self.close() } else { self.side.trailers(fields) }
    }

    /// Ends the stream.
    pub(super) fn close(&self) -> io::Result<()> {
        self.side.data(Bytes::new(), true)
    }
}

/// What the body's source says ends up in the log; the client only sees the stream given up.
fn told(ex: &Exchange<'_>, error: &io::Error) -> io::Error {
    if !Told::is(error) {
        ex.log(Level::Error, &error.to_string());
    }
    io::ErrorKind::Other.into()
}

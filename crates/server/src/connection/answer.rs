//! Writes an answer.

mod at_once;
mod awaited;

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tidegate_config::http::error_log::Level;
use tidegate_http::answer_head::{Frame, Framing};
use tidegate_http::body::{Body, BodyStream, FileSlice, Part, Told};
use tidegate_http::chunked::write_chunk_head;
use tidegate_http::exchange::Exchange;
use tidegate_http::pace::Pace;
use tidegate_http::response::Response;

use super::io::{Follows, Io};
use super::manner::Manner;
use super::request::Sent;
use super::tunnel;
use at_once::{Start, poll_once};

/// Writes an answer, and keeps count in the exchange. An error means that the client can't be told
/// any more.
pub(crate) async fn write(
    io: &Rc<Io>,
    ex: &mut Exchange<'_>,
    mut response: Box<Response>,
    manner: &Manner,
) -> io::Result<Sent> {
    let head_only = ex.request.method == http::Method::HEAD;
    let keepalive = ex.location.keepalive.timeout;
    let frame = Frame {
        version: ex.request.version,
        head_only,
        keep_alive: manner.keep_alive,
        chunked: ex.location.sendfile.chunked,
        server: manner.server.as_bytes(),
        base: manner.base.as_deref(),
        keepalive_header: keepalive.header.map(Duration::from_secs),
    };
    let (start, promise) = Start::of(&response, &frame, io.owed.take());
    ex.sent.status = response.status;
    ex.sent.promise = Some(promise);
    let head_bytes = start.len();
    let body = std::mem::take(&mut response.body);
    ex.sent.answer = Some(response);
    let pace = Pace::of(ex);
    let mut writer = Writer {
        io,
        patience: ex.location.sendfile.timeout,
        chunk: usize::try_from(ex.location.sendfile.max_chunk.0).unwrap_or(usize::MAX).max(4096),
        head: Bytes::new(),
        framing: promise.framing,
        bytes: 0,
        pace,
    };
    // What goes on behind an answer does not keep it waiting.
    let goes_on = !ex.tasks.is_empty() || ex.location.post_action.uri.is_some();
    let follows = if promise.keep_alive || goes_on { Follows::Nothing } else { Follows::End };
    let result = match writer.at_once(start, body, follows) {
        Ok(None) => Ok(()),
        // Boxed, as most answers are short and go at once.
        Ok(Some(rest)) => Box::pin(writer.rest(rest, ex)).await,
        Err(error) => Err(error),
    };
    ex.sent.bytes += writer.bytes;
    // As in nginx, chunks are counted with their sizes.
    ex.sent.body_bytes += writer.bytes.saturating_sub(head_bytes);
    result?;
    ex.sent.complete = true;
    Ok(if promise.keep_alive { Sent::KeepAlive } else { Sent::Close })
}

struct Writer<'a> {
    io: &'a Rc<Io>,
    patience: Duration,
    /// The most that one call sends of a file.
    chunk: usize,
    /// The head, until it has gone with the first bytes of the body.
    head: Bytes,
    framing: Framing,
    bytes: u64,
    /// How fast it may go, where that is bounded.
    pace: Option<Pace>,
}

impl Writer<'_> {
    async fn rest(&mut self, rest: Body, ex: &mut Exchange<'_>) -> io::Result<()> {
        // Of what has been written all the same, something may not have gone.
        self.io.flush(self.patience).await?;
        self.body(rest, ex).await
    }

    async fn body(&mut self, body: Body, ex: &mut Exchange<'_>) -> io::Result<()> {
        if self.framing == Framing::None {
            return self.piece(Bytes::new()).await;
        }
        match body {
            Body::Empty => self.end(ex).await,
            Body::Bytes(bytes) => {
                if self.framing == Framing::Chunked && ex.sent.trailers().is_none() {
                    return self.only_chunk(bytes).await;
                }
                self.data(bytes).await?;
                self.end(ex).await
            }
            Body::File(slice) => {
                self.part(&Part::File(slice)).await?;
                self.end(ex).await
            }
            Body::Parts(parts) => {
                for part in &parts {
                    self.part(part).await?;
                }
                self.end(ex).await
            }
            // Boxed, as most answers are short.
            Body::Stream(stream) => Box::pin(self.stream(stream, ex)).await,
            Body::Tunnel(tunnel) => {
                self.piece(Bytes::new()).await?;
                let patience = tunnel.timeout;
                let (up, down) = Box::pin(tunnel::run(self.io, tunnel, patience)).await;
                self.bytes += down;
                ex.body_received += up;
                Ok(())
            }
        }
    }

    async fn stream(&mut self, mut stream: BodyStream, ex: &mut Exchange<'_>) -> io::Result<()> {
        let mut left = match self.framing {
            Framing::Length(length) => Some(length),
            _ => None,
        };
        loop {
            let now = std::pin::pin!(std::future::poll_fn(|cx| ex.poll_body(&mut stream, cx)));
            let item = if let Some(item) = poll_once(now).await {
                item
            } else {
                // Nothing is there yet: the client gets what we have.
                self.flush_head().await?;
                awaited::next(&mut stream, ex).await
            };
            let Some(item) = item else { break };
            let mut bytes = item.map_err(|error| told(ex, &error))?;
            if let Some(left) = &mut left {
                bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= bytes.len() as u64;
            }
            self.data(bytes).await?;
        }
        if left.is_some_and(|left| left > 0) {
            // The client was promised more, and must see that it does not come.
            return Err(told(ex, &io::Error::other("body is shorter than its Content-Length")));
        }
        self.end(ex).await
    }

    async fn flush_head(&mut self) -> io::Result<()> {
        if self.head.is_empty() { Ok(()) } else { self.piece(Bytes::new()).await }
    }

    async fn part(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Bytes(bytes) => self.data(bytes.clone()).await,
            Part::File(slice) => {
                if self.framing == Framing::Chunked {
                    let mut size = BytesMut::new();
                    write_chunk_head(slice.length, &mut size);
                    self.pieces([size.freeze(), Bytes::new(), Bytes::new()], Follows::File).await?;
                } else {
                    self.pieces([Bytes::new(), Bytes::new(), Bytes::new()], Follows::File).await?;
                }
                self.file(slice).await?;
                if self.framing == Framing::Chunked {
                    self.piece(Bytes::from_static(b"\r\n")).await?;
                }
                Ok(())
            }
        }
    }

    async fn file(&mut self, slice: &FileSlice) -> io::Result<()> {
        let mut rest = slice.clone();
        while rest.length > 0 {
            let now = rest.length.min(self.turn().await);
            let piece = FileSlice { length: now, ..rest.clone() };
            let result = self.io.send_file(&piece, self.chunk, self.patience).await;
            self.spend(now);
            result?;
            rest.offset += now;
            rest.length -= now;
        }
        Ok(())
    }

    /// Waits until something may leave; how much that is.
    async fn turn(&self) -> u64 {
        let Some(pace) = &self.pace else { return u64::MAX };
        loop {
            match pace.allows(Instant::now()) {
                Ok(bytes) => return bytes,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    fn spend(&mut self, bytes: u64) {
        self.bytes += bytes;
        if let Some(pace) = &mut self.pace {
            pace.spend(bytes, Instant::now());
        }
    }

    async fn data(&mut self, bytes: Bytes) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.framing != Framing::Chunked {
            return self.piece(bytes).await;
        }
        let mut size = BytesMut::new();
        write_chunk_head(bytes.len() as u64, &mut size);
        self.pieces([size.freeze(), bytes, Bytes::from_static(b"\r\n")], Follows::Nothing).await
    }

    /// All of a body, and its end.
    async fn only_chunk(&mut self, bytes: Bytes) -> io::Result<()> {
        if bytes.is_empty() {
            return self.piece(Bytes::from_static(b"0\r\n\r\n")).await;
        }
        let mut size = BytesMut::new();
        write_chunk_head(bytes.len() as u64, &mut size);
        self.pieces([size.freeze(), bytes, Bytes::from_static(b"\r\n0\r\n\r\n")], Follows::Nothing)
            .await
    }

    async fn end(&mut self, ex: &mut Exchange<'_>) -> io::Result<()> {
        if self.framing != Framing::Chunked {
            return self.flush_head().await;
        }
        let trailers = ex.trailers();
        if trailers.is_empty() {
            return self.piece(Bytes::from_static(b"0\r\n\r\n")).await;
        }
        let mut end = b"0\r\n".to_vec();
        for field in &trailers {
            end.extend_from_slice(&[&field.name, &b": "[..], &field.value, b"\r\n"].concat());
        }
        end.extend_from_slice(b"\r\n");
        self.piece(end.into()).await
    }

    async fn piece(&mut self, bytes: Bytes) -> io::Result<()> {
        self.pieces([bytes, Bytes::new(), Bytes::new()], Follows::Nothing).await
    }

    async fn pieces(&mut self, [one, two, three]: [Bytes; 3], follows: Follows) -> io::Result<()> {
        let mut pieces = [std::mem::take(&mut self.head), one, two, three];
        loop {
            let length: usize = pieces.iter().map(Bytes::len).sum();
            if length == 0 {
                return Ok(());
            }
            if self.pace.is_none() {
                self.io.write(pieces, self.patience, follows).await?;
                self.bytes += length as u64;
                return Ok(());
            }
            let most = usize::try_from(self.turn().await).unwrap_or(usize::MAX);
            let mut room = length.min(most);
            let now = pieces.each_mut().map(|piece| {
                let part = piece.split_to(room.min(piece.len()));
                room -= part.len();
                part
            });
            self.io.write_all(now, self.patience).await?;
            self.spend(length.min(most) as u64);
        }
    }
}

/// What the body's source says ends up in the log; the client only sees the connection end.
fn told(ex: &Exchange<'_>, error: &io::Error) -> io::Error {
    if !Told::is(error) {
        ex.log(Level::Error, &error.to_string());
    }
    io::ErrorKind::Other.into()
}

//! The body of a request over HTTP/1.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidegate_http::chunked::{Decoded, Decoder};
use tidegate_http::client::{ClientError, RequestBody};
use tidegate_http::head::RequestHead;
use tidegate_http::headers::Headers;
use tokio::time::{Instant, Sleep, sleep};

use super::io::Io;

/// The body of a request over HTTP/1. The connection and the exchange both hold it: one reads what
/// the other leaves.
pub(crate) struct Http1Body {
    io: Rc<Io>,
    state: Rc<BodyState>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// How much is read at once of a body in chunks.
const CHUNKS: u64 = 16 * 1024;

/// How far a body has been read.
pub(crate) struct BodyState {
    framing: Cell<Framing>,
    decoder: std::cell::RefCell<Decoder>,
    length: Option<u64>,
    patience: Cell<Duration>,
    most: Cell<Option<u64>>,
    /// Whether the client waits for a `100 Continue`.
    pub(crate) waits: Cell<bool>,
    received: Cell<u64>,
    /// Bytes of the body so far as they came, chunked coding included.
    pub(crate) used: Cell<u64>,
    /// Bytes said before the answer.
    pub(crate) said: Cell<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Left(u64),
    Chunked,
    Broken(ClientError),
}

impl BodyState {
    /// The state of a body that follows this head.
    pub(crate) fn new(head: &RequestHead) -> Rc<Self> {
        let framing = if head.chunked {
            Framing::Chunked
        } else {
            Framing::Left(head.content_length.unwrap_or(0))
        };
        Rc::new(Self {
            framing: Cell::new(framing),
            decoder: std::cell::RefCell::new(Decoder::new()),
            length: if head.chunked { None } else { Some(head.content_length.unwrap_or(0)) },
            patience: Cell::new(Duration::from_mins(1)),
            most: Cell::new(None),
            waits: Cell::new(head.expects_continue()),
            received: Cell::new(0),
            used: Cell::new(0),
            said: Cell::new(0),
        })
    }

    /// Whether all of it has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.framing.get() == Framing::Left(0)
    }

    /// Whether that is so and the client waits for nothing: there is no body to turn to.
    pub(super) fn is_over(&self) -> bool {
        self.is_done() && !self.waits.get()
    }

    /// Whether it cannot be read on.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.framing.get(), Framing::Broken(_))
    }

    /// Whether it was refused for what it holds; nginx does not count such a body.
    pub(crate) fn is_refused(&self) -> bool {
        let refused = [ClientError::Invalid, ClientError::TooLarge];
        refused.map(Framing::Broken).contains(&self.framing.get())
    }

    /// Passes over the chunks that are here already; false where they are broken. They are not counted,
    /// as in nginx's `$request_length`.
    pub(super) fn skip_chunks(&self, body: &Http1Body) -> bool {
        if self.framing.get() != Framing::Chunked {
            return true;
        }
        let used = self.used.get();
        let is_whole = loop {
            match body.take() {
                None | Some(Err(ClientError::TooLarge)) => break true,
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.framing.set(Framing::Broken(error));
                    break false;
                }
            }
        };
        self.used.set(used);
        is_whole
    }

    /// Whether so many bytes of body, read or announced, are more than are taken.
    fn is_too_large(&self, bytes: u64) -> bool {
        self.most.get().is_some_and(|most| bytes > most)
    }
}

impl Http1Body {
    pub(crate) fn new(io: Rc<Io>, state: Rc<BodyState>) -> Self {
        Self { io, state, timer: None }
    }

    /// Takes what is in the buffer already.
    fn take(&self) -> Option<Result<Bytes, ClientError>> {
        let mut buffer = self.io.buffer.borrow_mut();
        let before = buffer.len();
        let taken = self.decode(&mut buffer);
        let used = before.saturating_sub(buffer.len()) as u64;
        self.state.used.set(self.state.used.get() + used);
        taken
    }

    fn decode(&self, buffer: &mut BytesMut) -> Option<Result<Bytes, ClientError>> {
        match self.state.framing.get() {
            Framing::Broken(error) => Some(Err(error)),
            Framing::Left(left) => {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                self.state.framing.set(Framing::Left(left - length as u64));
                (length > 0).then(|| Ok(buffer.split_to(length).freeze()))
            }
            Framing::Chunked => self.decode_chunks(buffer).transpose(),
        }
    }

    fn decode_chunks(&self, buffer: &mut BytesMut) -> Result<Option<Bytes>, ClientError> {
        let mut decoder = self.state.decoder.borrow_mut();
        let bytes = match decoder.decode(buffer).map_err(|_| ClientError::Invalid)? {
            Decoded::Data(bytes) => Some(bytes),
            Decoded::End => {
                self.state.framing.set(Framing::Left(0));
                None
            }
            Decoded::Partial => None,
        };
        // What a chunk's size announces need not be waited for.
        let here = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        let announced =
            self.state.received.get().saturating_add(here).saturating_add(decoder.left());
        if self.state.is_too_large(announced) { Err(ClientError::TooLarge) } else { Ok(bytes) }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        let left = match self.state.framing.get() {
            Framing::Left(left) => left,
            Framing::Chunked => CHUNKS,
            Framing::Broken(_) => 0,
        };
        match self.io.poll_fill_body(left, cx) {
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(ClientError::Closed)),
            Poll::Ready(Ok(_)) => {
                self.timer = None;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                let patience = self.state.patience.get();
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(Err(ClientError::TimedOut))
            }
        }
    }

    /// Answers `Expect: 100-continue`. A few bytes at the start of an answer: where they do not fit
    /// at once, the client is not reading, and will be told by the answer itself.
    pub(crate) fn welcome(&self) {
        if self.state.waits.replace(false) {
            let line = std::io::IoSlice::new(b"HTTP/1.1 100 Continue\r\n\r\n");
            let sent = self.io.stream.try_write_vectored(&[line]).unwrap_or(0);
            self.state.said.set(sent as u64);
        }
    }

    /// Sends an interim answer, unless the client takes nothing.
    fn interim(&self, fields: &Headers) {
        let mut head = BytesMut::from(&b"HTTP/1.1 103 Early Hints\r\n"[..]);
        for field in fields {
            for piece in [&field.name[..], b": ", &field.value, b"\r\n"] {
                head.extend_from_slice(piece);
            }
        }
        head.extend_from_slice(b"\r\n");
        let mut head = head.freeze();
        if self.io.owed.borrow().is_some() {
            return;
        }
        let sent = self.io.stream.try_write_vectored(&[std::io::IoSlice::new(&head)]).unwrap_or(0);
        self.state.said.set(self.state.said.get() + sent as u64);
        if sent > 0 && sent < head.len() {
            let _ = head.split_to(sent);
            self.io.owed.replace(Some(head));
        }
    }

    fn fail(&self, error: ClientError) -> Poll<Option<Result<Bytes, ClientError>>> {
        self.state.framing.set(Framing::Broken(error));
        Poll::Ready(Some(Err(error)))
    }
}

impl RequestBody for Http1Body {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        self.welcome();
        if self.state.is_done() {
            return Poll::Ready(None);
        }
        loop {
            match self.take() {
                Some(Ok(bytes)) => {
                    let received = self.state.received.get() + bytes.len() as u64;
                    self.state.received.set(received);
                    if self.state.is_too_large(received) {
                        return self.fail(ClientError::TooLarge);
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Some(Err(error)) => return self.fail(error),
                None if self.state.is_done() => return Poll::Ready(None),
                None => {}
            }
            if let Err(error) = ready!(self.poll_more(cx)) {
                return self.fail(error);
            }
        }
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.io.has_ended() {
            return Poll::Ready(());
        }
        if self.io.buffer.borrow().is_empty() && ready!(self.io.poll_fill(cx)).unwrap_or(0) == 0 {
            return Poll::Ready(());
        }
        // Bytes of a next request stay in the buffer; while it is not read, more are not taken.
        self.io.stream.poll_hung_up(cx)
    }

    fn hint(&mut self, fields: &Headers) {
        self.interim(fields);
    }

    fn length(&self) -> Option<u64> {
        self.state.length
    }

    fn is_done(&self) -> bool {
        self.state.is_done()
    }

    fn set_limits(&mut self, patience: Duration, most: Option<u64>) {
        self.state.patience.set(patience);
        self.state.most.set(most);
    }
}

/// Reads the rest of a body and forgets it, until `deadline`. Whether the connection can be used
/// again.
pub(crate) async fn discard(io: &Rc<Io>, state: &Rc<BodyState>, deadline: Instant) -> bool {
    let mut body = Http1Body::new(Rc::clone(io), Rc::clone(state));
    body.set_limits(Duration::from_secs(5), None);
    // It is not asked for any more.
    state.waits.set(false);
    let rest = async {
        loop {
            match std::future::poll_fn(|cx| body.poll_data(cx)).await {
                None => return true,
                Some(Ok(_)) => {}
                Some(Err(_)) => return false,
            }
        }
    };
    tokio::time::timeout_at(deadline, rest).await.unwrap_or(false)
}

//! The client's side of one stream: where its answer goes, and whether it is still wanted.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use tidegate_http::headers::Headers;
use tokio::time::timeout;

/// Where an answer goes. The exchange's body and the answer's writer share it.
pub(super) struct Side {
    out: RefCell<Out>,
}

enum Out {
    /// Its head has not gone.
    Waiting(SendResponse<Bytes>),
    /// Its head has gone.
    Sending(SendStream<Bytes>),
}

impl Side {
    pub(super) fn new(respond: SendResponse<Bytes>) -> Self {
        Self { out: RefCell::new(Out::Waiting(respond)) }
    }

    /// Ready when the client has given the stream up, or is gone.
    pub(super) fn poll_reset(&self, cx: &mut Context<'_>) -> Poll<()> {
        let reset = match &mut *self.out.borrow_mut() {
            Out::Waiting(respond) => respond.poll_reset(cx),
            Out::Sending(stream) => stream.poll_reset(cx),
        };
        reset.map(|_| ())
    }

    /// Says `100 Continue`.
    pub(super) fn welcome(&self) {
        if let Out::Waiting(respond) = &mut *self.out.borrow_mut() {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::CONTINUE;
            // Who is gone need not be welcomed.
            let _ = respond.send_informational(response);
        }
    }

    /// Sends an interim answer of status 103.
    pub(super) fn hint(&self, fields: &Headers) {
        if let Out::Waiting(respond) = &mut *self.out.borrow_mut() {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::EARLY_HINTS;
            for field in fields {
                let name = HeaderName::from_bytes(&field.name);
                let value = HeaderValue::from_maybe_shared(field.value.clone());
                if let (Ok(name), Ok(value)) = (name, value) {
                    response.headers_mut().append(name, value);
                }
            }
            let _ = respond.send_informational(response);
        }
    }

    /// Sends the head of the answer.
    pub(super) fn head(&self, status: StatusCode, fields: HeaderMap, end: bool) -> io::Result<()> {
        let mut out = self.out.borrow_mut();
        let Out::Waiting(respond) = &mut *out else {
            return Err(io::Error::other("a second head of an answer"));
        };
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = fields;
        *out = Out::Sending(respond.send_response(response, end).map_err(broken)?);
        Ok(())
    }

    /// Waits until something of `wanted` bytes may be sent, at most for `patience`; how much.
    pub(super) async fn room(&self, wanted: usize, patience: Duration) -> io::Result<usize> {
        self.with(|stream| stream.reserve_capacity(wanted));
        let room = timeout(patience, poll_fn(|cx| self.poll_room(cx)));
        let room = room.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        Ok(room.min(wanted))
    }

    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Out::Sending(stream) = &mut *self.out.borrow_mut() else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        loop {
            match stream.capacity() {
                0 => {}
                room => return Poll::Ready(Ok(room)),
            }
            match ready!(stream.poll_capacity(cx)) {
                None => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Sends bytes there is room for.
    pub(super) fn data(&self, bytes: Bytes, end: bool) -> io::Result<()> {
        self.with(|stream| stream.send_data(bytes, end).map_err(broken)).unwrap_or(Ok(()))
    }

    /// Ends the stream with fields behind its body.
    pub(super) fn trailers(&self, fields: HeaderMap) -> io::Result<()> {
        self.with(|stream| stream.send_trailers(fields).map_err(broken)).unwrap_or(Ok(()))
    }

    /// Gives the stream up.
    pub(super) fn reset(&self, reason: Reason) {
        match &mut *self.out.borrow_mut() {
            Out::Waiting(respond) => respond.send_reset(reason),
            Out::Sending(stream) => stream.send_reset(reason),
        }
    }

    fn with<R>(&self, act: impl FnOnce(&mut SendStream<Bytes>) -> R) -> Option<R> {
        match &mut *self.out.borrow_mut() {
            Out::Sending(stream) => Some(act(stream)),
            Out::Waiting(_) => None,
        }
    }
}

/// What h2 says, as an error of a socket.
pub(super) fn broken(error: h2::Error) -> io::Error {
    if error.is_io() {
        return error.into_io().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into());
    }
    if error.is_reset() || error.is_go_away() {
        return io::Error::new(io::ErrorKind::ConnectionReset, error);
    }
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

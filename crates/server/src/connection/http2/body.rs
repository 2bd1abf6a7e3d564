//! The body of a request over HTTP/2.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use tidegate_http::client::{ClientError, RequestBody};
use tidegate_http::head::http2::behind;
use tidegate_http::headers::Headers;
use tokio::time::{Sleep, sleep};

use super::side::Side;

/// The body of a request over HTTP/2. The client may send as much more as was taken.
pub(super) struct Http2Body {
    stream: RecvStream,
    side: Rc<Side>,
    received: Rc<Cell<u64>>,
    length: Option<u64>,
    /// Whether the client waits for a `100 Continue`.
    waits: bool,
    patience: Duration,
    most: Option<u64>,
    timer: Option<Pin<Box<Sleep>>>,
    state: State,
    /// The fields behind it, where there are any.
    trailers: Option<Box<Headers>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Broken(ClientError),
}

impl Http2Body {
    /// A body of this length, where it was told; `received` counts its bytes.
    pub(super) fn new(
        (stream, side): (RecvStream, Rc<Side>),
        length: Option<u64>,
        waits: bool,
        received: Rc<Cell<u64>>,
    ) -> Self {
        let state = if stream.is_end_stream() { State::Ended } else { State::Open };
        Self {
            stream,
            side,
            received,
            length: if state == State::Ended { Some(0) } else { length },
            waits,
            patience: Duration::from_mins(1),
            most: None,
            timer: None,
            state,
            trailers: None,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        match self.stream.poll_data(cx) {
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(ClientError::Closed))),
            Poll::Ready(Some(Ok(bytes))) => {
                self.timer = None;
                let received = self.received.get() + bytes.len() as u64;
                self.received.set(received);
                // A stream that is gone has no window any more.
                let _ = self.stream.flow_control().release_capacity(bytes.len());
                if self.most.is_some_and(|most| received > most) {
                    return Poll::Ready(Some(Err(ClientError::TooLarge)));
                }
                Poll::Ready(Some(Ok(bytes)))
            }
            Poll::Pending => {
                let patience = self.patience;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(Some(Err(ClientError::TimedOut)))
            }
        }
    }
}

impl Http2Body {
    /// Takes the fields behind the body, which are there when it ends.
    fn take_trailers(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready(Ok(Some(map))) = self.stream.poll_trailers(cx) {
            self.trailers = Some(Box::new(behind(&map)));
        }
    }
}

impl RequestBody for Http2Body {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        if std::mem::take(&mut self.waits) {
            self.side.welcome();
        }
        match self.state {
            State::Ended => return Poll::Ready(None),
            State::Broken(error) => return Poll::Ready(Some(Err(error))),
            State::Open => {}
        }
        loop {
            match ready!(self.poll_next(cx)) {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Err(error)) => {
                    self.state = State::Broken(error);
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.state = State::Ended;
                    self.take_trailers(cx);
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.side.poll_reset(cx)
    }

    fn trailers(&self) -> Option<&Headers> {
        self.trailers.as_deref()
    }

    fn hint(&mut self, fields: &Headers) {
        self.side.hint(fields);
    }

    fn length(&self) -> Option<u64> {
        self.length
    }

    fn is_done(&self) -> bool {
        self.state == State::Ended || (self.state == State::Open && self.stream.is_end_stream())
    }

    fn set_limits(&mut self, patience: Duration, most: Option<u64>) {
        self.patience = patience;
        self.most = most;
    }
}

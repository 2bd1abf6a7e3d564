//! The body of an answer on its way from the peer, and what is counted meanwhile.

mod leased;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::UpstreamTry;
use tidegate_http::headers::Headers;
use tidegate_http::log::Teller;

use crate::brake::Brake;
use crate::buffering::Supply;
use crate::link::{Broken, Link};
use crate::live::Live;
use crate::protocol::{Event, told};
use crate::response;
pub(crate) use leased::Leased;

/// The body of an answer. When it ends, its connection is kept; when it is dropped before, closed.
pub(crate) struct Answer {
    link: Option<Box<Link>>,
    /// The client, where its body is still being sent on.
    client: Option<Box<Live>>,
    /// What has been read already.
    early: VecDeque<Bytes>,
    /// What went wrong behind it.
    fault: Option<io::Error>,
    tally: Tally,
    /// What is to be told of it, until there is somebody to tell.
    untold: Vec<String>,
    /// Who tells, once the exchange is out of reach.
    teller: Option<Box<Teller>>,
    /// Where the fields behind the body go, if they are let through.
    trailers: Option<Rc<RefCell<Headers>>>,
    /// What bounds the speed at which it is read.
    brake: Option<Box<Brake>>,
}

/// What is counted of one try while its answer is sent.
pub(crate) struct Tally {
    journal: Rc<RefCell<Vec<UpstreamTry>>>,
    /// Which try it is.
    place: usize,
}

impl Tally {
    /// Counts for the last try.
    pub(crate) fn new(journal: Rc<RefCell<Vec<UpstreamTry>>>) -> Self {
        let place = journal.borrow().len().saturating_sub(1);
        Self { journal, place }
    }

    fn count(&self, change: impl FnOnce(&mut UpstreamTry)) {
        if let Some(current) = self.journal.borrow_mut().get_mut(self.place) {
            change(current);
        }
    }

    /// The try is over.
    fn end(&self, now: Instant) {
        self.count(|current| {
            current.ended.get_or_insert(now);
        });
    }
}

impl Answer {
    /// The body behind a head that has been read; what is still to come of the request's body
    /// comes from `client`.
    pub(crate) fn new(link: Box<Link>, client: Option<Box<Live>>, tally: Tally) -> Self {
        Self {
            link: Some(link),
            client,
            early: VecDeque::new(),
            fault: None,
            tally,
            untold: Vec::new(),
            teller: None,
            trailers: None,
            brake: None,
        }
    }

    /// The fields behind the body go here.
    pub(crate) fn puts_trailers(&mut self, trailers: Rc<RefCell<Headers>>) {
        self.trailers = Some(trailers);
    }

    /// From here on no more than so many bytes a second are read.
    pub(crate) fn brake(&mut self, rate: NonZeroU64) {
        self.brake = Some(Box::new(Brake::new(rate)));
    }

    /// What is to be told of it so far, at level `error`.
    pub(crate) fn untold(&mut self) -> Vec<String> {
        std::mem::take(&mut self.untold)
    }

    /// From here on this one tells.
    pub(crate) fn told_by(&mut self, teller: Teller) {
        self.teller = Some(Box::new(teller));
    }

    fn say(&mut self, text: String) {
        match &self.teller {
            Some(teller) => teller.tell(Level::Error, &text),
            None => self.untold.push(text),
        }
    }

    /// Takes what is there without waiting, some `limit` bytes; all of the body, if that is all.
    pub(crate) fn poll_whole(&mut self, limit: usize, cx: &mut Context<'_>) -> Option<Bytes> {
        let whole = self.poll_at_hand(limit, cx);
        if let Some(link) = &mut self.link {
            // Time goes by until the rest is asked for.
            link.now = None;
        }
        whole
    }

    fn poll_at_hand(&mut self, limit: usize, cx: &mut Context<'_>) -> Option<Bytes> {
        let (mut length, mut last) = (0, None);
        while length < limit {
            match self.poll_link(cx) {
                Poll::Ready(Some(Ok(bytes))) => {
                    length += bytes.len();
                    self.early.extend(last.replace(bytes));
                }
                Poll::Ready(None) => return Some(join(&mut self.early, last)),
                Poll::Ready(Some(Err(error))) => {
                    self.fault = Some(error);
                    break;
                }
                Poll::Pending => break,
            }
        }
        self.early.extend(last);
        None
    }

    fn poll_link(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            let Some(link) = &mut self.link else { return Poll::Ready(None) };
            if let Some(brake) = &mut self.brake
                && brake.poll_free(link.received, cx).is_pending()
            {
                return Poll::Pending;
            }
            let event = match &mut self.client {
                None => link.poll_event(None, cx),
                Some(client) => link.poll_event(Some(client.body.as_mut()), cx),
            };
            if link.is_sent()
                && let Some(client) = self.client.take()
            {
                client.give_back();
            }
            let Poll::Ready(event) = event else { return Poll::Pending };
            let received = link.received;
            let length = if let Ok(Event::Body(bytes)) = &event { bytes.len() } else { 0 };
            self.tally.count(|current| {
                current.bytes_received = received;
                current.response_length += length as u64;
            });
            let end = match event {
                Ok(Event::Body(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Ok(Event::Told(text)) => {
                    self.say(format!("{} while reading upstream", told(&text)));
                    continue;
                }
                Ok(Event::Trailers(fields)) => {
                    if let Some(trailers) = &self.trailers {
                        trailers.replace(response::trailers(&fields));
                    }
                    continue;
                }
                Ok(Event::Head(_) | Event::Hint(_)) => continue,
                Ok(Event::End) => None,
                Err(Broken::Peer(fault)) => Some(Err(io::Error::other(fault))),
                Err(Broken::Client(error)) => Some(Err(io::Error::other(error))),
                Err(Broken::File(error)) => Some(Err(error)),
            };
            self.close(end.is_none());
            return Poll::Ready(end);
        }
    }

    /// Gives the connection back, or closes it.
    fn close(&mut self, complete: bool) {
        let Some(link) = self.link.take() else { return };
        let (sent, now) = (link.sent(), link.now.unwrap_or_else(Instant::now));
        self.tally.count(|current| current.bytes_sent = sent);
        self.tally.end(now);
        if complete {
            link.finish(now);
        }
    }
}

impl Supply for Answer {
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(bytes) = self.early.pop_front() {
            return Poll::Ready(Some(Ok(bytes)));
        }
        match self.fault.take() {
            Some(error) => Poll::Ready(Some(Err(error))),
            None => self.poll_link(cx),
        }
    }

    fn tell(&mut self, text: &str) {
        self.say(text.to_owned());
    }
}

impl futures_core::Stream for Answer {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_bytes(cx)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.close(false);
    }
}

/// All pieces as one; most answers are of one piece.
fn join(pieces: &mut VecDeque<Bytes>, last: Option<Bytes>) -> Bytes {
    if pieces.is_empty() {
        return last.unwrap_or_default();
    }
    let mut all = BytesMut::with_capacity(pieces.iter().chain(&last).map(Bytes::len).sum());
    for piece in pieces.drain(..).chain(last) {
        all.extend_from_slice(&piece);
    }
    all.freeze()
}

//! Requests of our own on behalf of a client's.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::Method;
use tidegate_config::http::error_log::Level;
use tokio::sync::{mpsc, oneshot};

use crate::body::{Body, BodyStream};
use crate::client::NoBody;
use crate::exchange::Exchange;
use crate::log::access;
use crate::response::Response;

/// How deep subrequests may lie in each other (nginx: `NGX_HTTP_MAX_SUBREQUESTS`).
pub const DEEPEST: u8 = 50;

/// How many subrequests of one request may be on their way at once.
pub const MOST: usize = 200;

/// How many pieces of a subrequest's body wait to be taken.
const PIECES: usize = 2;

/// What a request shares with those that are made for it.
#[derive(Debug, Default)]
pub struct Page {
    /// The charset of the answer that theirs become parts of.
    pub charset: RefCell<Option<Bytes>>,
    /// The blocks of text that a page has named.
    pub blocks: RefCell<Vec<(Vec<u8>, Bytes)>>,
    variables: RefCell<Vec<(String, Bytes)>>,
    /// What requests made beside the page have given to the configuration's own variables, by slot.
    handed: RefCell<Vec<Option<Bytes>>>,
}

impl Page {
    /// The value of a variable that a page has set.
    pub fn variable(&self, name: &str) -> Option<Bytes> {
        let variables = self.variables.borrow();
        variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// Gives a page's variable a value.
    pub fn assign(&self, name: &str, value: Bytes) {
        let mut variables = self.variables.borrow_mut();
        match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => variables.push((name.to_owned(), value)),
        }
    }
}

/// Ready when a subrequest has ended.
pub type End = oneshot::Receiver<()>;

/// What answers requests: the whole pipeline, for what lies below it.
pub trait Site {
    /// Answers a subrequest; `None` where the connection would be closed without an answer.
    fn answer<'s, 'e: 's>(&'s self, ex: &'s mut Exchange<'e>) -> Answering<'s>;

    /// What the connections of all workers are at (`$connections_active` and so on).
    fn connections(&self) -> Connections {
        Connections::default()
    }
}

/// How many connections there are, and what they are at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// All.
    pub active: u64,
    /// Those whose request's head is being read.
    pub reading: u64,
    /// Those whose request is being answered.
    pub writing: u64,
    /// Those without a request.
    pub waiting: u64,
}

/// A subrequest on its way.
pub type Answering<'s> = Pin<Box<dyn Future<Output = Option<Response>> + 's>>;

impl Exchange<'_> {
    /// A request of our own for a path, with the client's fields and without its body (nginx:
    /// `ngx_http_subrequest`). The variables of the configuration's own go with it; see
    /// [`Exchange::rejoin`].
    #[must_use]
    pub fn subrequest(&mut self, path: Bytes) -> Self {
        let slots = std::mem::take(&mut self.slots);
        let mut own = self.twin(path, slots);
        own.limits = std::mem::take(&mut self.limits);
        own
    }

    /// Takes the variables of the configuration's own back from a subrequest that has ended.
    pub fn rejoin(&mut self, mut subrequest: Self) {
        subrequest.written();
        self.slots = subrequest.slots;
        self.limits = subrequest.limits;
        self.id = subrequest.id;
    }

    /// The same, to be made while this request goes on: it has its own copy of the variables.
    /// `None`, which is told, where subrequests lie too deep in each other or are too many.
    pub fn side_request(&mut self, path: Bytes, args: Option<Bytes>) -> Option<Self> {
        let uri = String::from_utf8_lossy(&path);
        if self.subrequests_left == 0 {
            self.log(Level::Error, &format!("subrequests cycle while processing \"{uri}\""));
            return None;
        }
        if self.tasks.len() >= MOST {
            self.log(Level::Error, &format!("too many subrequests while processing \"{uri}\""));
            return None;
        }
        let slots = self.slots.clone();
        let mut own = self.twin(path, slots);
        own.args = args;
        own.limits.requests = self.limits.requests;
        own.limits.connections = self.limits.connections;
        own.subrequests_left = self.subrequests_left - 1;
        Some(own)
    }

    fn twin(&mut self, path: Bytes, slots: Vec<Option<Bytes>>) -> Self {
        let mut request = self.request.clone();
        request.method = self.method.clone();
        request.content_length = None;
        request.chunked = false;
        let place = (self.http, self.logs);
        let mut own = Self::new(place, self.connection, self.server, request, Box::new(NoBody));
        own.method = Method::GET;
        own.uri = path;
        own.args = None;
        own.raw_uri = false;
        own.internal = true;
        own.subrequest = true;
        own.subrequests_left = self.subrequests_left;
        own.page = Some(Rc::clone(self.page.get_or_insert_default()));
        own.tasks = self.tasks.share();
        own.site = self.site;
        own.trace.clone_from(&self.trace);
        own.remote = self.remote.clone();
        own.redirects_left = self.redirects_left;
        own.started = self.started;
        own.number = self.number;
        own.id.clone_from(&self.id);
        own.slots = slots;
        own
    }

    /// Makes a subrequest beside this request. What comes back is the body of its answer, to be
    /// put into the body of this request's own; it is empty where there is no answer.
    pub fn body_of(&mut self, own: Self) -> BodyStream {
        self.body_and_end(own).0
    }

    /// The same, and what tells of its end.
    pub fn body_and_end(&mut self, mut own: Self) -> (BodyStream, End) {
        let (sender, receiver) = mpsc::channel(PIECES);
        let (ended, end) = oneshot::channel();
        self.tasks.add(async move {
            let Some(response) = own.answered().await else { return };
            let mut body = response.body.into_stream();
            while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
                if let Ok(bytes) = &piece {
                    own.sent.body_bytes += bytes.len() as u64;
                }
                let failed = piece.is_err();
                if sender.send(piece).await.is_err() || failed {
                    return;
                }
            }
            own.sent.complete = true;
            own.written();
            let _nobody = ended.send(());
        });
        (received(receiver), end)
    }

    /// A copy of this request, as far as it is known, to be asked for values while its answer is
    /// being sent. It has no body, and shares what goes on beside.
    #[must_use]
    pub fn copy(&mut self) -> Self {
        let slots = self.slots.clone();
        let mut copy = self.twin(self.uri.clone(), slots);
        copy.request.clone_from(&self.request);
        copy.location = self.location;
        copy.method.clone_from(&self.method);
        copy.args.clone_from(&self.args);
        copy.internal = self.internal;
        copy.subrequest = self.subrequest;
        copy.captured.clone_from(&self.captured);
        copy.error = self.error;
        copy.upstream = self.upstream.shared();
        copy.upstream_headers.clone_from(&self.upstream_headers);
        copy.body_received = self.body_received;
        copy
    }

    /// Takes up what requests beside this one have given to variables (nginx: all share theirs).
    pub(crate) fn take_handed(&mut self) {
        let Some(page) = &self.page else { return };
        let count = page.handed.borrow().len().max(self.slots.len());
        self.slots.resize(count, None);
        for (own, handed) in self.slots.iter_mut().zip(page.handed.borrow().iter()) {
            if handed.is_some() {
                own.clone_from(handed);
            }
        }
    }

    /// Lets the page have what this request has given to variables since.
    fn hand(&self, before: &[Option<Bytes>]) {
        let Some(page) = &self.page else { return };
        let mut handed = page.handed.borrow_mut();
        let count = handed.len().max(self.slots.len());
        handed.resize(count, None);
        for (number, (place, now)) in handed.iter_mut().zip(&self.slots).enumerate() {
            if now != before.get(number).unwrap_or(&None) {
                place.clone_from(now);
            }
        }
    }

    /// Asks for the answer to this subrequest.
    pub async fn answered(&mut self) -> Option<Response> {
        let before = self.slots.clone();
        let answer = self.answered_alone().await;
        self.hand(&before);
        answer
    }

    async fn answered_alone(&mut self) -> Option<Response> {
        let Some(site) = self.site else {
            self.log(Level::Crit, "a subrequest has nobody to ask");
            return None;
        };
        let mut response = site.answer(self).await?;
        self.sent.status = response.status;
        let body = std::mem::take(&mut response.body);
        let kept = Response { body: Body::Empty, ..Response::new(response.status) };
        self.sent.answer = Some(Box::new(std::mem::replace(&mut response, kept)));
        response.body = body;
        Some(response)
    }

    /// Writes the line of a subrequest, where the log takes some of these.
    pub fn written(&mut self) {
        if self.location.log.subrequest {
            access::write(self);
        }
    }
}

/// A body out of the pieces that are sent to it.
pub(crate) fn received(pieces: mpsc::Receiver<io::Result<Bytes>>) -> BodyStream {
    Box::pin(Received(pieces))
}

/// The body of a subrequest's answer, as it comes.
struct Received(mpsc::Receiver<io::Result<Bytes>>);

impl Stream for Received {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

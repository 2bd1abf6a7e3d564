//! Requests of our own on behalf of a client's.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::Method;

use crate::client::NoBody;
use crate::exchange::Exchange;
use crate::response::Response;

/// What answers requests: the whole pipeline, for what lies below it.
pub trait Site {
    /// Answers a subrequest; `None` where the connection would be closed without an answer.
    fn answer<'s, 'e: 's>(&'s self, ex: &'s mut Exchange<'e>) -> Answering<'s>;
}

/// A subrequest on its way.
pub type Answering<'s> = Pin<Box<dyn Future<Output = Option<Response>> + 's>>;

impl Exchange<'_> {
    /// A request of our own for a path, with the client's fields and without its body (nginx:
    /// `ngx_http_subrequest`). The variables of the configuration's own go with it; see
    /// [`Exchange::rejoin`].
    #[must_use]
    pub fn subrequest(&mut self, path: Bytes) -> Self {
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
        own.site = self.site;
        own.remote = self.remote.clone();
        own.redirects_left = self.redirects_left;
        own.started = self.started;
        own.started_at = self.started_at;
        own.number = self.number;
        own.id.clone_from(&self.id);
        own.slots = std::mem::take(&mut self.slots);
        own.limits = std::mem::take(&mut self.limits);
        own
    }

    /// Takes the variables of the configuration's own back from a subrequest.
    pub fn rejoin(&mut self, subrequest: Self) {
        self.slots = subrequest.slots;
        self.limits = subrequest.limits;
        self.id = subrequest.id;
    }
}

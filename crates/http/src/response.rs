//! An answer before it is put into bytes.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;

use crate::body::Body;
use crate::date::parse_http_date;
use crate::filter::slice::Window;
use crate::headers::Headers;

/// An answer to a request (nginx: `headers_out` and the output chain).
///
/// What nginx keeps apart from other header fields is kept apart here; the connection writes
/// `Server`, `Date`, `Content-Type`, `Content-Length`, `Last-Modified`, `Location`,
/// `Transfer-Encoding` and `Connection` in this order, then `headers`.
#[derive(Debug, Default)]
pub struct Response {
    /// The status code, 200 to 599, or 101.
    pub status: u16,
    /// The reason phrase, where an upstream sent its own.
    pub reason: Option<Bytes>,
    /// `Content-Type` without the charset that `charset` adds.
    pub content_type: Option<Bytes>,
    /// What `; charset=` says, where the type itself names none.
    pub charset: Option<Bytes>,
    /// The charset that an upstream wants the answer to be in (`X-Accel-Charset`).
    pub wanted_charset: Option<Box<Bytes>>,
    /// `Content-Length`; `None` where only the end of the body will tell. Kept for a HEAD request,
    /// whose body is empty.
    pub content_length: Option<u64>,
    /// `Last-Modified`, in seconds since 1970; an upstream's stands among `headers` as it came.
    pub last_modified: Option<i64>,
    /// `Location`; where it starts with a slash and `absolute_redirect` is on, the header filter
    /// puts scheme, host and port before it.
    pub location: Option<Bytes>,
    /// Whether the field `Server` is left out where `headers` has none.
    pub without_server: bool,
    /// Whether the field `Date` is left out where `headers` has none.
    pub without_date: bool,
    /// Whether `expires` leaves the field `Expires` away.
    pub without_expires: bool,
    /// All other fields.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// The fields behind the body, where some are expected; whoever makes the body puts them in
    /// before its end. Who writes the answer asks [`Exchange::trailers`] for all of them.
    ///
    /// [`Exchange::trailers`]: crate::exchange::Exchange::trailers
    pub trailers: Option<Rc<RefCell<Headers>>>,
    /// Whether ranges of it may be asked for (nginx: `allow_ranges`).
    pub allow_ranges: bool,
    /// What of the body is to be sent, where that is made of slices.
    pub slices: Option<Window>,
    /// Whether only one range may be asked for at once (nginx: `single_range`).
    pub single_range: bool,
    /// Whether the connection must end after it.
    pub close: bool,
    /// Whether what is to come of its body is for the client alone, and ends where that leaves (nginx:
    /// unless `proxy_ignore_client_abort`).
    pub ends_with_client: bool,
    /// Whether the conditions of the request (`If-Modified-Since` and its kin) were judged by an
    /// upstream and are not to be judged again (nginx: `disable_not_modified`).
    pub judged: bool,
}

impl Response {
    /// An answer with this status and nothing else.
    pub fn new(status: u16) -> Self {
        Self { status, content_length: Some(0), ..Self::default() }
    }

    /// Gives it a body whose length is known, and that length.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Self {
        self.content_length = body.len();
        self.body = body;
        self
    }

    /// Gives it a type.
    #[must_use]
    pub fn with_type(mut self, content_type: impl Into<Bytes>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// When it was changed last, whoever says so, in seconds since 1970 (it takes part in conditions
    /// and ranges; nginx: `last_modified_time`).
    pub fn modified(&self) -> Option<i64> {
        let written = || self.headers.get("Last-Modified").and_then(|date| parse_http_date(date));
        self.last_modified.or_else(written)
    }

    /// Takes back what a changed body makes untrue: its length, its ranges, and (as nginx does)
    /// the time it was changed and its strong validator.
    pub fn changed(&mut self) {
        self.content_length = None;
        self.allow_ranges = false;
        self.headers.remove("Accept-Ranges");
        self.weaken_etag();
    }

    /// Makes a strong `ETag` weak (nginx: `ngx_http_weak_etag`).
    pub fn weaken_etag(&mut self) {
        let Some(etag) = self.headers.get("ETag") else { return };
        if etag.starts_with(b"W/") {
            return;
        }
        if etag.starts_with(b"\"") {
            let weak = [b"W/", etag.as_ref()].concat();
            self.headers.set("ETag", weak);
        } else {
            self.headers.remove("ETag");
        }
    }
}

//! One request and everything that is known of it.

mod tries;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http::Method;
use tidegate_config::block::{Http, Location, Server};
use tidegate_config::http::error_log::Level;
use tidegate_config::value::pattern::Pattern;
use tidegate_config::value::regex::{Captures, Effort};

pub use crate::captured::Captured;
use crate::client::{Connection, Endpoint, RequestBody};
use crate::head::RequestHead;
use crate::headers::Headers;
use crate::limits::Limits;
use crate::log::Logs;
use crate::response::Response;
use crate::stop::Stop;
use crate::subrequest::{DEEPEST, Page, Site};
use crate::tasks::Tasks;
use crate::trace::Trace;
pub use tries::{Place, Tries, UpstreamTry};

/// One request and everything that is known of it (nginx: `ngx_http_request_t`).
///
/// It borrows the configuration, which the connection holds while a request lasts. It lives until
/// the last byte of the answer has gone; then the access log line is written from it.
pub struct Exchange<'a> {
    /// What it goes through, noted where somebody asks (`tidegate explain`).
    pub trace: Option<Rc<Trace<'a>>>,
    /// The configuration that the request began under.
    pub http: &'a Http,
    /// Where lines go.
    pub logs: &'a Logs,
    /// The connection it came on.
    pub connection: &'a Connection,
    /// The server it is for.
    pub server: &'a Server,
    /// The location it is in; the server's own level before one is found.
    pub location: &'a Location,
    /// What the client sent.
    pub request: Box<RequestHead>,
    /// What the client still sends.
    pub body: Box<dyn RequestBody>,
    /// The method; GET after an internal redirect of some other.
    pub method: Method,
    /// The path, decoded and normalised (`$uri`).
    pub uri: Bytes,
    /// The query (`$args`).
    pub args: Option<Bytes>,
    /// Whether the path is still the one the client sent, so that `proxy_pass` may send it raw
    /// (nginx: `valid_unparsed_uri`).
    pub raw_uri: bool,
    /// Whether the path still begins with its location's name, for which the URI of `proxy_pass`
    /// stands; not after `rewrite … break` (nginx: `valid_location`). A location found sets it.
    pub in_location: bool,
    /// Whether `try_files` has found the path behind an `alias` that stands for the whole of a
    /// location (nginx: `add_uri_to_alias`).
    pub behind_alias: bool,
    /// The client's address, which `realip` may change.
    pub remote: Endpoint,
    /// Whether it came here by an internal redirect.
    pub internal: bool,
    /// Whether it is a request of our own on behalf of the client's.
    pub subrequest: bool,
    /// How deep such requests may still lie in each other.
    pub subrequests_left: u8,
    /// Whether copies of it have been sent (`mirror`).
    pub mirrored: bool,
    /// Whether it goes straight to the content of its location, as a part of another request there.
    pub cloned: bool,
    /// Where the slice begins that it asks for (`slice`), once `$slice_range` was asked for.
    pub slice: Option<u64>,
    /// The cookie that the client is given (`userid`), once that was decided.
    pub uid_set: Option<Box<crate::filter::userid::Uid>>,
    /// What it shares with the requests that are made for it.
    pub page: Option<Rc<Page>>,
    /// What goes on beside it.
    pub tasks: Tasks<'a>,
    /// What answers such requests.
    pub site: Option<&'a dyn Site>,
    /// How often the URI may change again, and one; ten times in all. At zero it has changed too often, and
    /// no page for errors is looked for (nginx: `uri_changes`).
    pub redirects_left: u8,
    /// The groups of the last regular expression that matched.
    pub captured: Captured,
    /// What regular expressions may still cost.
    pub effort: Effort,
    /// The values of the variables that the configuration defines, by slot; none behind the last that
    /// was given one.
    pub slots: Vec<Option<Bytes>>,
    /// `$limit_rate`, in bytes a second, once it was decided: by `set`, by an upstream, or when the
    /// answer is written.
    pub limit_rate: Option<u64>,
    /// What limits have said of it.
    pub limits: Limits,
    /// How `error_page` has changed it.
    pub error: ErrorState,
    /// The upstreams that were asked, in order. Shared with the body of an answer, which goes on
    /// counting while it is sent.
    pub upstream: Tries,
    /// The host that `proxy_pass` names, and its port (`$proxy_host`, `$proxy_port`).
    pub proxy_host: (Cow<'a, [u8]>, Cow<'a, [u8]>),
    /// Fields that an upstream's answer with `X-Accel-Redirect` leaves to the one it leads to; they
    /// take the place of fields of the same name.
    pub kept_headers: Headers,
    /// The last upstream's header fields, for `$upstream_http_…`.
    pub upstream_headers: Headers,
    /// What was sent.
    pub sent: Sent,
    /// When its first byte came, for durations.
    pub started: Instant,
    /// Which request of its connection it is, counted from 1.
    pub number: u32,
    /// Bytes received of its body so far.
    pub body_received: u64,
    /// `$request_id`, once it was asked for.
    pub id: Option<Bytes>,
}

impl<'a> Exchange<'a> {
    /// A request that begins now, at the level of its server.
    pub fn new(
        place: (&'a Http, &'a Logs),
        connection: &'a Connection,
        server: &'a Server,
        request: Box<RequestHead>,
        body: Box<dyn RequestBody>,
    ) -> Self {
        Self::begun(place, (connection, Instant::now()), server, request, body)
    }

    /// A request whose first byte came at some time, at the level of its server.
    pub fn begun(
        (http, logs): (&'a Http, &'a Logs),
        (connection, started): (&'a Connection, Instant),
        server: &'a Server,
        request: Box<RequestHead>,
        body: Box<dyn RequestBody>,
    ) -> Self {
        Self {
            trace: None,
            http,
            logs,
            connection,
            server,
            location: &server.location,
            method: request.method.clone(),
            uri: request.uri.path.clone(),
            args: request.uri.args.clone(),
            request,
            body,
            raw_uri: true,
            in_location: true,
            behind_alias: false,
            remote: connection.peer.clone(),
            internal: false,
            subrequest: false,
            subrequests_left: DEEPEST,
            mirrored: false,
            cloned: false,
            slice: None,
            uid_set: None,
            page: None,
            tasks: Tasks::None,
            site: None,
            redirects_left: 11,
            captured: Captured::default(),
            effort: Effort::default(),
            slots: Vec::new(),
            limit_rate: None,
            limits: Limits::default(),
            error: ErrorState::default(),
            upstream: Tries::default(),
            proxy_host: (Cow::Borrowed(&[]), Cow::Borrowed(&[])),
            kept_headers: Headers::new(),
            upstream_headers: Headers::new(),
            sent: Sent::default(),
            started,
            number: 1,
            body_received: 0,
            id: None,
        }
    }

    /// Matches a text; where it does, the groups become `$1` and so on, and the variables that the
    /// expression names get their values. Too many steps are no match, and are told; see
    /// `judged`.
    pub fn matches(&mut self, pattern: &Pattern, subject: &Bytes) -> bool {
        let mut groups = Captures::default();
        match pattern.regex.captures(subject, &mut groups, &mut self.effort) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(_) => {
                // PCRE's number for its own limit.
                let subject = String::from_utf8_lossy(subject);
                let regex = &pattern.regex;
                let text = format!("pcre2_match() failed: -47 on \"{subject}\" using \"{regex}\"");
                self.log(Level::Alert, &text);
                self.error.undecided = true;
                return false;
            }
        }
        self.captured = Captured { subject: subject.clone(), groups };
        for (group, slot) in &pattern.names {
            let value = self.captured.get(*group).unwrap_or_default();
            self.set(*slot, Some(value));
        }
        true
    }
}

impl Exchange<'_> {
    /// 500 where an expression has given up since the last time: what it was to decide is not known
    /// (nginx: `NGX_ERROR` of `ngx_http_regex_exec`).
    pub(crate) fn judged(&mut self) -> Result<(), Stop> {
        if std::mem::take(&mut self.error.undecided) { Err(Stop::Status(500)) } else { Ok(()) }
    }
}

/// How `error_page` has changed a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorState {
    /// The status that led to an error page, which the answer gets unless told otherwise.
    pub status: Option<u16>,
    /// Whether `=` was said: the answer keeps the page's own status.
    pub own_status: bool,
    /// Whether it is in an error page already.
    pub within: bool,
    /// Whether the connection has to end after the answer, whatever it has become.
    pub close: bool,
    /// Whether it got nginx's own page before anybody had turned to its body, which is not asked for
    /// then (nginx: `expect_tested`).
    pub unasked: bool,
    /// Whether a regular expression has given up.
    pub undecided: bool,
    /// Whether `return` has made its answer, and so has turned to its body first.
    pub returned: bool,
}

/// What was sent to the client.
#[derive(Debug, Default)]
pub struct Sent {
    /// The status (`$status`); 0 before a head was written.
    pub status: u16,
    /// All bytes (`$bytes_sent`).
    pub bytes: u64,
    /// The bytes of the body (`$body_bytes_sent`).
    pub body_bytes: u64,
    /// The answer without its body, for `$sent_http_…`, once its head was written.
    pub answer: Option<Box<Response>>,
    /// What that head has promised, once it was written.
    pub promise: Option<crate::answer_head::Promise>,
    /// Bytes before and after `gzip`, counted while they are sent (`$gzip_ratio`).
    pub gzip_ratio: Option<Rc<Cell<(u64, u64)>>>,
    /// Whether the body went out whole (`$request_completion`).
    pub complete: bool,
    /// Whether the request came behind another one's bytes (`$pipe`).
    pub pipelined: bool,
}

impl Sent {
    /// The fields behind the body, where some are expected.
    pub fn trailers(&self) -> Option<&Rc<RefCell<Headers>>> {
        self.answer.as_ref()?.trailers.as_ref()
    }
}

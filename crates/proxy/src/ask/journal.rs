//! What is written down of each try, for `$upstream_*` and the error log.

use std::time::Instant;

use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::UpstreamTry;

use super::{Question, Unanswered};
use crate::fault::Fault;
use crate::link::Link;
use crate::upstream::group::Lease;

impl Question<'_> {
    /// A peer is tried.
    pub(super) fn begin(&self, lease: &Lease) -> Instant {
        let address = lease.address.to_string();
        // nginx puts a colon between the path of a socket and the URI.
        let colon = if address.starts_with("unix:") { ":" } else { "" };
        let url = self.url(&address, colon);
        self.journal.borrow_mut().push(UpstreamTry { address, url, ..UpstreamTry::default() });
        Instant::now()
    }

    fn url(&self, address: &str, colon: &str) -> String {
        let (scheme, uri) = &self.url;
        format!("{scheme}://{address}{colon}{}", String::from_utf8_lossy(uri))
    }

    pub(super) fn current(&self, change: impl FnOnce(&mut UpstreamTry)) {
        if let Some(current) = self.journal.borrow_mut().last_mut() {
            change(current);
        }
    }

    pub(super) fn count(&self, link: &Link) {
        self.current(|current| {
            current.bytes_received = link.received;
            current.bytes_sent = link.sent();
        });
    }

    fn end(&self, status: u16, begun: Instant) {
        self.current(|current| {
            current.status = status;
            current.response_time = Some(begun.elapsed());
        });
    }

    /// A try has failed.
    pub(super) fn note(&self, fault: &Fault, begun: Instant) {
        self.end(fault.status(), begun);
        if let Fault::Status(_) = fault {
            return;
        }
        let silent = matches!(fault, Fault::Closed(_) | Fault::System { call: "recv", .. });
        match self.hint.as_ref().filter(|_| silent) {
            Some(hint) => (self.log)(Level::Error, &format!("{fault} ({hint})")),
            None => (self.log)(Level::Error, &fault.to_string()),
        }
    }

    /// No peer is left.
    pub(super) fn nobody(&self, fault: &Fault) -> Unanswered {
        let address = self.group.description.name.clone();
        let url = self.url(&address, "");
        self.journal.borrow_mut().push(UpstreamTry { address, url, ..UpstreamTry::default() });
        self.end(502, Instant::now());
        (self.log)(Level::Error, &fault.to_string());
        Unanswered::Status(502)
    }

    /// The client has left, or does not send what it promised.
    pub(super) fn ours(&self, unanswered: Unanswered, begun: Instant) {
        let status = match unanswered {
            Unanswered::Status(status) => status,
            // The upstream has not said anything yet.
            Unanswered::Client(_) | Unanswered::Gone => 0,
        };
        self.end(status, begun);
        if unanswered == Unanswered::Gone {
            let message = "client prematurely closed connection, so upstream connection is closed \
                           too while reading response header from upstream";
            (self.log)(Level::Info, message);
        }
    }
}

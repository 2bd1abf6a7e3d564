//! What is written down of each try, for `$upstream_*` and the error log.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::{Place, UpstreamTry};
use tidegate_http::shortage;

use super::wait::Wait;
use super::{Question, Unanswered};
use crate::diagnosis::{self, Circumstances};
use crate::fault::Fault;
use crate::link::Link;
use crate::protocol::Head;
use crate::upstream::selection::Lease;

/// Why something is told of a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Another peer is asked now.
    PassedOver,
    /// The request waits from now on.
    Awaited,
    /// That was the last one.
    Last,
}

impl Question<'_> {
    /// A peer is tried.
    pub(super) fn begin(&self, lease: &Lease, now: Instant) {
        self.journal.borrow_mut().push(self.one_try(lease.address.place(), now));
    }

    fn one_try(&self, address: Place, begun: Instant) -> UpstreamTry {
        let asked = self.outgoing.url.clone();
        UpstreamTry { address, asked, begun: Some(begun), ..UpstreamTry::default() }
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

    pub(super) fn end(&self, status: u16) {
        self.current(|current| {
            current.status = status;
            current.ended = Some(Instant::now());
        });
    }

    /// A try has failed, or none was possible: what is told of it.
    pub(super) fn tell(&self, (fault, said): (&Fault, &[u8]), wait: &Wait, told: Told) {
        if let Fault::Status(_) = fault {
            return;
        }
        let known = Circumstances {
            family: self.family(),
            forward: self.forward,
            hint: self.outgoing.hint.as_deref(),
            said,
        };
        let mend = match fault {
            Fault::NoLive => Some(self.group.state().balancer.census(Instant::now())),
            fault => diagnosis::mend(fault, &known),
        };
        let mut text = match mend {
            Some(mend) => format!("{fault} ({mend})"),
            None => fault.to_string(),
        };
        self.current(|current| current.error.clone_from(&text));
        if fault.is_shortage() {
            shortage::told(&text).inspect(|text| (self.log)(fault.level(), text));
            return;
        }
        let (level, waited) = (fault.level(), wait.so_far());
        let level = match (told, waited) {
            // Who waits looks often, and it would always be the same.
            (Told::PassedOver, Some(_)) if wait.goes_on() => return,
            (Told::Awaited, _) => {
                text += "; the request waits for it";
                Level::Warn
            }
            (Told::Last, Some(waited)) => {
                let _ = write!(text, "; waited {:.1}s", waited.as_secs_f32());
                level
            }
            _ => level,
        };
        (self.log)(level, &text);
    }

    /// The prefix of the directives of the protocol.
    fn family(&self) -> &'static str {
        match self.outgoing.url.0 {
            "http" | "https" => "proxy",
            "uwsgi" | "suwsgi" => "uwsgi",
            "grpc" | "grpcs" => "grpc",
            other => other,
        }
    }

    /// An answer that looks as if it was given by one who has not understood.
    pub(super) fn doubt(&self, head: &Head) {
        let family = self.family();
        if let Some(doubt) = diagnosis::doubt(head, family) {
            (self.log)(Level::Warn, &format!("upstream answered {} ({doubt})", head.status));
        }
    }

    /// No peer is left.
    pub(super) fn nobody(&self, status: u16) {
        let address = Place::Nowhere(self.group.description.name.clone());
        self.journal.borrow_mut().push(self.one_try(address, Instant::now()));
        self.end(status);
    }

    /// The group has a server again that can be reached.
    pub(super) fn reached_again(&self, away: Duration) {
        let (name, away) = (&self.group.description.name, away.as_secs_f32());
        let text = format!("upstream \"{name}\" can be reached again after {away:.1}s");
        (self.log)(Level::Notice, &text);
    }

    /// We have nothing left to ask anybody by, for which no peer is to blame.
    pub(super) fn lack(&self, fault: &Fault) -> Unanswered {
        let text = fault.to_string();
        shortage::told(&text).inspect(|text| (self.log)(Level::Alert, text));
        self.current(|current| current.error = text);
        self.end(fault.status());
        Unanswered::Status(fault.status())
    }

    /// The client has left, or does not send what it promised.
    pub(super) fn ours(&self, unanswered: Unanswered) {
        let status = match unanswered {
            Unanswered::Status(status) => status,
            // The upstream has not said anything yet.
            Unanswered::Client(_) | Unanswered::Gone => 0,
        };
        self.end(status);
        if unanswered == Unanswered::Gone {
            let message = "client prematurely closed connection, so upstream connection is closed \
                           too while reading response header from upstream";
            (self.log)(Level::Info, message);
        }
    }
}

//! What is left of an exchange at its end: the connection, and the peer.

use std::time::Instant;

use bytes::Bytes;

use super::{Link, spare};
use crate::outbox::Progress;
use crate::stream::Stream;
use crate::upstream::keepalive::{self, Connection};
use crate::upstream::selection::Lease;

impl Link {
    /// After the end of the answer, now: keeps the connection if it can carry another request. Says
    /// whether the peer has sent more than its answer.
    pub(crate) fn finish(self: Box<Self>, now: Instant) -> bool {
        let more = !self.inbox.is_empty();
        let is_reusable = self.is_reusable();
        let is_last = self.is_sent() && self.outbox.is_last() && !more;
        let Self { mut connection, mut lease, inbox, is_small, .. } = *self;
        connection.silence.broken();
        if is_reusable {
            let group = lease.group();
            let place = (group.id, &lease.address);
            keepalive::put(place, connection, &group.description.keepalive, now);
        } else {
            connection.close(is_last);
        }
        if is_small && !more {
            spare::leave(inbox);
        }
        lease.end(now);
        more
    }

    /// After the end of the answer: the connection, if it can carry another request.
    pub(crate) fn into_connection(self) -> Option<Connection> {
        self.is_reusable().then_some(*self.connection)
    }

    fn is_reusable(&self) -> bool {
        let sent = self.sending == Progress::Done && self.refused.is_none() && !self.unwanted;
        let whole = self.http2.as_ref().is_none_or(|exchange| exchange.is_complete());
        sent && whole && self.inbox.is_empty() && !self.ended && self.decoder.reusable()
    }

    /// After the head of an upgrade: the connection, what came behind the head, and the peer.
    pub(crate) fn into_tunnel(self) -> (Stream, Bytes, Lease) {
        // Where it cannot be said, packets wait a little.
        let _ = self.connection.stream.hurry();
        (self.connection.stream, self.inbox.freeze(), self.lease)
    }

    /// Gives the peer back after a failure; the connection is closed.
    pub(crate) fn into_lease(self) -> Lease {
        self.lease
    }
}

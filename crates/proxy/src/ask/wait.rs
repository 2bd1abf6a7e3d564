//! One request's waiting while no server of its group can be reached, as during a restart.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::upstream_wait::Waiting;
use tidegate_http::client::RequestBody;

use super::journal::Told;
use super::{Question, Unanswered};
use crate::fault::Fault;
use crate::upstream::group::Group;
use crate::upstream::outage;
use crate::upstream::selection::Selection;

/// How far a request's waiting has come.
pub(super) struct Wait {
    bounds: Waiting,
    /// When it ends, once it has begun.
    until: Option<Instant>,
    pause: Duration,
    place: Option<Place>,
    /// How many times a request that was sent and lost has been sent again.
    replays: u32,
}

/// One of those who wait for a group.
struct Place(Arc<Group>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.outage.leave();
    }
}

impl Wait {
    /// A request that has not waited yet.
    pub(super) fn new(bounds: Waiting) -> Self {
        let pause = outage::SHORTEST;
        Self { bounds, until: None, pause, place: None, replays: 0 }
    }

    /// Whether requests wait at all.
    pub(super) fn is_on(&self) -> bool {
        !self.bounds.time.is_zero()
    }

    /// How long the request has waited so far.
    pub(super) fn so_far(&self) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(Instant::now());
        Some(self.bounds.time.saturating_sub(left))
    }

    /// Whether more time is left.
    pub(super) fn goes_on(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    /// Whether the request may wait now, and has a place among those who do.
    fn begin(&mut self, group: &Arc<Group>, now: Instant) -> bool {
        if self.place.is_some() {
            return true;
        }
        if group.outage.is_hopeless(now) || !group.outage.join(self.bounds.requests) {
            return false;
        }
        self.place = Some(Place(group.clone()));
        self.until = Some(now + self.bounds.time);
        true
    }
}

/// Why a round of tries ended without an answer.
pub(super) struct End {
    /// What went wrong the last time.
    pub(super) fault: Fault,
    /// What the peer had said, cut short.
    pub(super) said: Bytes,
    /// Whether the group may be asked once more.
    pub(super) later: Later,
    /// Whether some of its servers could not be reached.
    pub(super) unreached: bool,
}

impl End {
    /// How many times a request may be sent again that was lost so: what brings an application down
    /// is not to do so often. Where others are gone it was a restart that has taken them along.
    fn replays(&self) -> u32 {
        if self.unreached { 3 } else { 1 }
    }
}

/// Whether a request may be sent later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Later {
    /// No.
    No,
    /// Nobody could be reached, so that nothing was sent.
    Unreached,
    /// Nobody has room for it.
    Full,
    /// It was sent and lost without a word, and may be sent a second time.
    Lost,
}

/// Whether a request may be sent later that ends so; `reached` is whether somebody was, and `lost`
/// whether it was sent and lost without a word there.
pub(super) fn later_than(
    fault: &Fault,
    way: &Selection<'_>,
    (reached, lost): (bool, bool),
) -> Later {
    match fault {
        // Nothing was sent, and a check may find one well at any moment.
        Fault::NoLive if !reached && way.awaits_checks() => Later::Unreached,
        Fault::NoLive if way.is_held_up() => Later::Full,
        _ if !reached && fault.is_unreachable() && way.has_asked_all() => Later::Unreached,
        _ if lost => Later::Lost,
        _ => Later::No,
    }
}

impl Question<'_> {
    /// Whether the group is to be asked once more, after a pause.
    pub(super) async fn may_come_back(
        &self,
        end: &End,
        wait: &mut Wait,
        tries: usize,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<bool, Unanswered> {
        let now = Instant::now();
        match end.later {
            Later::No => return Ok(false),
            Later::Lost if tries == 1 || wait.replays >= end.replays() => return Ok(false),
            Later::Lost => wait.replays += 1,
            Later::Full if self.group.description.queue.is_none() => return Ok(false),
            // It is there, and busy.
            Later::Unreached if end.fault.is_full() => {}
            Later::Unreached if wait.is_on() => self.group.outage.begin(now),
            Later::Full | Later::Unreached => {}
        }
        let first = wait.so_far().is_none();
        let again = self.pause(wait, client).await?;
        if again && first {
            self.tell((&end.fault, &end.said), wait, Told::Awaited);
        }
        Ok(again)
    }

    /// [`Question::pause_until_turn`], where a client that leaves is told of.
    pub(super) async fn pause(
        &self,
        wait: &mut Wait,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<bool, Unanswered> {
        let paused = self.pause_until_turn(wait, client).await;
        if paused.is_err() {
            let message = "client prematurely closed connection while waiting for upstream";
            (self.log)(Level::Info, message);
        }
        paused
    }

    /// Pauses until the group may be asked again; the last time is when the wait is over. Whether
    /// there was time, and a place to wait in.
    async fn pause_until_turn(
        &self,
        wait: &mut Wait,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<bool, Unanswered> {
        let mut now = Instant::now();
        if !wait.is_on() || !wait.goes_on() || !wait.begin(self.group, now) {
            return Ok(false);
        }
        let until = wait.until.unwrap_or(now);
        loop {
            let pause = wait.pause.min(until.saturating_duration_since(now));
            wait.pause = (wait.pause * 2).min(outage::LONGEST);
            let freed = self.rest(pause, client).await?;
            now = Instant::now();
            if freed || now >= until || self.group.outage.turn(now) {
                return Ok(true);
            }
        }
    }

    /// Sleeps, unless a server can take one more, or the client leaves. Whether a server can.
    async fn rest(
        &self,
        pause: Duration,
        client: &mut (dyn RequestBody + '_),
    ) -> Result<bool, Unanswered> {
        let mut sleep = std::pin::pin!(tokio::time::sleep(pause));
        let mut freed = std::pin::pin!(self.group.outage.freed.notified());
        poll_fn(|cx| {
            if freed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(true));
            }
            if sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(false));
            }
            let gone = !self.forward.ignore_client_abort && client.poll_closed(cx).is_ready();
            if gone { Poll::Ready(Err(Unanswered::Gone)) } else { Poll::Pending }
        })
        .await
    }
}

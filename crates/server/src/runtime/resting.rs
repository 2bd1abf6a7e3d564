//! Connections that wait to be asked, in the order in which they began to: those that have waited for
//! too long end, and one that has waited for longest makes room for another.

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::process::stall;

/// A time that is not reached.
pub(crate) const NEVER: Duration = Duration::from_hours(24 * 365 * 30);

/// The least time between two looks at who has waited for too long.
const PAUSE: Duration = Duration::from_millis(10);

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The connection is to make room, or nobody may be there for its next request.
    Dismissed,
    /// It has waited for as long as it may.
    Late,
}

/// All that wait.
#[derive(Debug)]
pub(crate) struct Resting {
    seats: RefCell<Seats>,
    dismissed: Cell<bool>,
    /// How many wait for room to be made.
    pressing: Cell<u32>,
    /// Nobody is late before that.
    next: Cell<Duration>,
    /// Told when that comes earlier than it was to.
    sooner: Notify,
}

#[derive(Debug)]
struct Seats {
    all: Vec<Place>,
    free: Vec<u32>,
    /// The ends of the line: who has waited for longest, and for the shortest time.
    ends: [Option<u32>; 2],
}

#[derive(Debug, Default)]
struct Place {
    waker: Option<Waker>,
    since: Duration,
    until: Duration,
    state: State,
    /// Who began to wait before and after.
    beside: [Option<u32>; 2],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Away,
    /// It waits, and stands in the line.
    Waits,
    /// It has been told, and stands there no more.
    Told(Over),
}

impl Resting {
    /// Nobody waits.
    pub(super) fn new() -> Self {
        let seats = Seats { all: Vec::new(), free: Vec::new(), ends: [None; 2] };
        Self {
            seats: RefCell::new(seats),
            dismissed: Cell::new(false),
            pressing: Cell::new(0),
            next: Cell::new(Duration::MAX),
            sooner: Notify::new(),
        }
    }

    /// A place for one connection, which it keeps for all its waits.
    pub(super) fn seat(&self) -> Seat<'_> {
        let mut seats = self.seats.borrow_mut();
        let number = seats.free.pop().unwrap_or_else(|| {
            seats.all.push(Place::default());
            u32::try_from(seats.all.len() - 1).unwrap_or(u32::MAX)
        });
        Seat { resting: self, number }
    }

    /// Ends all waits, those to come as well.
    pub(super) fn dismiss(&self) {
        self.dismissed.set(true);
        self.tell(Over::Dismissed, |_| true);
    }

    /// Ends all waits that have lasted so long.
    pub(super) fn press_all(&self, least: Duration) {
        let now = stall::now();
        self.tell(Over::Dismissed, |place| now.saturating_sub(place.since) >= least);
    }

    /// Ends the wait that has lasted longest, and for so long; `None` where nobody waits, false where
    /// that is too short. Until [`hold`](Self::hold), if that one is asked just now, the next makes
    /// room in its place.
    pub(super) fn press(&self, least: Duration) -> Option<bool> {
        let oldest = self.seats.borrow().ends[0]?;
        self.pressing.update(|number| number + 1);
        Some(self.press_one(oldest, least))
    }

    /// No room has to be made any more.
    pub(super) fn hold(&self) {
        self.pressing.update(|number| number.saturating_sub(1));
    }

    fn press_one(&self, oldest: u32, least: Duration) -> bool {
        let since = self.seats.borrow().since(oldest);
        let long = stall::now().saturating_sub(since) >= least;
        if long {
            let waker = self.seats.borrow_mut().tell(oldest, Over::Dismissed);
            wake(waker);
        }
        long
    }

    fn tell(&self, over: Over, whom: impl Fn(&Place) -> bool) {
        let mut wakers = Vec::new();
        let mut seats = self.seats.borrow_mut();
        for number in 0..u32::try_from(seats.all.len()).unwrap_or(u32::MAX) {
            let place = seats.place(number);
            if place.is_some_and(|place| place.state == State::Waits && whom(place)) {
                wakers.push(seats.tell(number, over));
            }
        }
        drop(seats);
        wakers.into_iter().for_each(wake);
    }

    /// Ends the waits that have lasted too long, for as long as the worker lasts.
    pub(crate) async fn look(&self) {
        loop {
            let left = self.next.get().saturating_sub(stall::now());
            if !left.is_zero() {
                let _ = timeout(left.min(NEVER), self.sooner.notified()).await;
                continue;
            }
            let now = stall::now();
            self.tell(Over::Late, |place| place.until <= now);
            self.next.set(self.seats.borrow().next().max(now + PAUSE));
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Seats {
    fn place(&mut self, number: u32) -> Option<&mut Place> {
        self.all.get_mut(number as usize)
    }

    fn since(&self, number: u32) -> Duration {
        self.all.get(number as usize).map_or(Duration::MAX, |place| place.since)
    }

    /// When the first is late of those that wait.
    fn next(&self) -> Duration {
        let waits = self.all.iter().filter(|place| place.state == State::Waits);
        waits.map(|place| place.until).min().unwrap_or(Duration::MAX)
    }

    /// Has one stand behind all others.
    fn enter(&mut self, number: u32, since: Duration, until: Duration) {
        self.leave(number, State::Away);
        let last = self.ends[1].replace(number);
        if let Some(place) = self.place(number) {
            (place.since, place.until, place.state) = (since, until, State::Waits);
            place.beside = [last, None];
        }
        match last.and_then(|last| self.place(last)) {
            Some(last) => last.beside[1] = Some(number),
            None => self.ends[0] = Some(number),
        }
    }

    /// Takes one out of the line, if it stands there; how it was.
    fn leave(&mut self, number: u32, state: State) -> State {
        let Some(place) = self.place(number) else { return State::Away };
        let before = std::mem::replace(&mut place.state, state);
        let [older, newer] = place.beside;
        if before != State::Waits {
            return before;
        }
        match older.and_then(|older| self.place(older)) {
            Some(older) => older.beside[1] = newer,
            None => self.ends[0] = newer,
        }
        match newer.and_then(|newer| self.place(newer)) {
            Some(newer) => newer.beside[0] = older,
            None => self.ends[1] = older,
        }
        before
    }

    fn tell(&mut self, number: u32, over: Over) -> Option<Waker> {
        self.leave(number, State::Told(over));
        self.place(number)?.waker.take()
    }
}

/// The place of one connection.
#[derive(Debug)]
pub(crate) struct Seat<'a> {
    resting: &'a Resting,
    number: u32,
}

impl Seat<'_> {
    /// Begins to wait, so long and no longer. To be asked in one task alone.
    pub(crate) fn rest(&self, patience: Duration) {
        let since = stall::latest();
        let until = since.saturating_add(patience);
        self.resting.seats.borrow_mut().enter(self.number, since, until);
        if until < self.resting.next.get() {
            self.resting.next.set(until);
            self.resting.sooner.notify_one();
        }
    }

    /// Whether the wait is over, and why.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Over> {
        let mut seats = self.resting.seats.borrow_mut();
        let Some(place) = seats.place(self.number) else { return Poll::Ready(Over::Dismissed) };
        if let State::Told(over) = place.state {
            place.state = State::Away;
            return Poll::Ready(over);
        }
        if self.resting.dismissed.get() {
            seats.leave(self.number, State::Away);
            return Poll::Ready(Over::Dismissed);
        }
        if !place.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            place.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Waits no more. Where it was to make room, another does.
    pub(crate) fn rise(&self) {
        let before = self.resting.seats.borrow_mut().leave(self.number, State::Away);
        if before == State::Told(Over::Dismissed) && self.resting.pressing.get() > 0 {
            let oldest = self.resting.seats.borrow().ends[0];
            oldest.map(|oldest| self.resting.press_one(oldest, Duration::ZERO));
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.rise();
        let mut seats = self.resting.seats.borrow_mut();
        if let Some(place) = seats.place(self.number) {
            place.waker = None;
        }
        seats.free.push(self.number);
    }
}

#[cfg(test)]
mod tests;

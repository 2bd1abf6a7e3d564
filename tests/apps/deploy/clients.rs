//! Clients that ask so many times a second, and what they saw.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use super::Change;
use super::site::WAIT;
use crate::harness::ask::Ask;
use crate::harness::client::Client;

/// What came of the requests of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub answered: u32,
    pub failed: u32,
}

/// What clients saw of one place.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub gets: Counts,
    /// Those that were not there while an application went away.
    pub posts: Counts,
    /// Those that were, from the signal until it was gone: it may have had them.
    pub in_flight: Counts,
    /// Those of a location that lets them be sent twice: `*_next_upstream … non_idempotent`.
    pub repeatable: Counts,
    /// What was seen instead of an answer.
    pub reasons: Vec<String>,
}

/// From the signal to an application until it was gone.
pub type Window = (Instant, Instant);

impl Counts {
    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {}", self.answered + self.failed, self.failed)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {} | {} | {}", self.gets, self.posts, self.in_flight, self.repeatable)
    }
}

impl Seen {
    pub fn add(&mut self, other: &Self) {
        self.gets.add(other.gets);
        self.posts.add(other.posts);
        self.in_flight.add(other.in_flight);
        self.repeatable.add(other.repeatable);
        self.reasons.extend_from_slice(&other.reasons);
    }

    /// How many of each kind have failed that must not.
    pub fn failed(&self, change: Change) -> [u32; 4] {
        let in_flight = if change.cuts() { 0 } else { self.in_flight.failed };
        [self.gets.failed, self.posts.failed, in_flight, self.repeatable.failed]
    }
}

/// A request that was made.
struct Asked {
    kind: usize,
    begun: Instant,
    ended: Instant,
    /// What came instead of its answer.
    failure: Option<String>,
}

/// Who asks one server for one kind of application.
pub struct Asking {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Vec<Asked>>,
}

impl Asking {
    /// Begins to ask so many times a second, by GET and by POST, whether or not answers have come.
    pub fn begin(client: Client, rate: u32) -> Self {
        let stop = Arc::default();
        let task = tokio::spawn(ask(client, rate, Arc::clone(&stop)));
        Self { stop, task }
    }

    /// Asks no more, and waits for all answers.
    pub async fn end(self, windows: &[Window]) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut seen = Seen::default();
        for Asked { kind, begun, ended, failure } in self.task.await.expect("clients end") {
            let meets = |(from, to): &Window| begun <= *to && ended >= *from;
            let counts = match kind {
                0 => &mut seen.gets,
                1 if windows.iter().any(meets) => &mut seen.in_flight,
                1 => &mut seen.posts,
                _ => &mut seen.repeatable,
            };
            let failed = failure.is_some();
            counts.add(Counts { answered: (!failed).into(), failed: failed.into() });
            seen.reasons.extend(failure);
        }
        seen
    }
}

async fn ask(client: Client, rate: u32, stop: Arc<AtomicBool>) -> Vec<Asked> {
    let body = "x".repeat(2000);
    let (post, again) = (format!("POST /posted || {body}"), format!("POST /again || {body}"));
    let asks = ["GET /got", &post, &again].map(str::to_owned);
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = JoinSet::new();
    let mut kinds = (0..asks.len()).cycle();
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let kind = kinds.next().unwrap_or(0);
        let ask = asks[kind].clone();
        asked.spawn(async move {
            let ask = Ask::of(&ask);
            let mut connection = client.connect().await.with_patience(WAIT * 2);
            let begun = Instant::now();
            connection.send(&ask.bytes).await;
            let answer = connection.try_answer(&ask.method).await;
            let (expected, ended) = (if kind == 0 { "got" } else { "2000" }, Instant::now());
            let failure = match answer {
                Ok(answer) if answer.status == 200 && answer.text() == expected => None,
                Ok(answer) => Some(answer.status_line),
                Err(why) => Some(why),
            };
            let took = ended.duration_since(begun);
            let failure = failure.map(|why| format!("{} after {took:.1?}: {why}", ask.method));
            Asked { kind, begun, ended, failure }
        });
    }
    asked.join_all().await
}

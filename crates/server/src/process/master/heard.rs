//! What the master is told, by signals and over its socket, and which of it does not wait for the rest.

use std::collections::VecDeque;
use std::future::Future;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::process::admin::{Ask, Request};
use crate::process::signal::{Signals, Word};

/// What the master is told.
pub(super) enum Told {
    /// By a signal.
    Word(Word),
    /// Over the socket.
    Ask(Ask),
}

/// What comes before something that may have to wait for others, a worker process that stands still
/// among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Yields {
    /// The word to end at once.
    ToStop,
    /// Any word to end: it would change what ends anyway.
    ToEnd,
}

impl Told {
    /// What comes before it.
    pub(super) fn yields(&self) -> Yields {
        match self {
            Self::Word(Word::Reload)
            | Self::Ask(Ask { request: Request::Reload | Request::Upstream(_), .. }) => {
                Yields::ToEnd
            }
            // An upgrade is for the time after this one's end, and the others take no more than moments.
            _ => Yields::ToStop,
        }
    }
}

/// Where the master is told something.
pub(super) struct Heard {
    signals: Signals,
    asks: Option<UnboundedReceiver<Ask>>,
    /// Those who asked while something else was under way.
    later: VecDeque<Ask>,
}

impl Heard {
    pub(super) fn new(signals: Signals, asks: Option<UnboundedReceiver<Ask>>) -> Self {
        Self { signals, asks, later: VecDeque::new() }
    }

    /// The next that it is told.
    pub(super) async fn next(&mut self) -> Told {
        if let Some(ask) = self.later.pop_front() {
            return Told::Ask(ask);
        }
        tokio::select! {
            word = self.signals.next() => Told::Word(word),
            Some(ask) = asked(&mut self.asks) => Told::Ask(ask),
        }
    }

    /// Does something until it has to yield; to what. What is given up then goes no further.
    pub(super) async fn unless_ended(
        &mut self,
        yields: Yields,
        work: impl Future<Output = ()>,
    ) -> Option<Told> {
        tokio::select! {
            biased;
            () = work => None,
            told = self.end(yields) => Some(told),
        }
    }

    /// The next word to end; the others wait.
    async fn end(&mut self, yields: Yields) -> Told {
        let any = yields == Yields::ToEnd;
        loop {
            tokio::select! {
                word = self.signals.end(any) => return Told::Word(word),
                Some(ask) = asked(&mut self.asks), if any => match ask.request {
                    Request::Quit => return Told::Ask(ask),
                    _ => self.later.push_back(ask),
                },
            }
        }
    }
}

async fn asked(asks: &mut Option<UnboundedReceiver<Ask>>) -> Option<Ask> {
    match asks {
        Some(asks) => asks.recv().await,
        None => std::future::pending().await,
    }
}

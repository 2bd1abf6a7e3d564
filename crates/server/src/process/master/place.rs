//! Where requests are served: in this process, in the worker process, or nowhere.

use std::io;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use tidegate_config::http::error_log::Level;
use tidegate_http::log::ProcessLog;
use tidegate_http::log::file::LogFiles;

use super::Master;
use crate::process::child::Child;
use crate::process::memory::Memory;
use crate::process::serving::Serving;
use crate::process::worker::State;

/// Where requests are served.
pub(in crate::process) enum Place {
    /// In this process.
    Here(Box<Serving>),
    /// In the worker process.
    There(Child),
    /// Nowhere: the worker process has died, and another is due at a moment; or nobody shall.
    Nowhere(Option<Instant>),
}

impl Place {
    /// Whether nobody serves there any more.
    pub(super) fn has_ended(&mut self) -> bool {
        match self {
            Self::Here(serving) => serving.has_ended(),
            Self::There(child) => child.has_ended(),
            Self::Nowhere(_) => true,
        }
    }

    /// What is known there of clients and servers.
    pub(super) async fn memory(&mut self) -> Option<Memory> {
        match self {
            Self::Here(serving) => Some(serving.memory()),
            Self::There(child) => child.memory().await,
            Self::Nowhere(_) => None,
        }
    }

    /// Ways there, and to those who serve beside it.
    async fn ways(&mut self) -> Option<Memory> {
        match self {
            Self::Here(serving) => Some(Memory { file: None, ways: serving.ways() }),
            Self::There(child) => child.ways().await,
            Self::Nowhere(_) => None,
        }
    }

    /// Lets what was built there hold; ready when it does for every request from then on.
    pub(super) async fn commit(&mut self) -> Result<()> {
        match self {
            Self::Here(serving) => {
                serving.commit()?;
                serving.adopted().await;
                Ok(())
            }
            Self::There(child) => child.commit().await,
            Self::Nowhere(_) => Ok(()),
        }
    }

    /// Writes there to logs that were opened anew.
    pub(super) fn replace_logs(&self, logs: &LogFiles, log: &ProcessLog) {
        match self {
            Self::Here(serving) => {
                let paths = logs.paths().map(Path::to_path_buf);
                serving.replace_logs(&paths.zip(logs.handles()).collect());
            }
            Self::There(child) => tell_deaf(child.replace_logs(logs), log),
            Self::Nowhere(_) => {}
        }
    }

    /// Lets go of what was built there and is not to hold.
    pub(super) fn forget(&mut self, log: &ProcessLog) {
        match self {
            Self::Here(serving) => serving.forget(),
            Self::There(child) => tell_deaf(child.forget(), log),
            Self::Nowhere(_) => {}
        }
    }

    /// Orders those who serve there to end, while others serve; ready when they take no more
    /// connections.
    pub(super) async fn leave(&mut self, log: &ProcessLog) {
        match self {
            Self::There(child) => tell_deaf(child.leave().await, log),
            _ => self.order(State::Leaving, log),
        }
    }

    /// Orders those who serve there to end.
    pub(super) fn order(&mut self, state: State, log: &ProcessLog) {
        match self {
            Self::Here(serving) => serving.order(state),
            Self::There(child) => tell_deaf(child.order(state), log),
            Self::Nowhere(_) => {}
        }
    }
}

/// What cannot be told to a worker process is told in the log.
fn tell_deaf(told: io::Result<()>, log: &ProcessLog) {
    if let Err(error) = told {
        log.tell(Level::Alert, &format!("the worker process is deaf: {error}"));
    }
}

impl Master {
    /// What one who begins to serve goes on with: all that whoever serves knows, or, where nobody does,
    /// ways to those who finish what they have begun.
    pub(super) async fn known(&mut self) -> Option<Memory> {
        if let Some(memory) = self.parts.place.memory().await {
            return Some(memory);
        }
        for place in &mut self.leaving {
            if let Some(ways) = place.ways().await {
                return Some(ways);
            }
        }
        None
    }
}

/// One that is given up before it serves must not stay, neither as a process nor as a dead one that
/// nobody has buried.
impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Ready when nobody serves any more. One's own threads end only when they are told.
pub(super) async fn ended(place: &mut Place, running: bool) {
    match place {
        Place::There(child) => child.ended().await,
        Place::Here(serving) if !running => serving.ended().await,
        Place::Here(_) | Place::Nowhere(_) => std::future::pending().await,
    }
}

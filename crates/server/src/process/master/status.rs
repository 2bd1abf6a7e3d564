//! How the server is, for people.

use std::time::{Duration, SystemTime};

use super::{Master, Place};
use crate::process::worker::State;

impl Master {
    /// How the server is.
    pub(super) async fn status(&mut self) -> String {
        let numbers = match &mut self.parts.place {
            Place::Here(serving) => Some(serving.numbers()),
            Place::There(child) => child.numbers().await,
            Place::Nowhere(_) => None,
        };
        let place = match &self.parts.place {
            Place::Here(_) => "serves itself".to_owned(),
            Place::There(child) => format!("worker process {}", child.pid()),
            Place::Nowhere(_) => "no worker process".to_owned(),
        };
        let state = match self.state {
            State::Running if self.resting => "resting",
            State::Running => "running",
            State::Draining => "draining",
            State::Stopping => "stopping",
        };
        let age = SystemTime::now().duration_since(self.started).unwrap_or(Duration::ZERO);
        let mut text = format!(
            "tidegate/{}: {state} for {} s, process {}, {place}\nconfiguration: {}, reloaded {} times\n",
            env!("CARGO_PKG_VERSION"),
            age.as_secs(),
            std::process::id(),
            self.parts.source.path.display(),
            self.reloads
        );
        if let Some((accepted, active, requests)) = numbers {
            let lines =
                format!("connections: {active} open, {accepted} accepted\nrequests: {requests}\n");
            text.push_str(&lines);
        }
        text
    }
}

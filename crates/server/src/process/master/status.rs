//! How the server is and what it has logged, for people.

use std::time::{Duration, SystemTime};

use tidegate_http::log::memory;

use super::{Master, Place};
use crate::process::serving::Numbers;
use crate::process::worker::State;

impl Master {
    /// How the server is.
    pub(super) async fn status(&mut self) -> String {
        let numbers = self.numbers().await;
        let place = match &self.parts.place {
            Place::Here(_) => "serves itself".to_owned(),
            Place::There(child) => format!("worker process {}", child.pid()),
            Place::Nowhere(_) => "no worker process".to_owned(),
        };
        let state = match self.state {
            State::Running if self.resting => "resting",
            State::Running => "running",
            State::Leaving | State::Draining => "draining",
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
        if let Some(numbers) = numbers {
            let Numbers { accepted, active, requests, turned_away, upstreams, each } = numbers;
            let each: Vec<String> = each.iter().map(u64::to_string).collect();
            let lines = format!(
                "connections: {active} open, {accepted} accepted, {turned_away} turned away; of each worker: {}\nrequests: {requests}\n{upstreams}",
                each.join(" ")
            );
            text.push_str(&lines);
        }
        text
    }

    /// What has been counted by whoever serves; `None` where nobody does.
    pub(super) async fn numbers(&mut self) -> Option<Numbers> {
        match &mut self.parts.place {
            Place::Here(serving) => Some(serving.numbers()),
            Place::There(child) => child.numbers().await,
            Place::Nowhere(_) => None,
        }
    }

    /// What logs in memory have, of this process and of the one that serves, in the order of time.
    pub(super) async fn log_in_memory(&mut self) -> String {
        let mut text = memory::kept(usize::MAX);
        if let Place::There(child) = &mut self.parts.place {
            text.extend(child.log().await.unwrap_or_default());
        }
        let text = String::from_utf8_lossy(&text);
        let mut lines: Vec<&str> = text.lines().collect();
        // A line begins with its second.
        lines.sort_by_key(|line| line.split(['[', ',']).next());
        lines.iter().flat_map(|line| [line, "\n"]).collect()
    }
}

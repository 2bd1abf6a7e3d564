//! The way of a request, step by step.

use bytes::Bytes;
use tidegate_config::applying::step;
use tidegate_config::block::Location;
use tidegate_config::http::error_log::Level;
use tidegate_http::trace::{Event, Noted, Outcome};

use super::{Line, Place, Story};

impl Story<'_, '_> {
    pub(super) fn steps(&self) -> Vec<Line> {
        self.events.iter().filter_map(|noted| self.line(noted)).collect()
    }

    fn line(&self, noted: &Noted<'_>) -> Option<Line> {
        let line = |what, name: String, told: String, at| {
            Some(Line { what, name, told, at, within: noted.within })
        };
        match &noted.event {
            Event::Step { level, number, outcome } => {
                let levels = self.levels(level);
                let said = levels.last().and_then(|level| step(level, *number))?;
                line("step", self.written(said), told(outcome), self.at(said.span))
            }
            Event::Searched(path) => {
                line("find", shown(path, None), "a location is looked for".to_owned(), None)
            }
            Event::Found(location, why) => {
                let (name, at) = (self.heading(location), self.at_level(location));
                line("location", name, (*why).to_owned(), at)
            }
            Event::ErrorPage(status, to) => {
                let at = self.said(noted.at, "error_page");
                line("error_page", status.to_string(), format!("leads to {}", shown(to, None)), at)
            }
            Event::Redirected(path, args) => {
                let to = shown(path, args.as_ref());
                line(
                    "go on",
                    to,
                    "the URI is this now, from the server's level on".to_owned(),
                    None,
                )
            }
            Event::Tried { by, path, there } => {
                let told = if *there { "is there" } else { "is not there" };
                let at = self.said(noted.at, by);
                line(by, path.display().to_string(), told.to_owned(), at)
            }
            Event::Assumed(what) => {
                line("assumed", what.clone(), "nobody is asked".to_owned(), None)
            }
            Event::Logged(Level::Debug, _) => None,
            Event::Logged(level, text) => {
                let level = Level::WORDS.get(*level as usize).copied().unwrap_or_default();
                line("log", level.to_owned(), text.clone(), None)
            }
        }
    }

    /// Where a directive is said that holds at a level: the nearest one.
    fn said(&self, level: &Location, name: &str) -> Option<Place> {
        let levels = self.levels(level);
        let near = levels
            .iter()
            .rev()
            .find_map(|level| level.body().iter().find(|statement| statement.name.text == name));
        near.and_then(|statement| self.at(statement.span))
    }
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Value(value) => format!("is \"{}\" now", value.escape_ascii()),
        Outcome::Holds(true) => "holds".to_owned(),
        Outcome::Holds(false) => "does not hold".to_owned(),
        Outcome::Uri(path, args) => {
            format!("matches: the URI is {} now", shown(path, args.as_ref()))
        }
        Outcome::Ends => "ends the steps".to_owned(),
    }
}

/// Path and query for a person.
fn shown(path: &Bytes, args: Option<&Bytes>) -> String {
    let path = String::from_utf8_lossy(path);
    match args.filter(|args| !args.is_empty()) {
        Some(args) => format!("{path}?{}", String::from_utf8_lossy(args)),
        None => path.into_owned(),
    }
}

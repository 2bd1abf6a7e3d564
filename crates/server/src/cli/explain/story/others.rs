//! The locations that a request has not come to, and why.

use tidegate_config::block::Location;
use tidegate_config::block::location::LocationName;
use tidegate_http::trace::Event;

use super::{Line, Story};

/// Why locations are not taken that are about other URIs.
pub(in crate::cli::explain) const ELSEWHERE: [&str; 4] = [
    "the URI is not exactly its name",
    "the URI does not begin with its name",
    "the URI does not match",
    "the one around it is not",
];

impl<'e> Story<'_, 'e> {
    /// All locations of the server that the last search has passed by.
    pub(super) fn others(&self) -> Vec<Line> {
        let own: Vec<_> = self.events.iter().filter(|noted| !noted.within).collect();
        let start = own.iter().rposition(|noted| matches!(noted.event, Event::Searched(_)));
        let Some(start) = start else { return Vec::new() };
        let (mut path, mut found) = (&b""[..], Vec::new());
        for noted in own.iter().skip(start) {
            match &noted.event {
                Event::Searched(uri) => path = uri,
                Event::Found(location, _) => found.push(*location),
                _ => {}
            }
        }
        let mut lines = Vec::new();
        self.passed(&self.ex.server.location, (path, &found), true, &mut lines);
        lines
    }

    fn passed(
        &self,
        level: &'e Location,
        (path, found): (&[u8], &[&Location]),
        entered: bool,
        lines: &mut Vec<Line>,
    ) {
        for location in level.locations.all() {
            let taken = found.iter().any(|found| std::ptr::eq(*found, location));
            if !taken {
                let told = if entered { why(location, path) } else { ELSEWHERE[3] };
                let (name, at) = (self.heading(location), self.at_level(location));
                let told = told.to_owned();
                lines.push(Line { what: "location", name, told, at, within: false });
            }
            self.passed(location, (path, found), entered && taken, lines);
        }
    }
}

/// Why a location is not the one, though the one around it is.
fn why(location: &Location, path: &[u8]) -> &'static str {
    match &location.name {
        LocationName::Exact(_) => ELSEWHERE[0],
        LocationName::Prefix { prefix, .. } if path.starts_with(prefix) => {
            "the URI begins with its name, but also with a longer one, or is one exactly"
        }
        LocationName::Prefix { .. } => ELSEWHERE[1],
        LocationName::Regex(pattern) => match pattern.regex.is_match(path) {
            Ok(true) => "not tried: the location was decided before it",
            Ok(false) => ELSEWHERE[2],
            Err(_) => "its expression takes too many steps",
        },
        LocationName::Named(_) => "only `try_files`, `error_page` and their like lead to it",
        LocationName::None => "",
    }
}

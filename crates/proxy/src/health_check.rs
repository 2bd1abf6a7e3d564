//! `health_check`: asks a server as a request of its location would, and judges its answer.

mod grpc;
mod judge;
mod probe;

use bytes::Bytes;
use http::Method;
use tidegate_config::block::{Http, Location, Server};
use tidegate_config::http::health_check::expected::Expected;
use tidegate_config::http::health_check::{HealthCheck, Kind};
use tidegate_config::http::pass::{Destination, Pass};
use tidegate_config::names;
use tidegate_http::head::{RequestHead, Version};
use tidegate_http::headers::Headers;
use tidegate_http::uri::Uri;

pub use probe::{Doubt, Target, probe};

use crate::upstream::Upstreams;
use crate::upstream::health::Rule;

/// A check, and where it is said.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The server.
    pub server: &'a Server,
    /// The location.
    pub location: &'a Location,
    /// Whom its requests are forwarded to.
    pub pass: &'a Pass,
    /// The group of them.
    pub group: names::Group,
    /// What is said.
    pub check: &'a HealthCheck,
    /// What an answer must be like, where that is said.
    pub expected: Option<&'a Expected>,
    /// Which of the checks of its group it is.
    pub number: usize,
}

/// All checks of a configuration.
pub fn places(http: &Http) -> Vec<Place<'_>> {
    let mut found: Vec<Place<'_>> = Vec::new();
    for server in &http.servers {
        for location in server.location.locations.all() {
            find(http, server, location, &mut found);
        }
    }
    found
}

fn find<'a>(
    http: &'a Http,
    server: &'a Server,
    location: &'a Location,
    found: &mut Vec<Place<'a>>,
) {
    for check in &location.health_check.checks {
        let Some(pass) = &location.pass.to else { continue };
        let Destination::Group { group, .. } = pass.to else { continue };
        let expected = check.expected.as_ref();
        let expected = expected
            .and_then(|word| http.matches.iter().find(|expected| expected.name == word.text));
        let number = found.iter().filter(|place| place.group == group).count();
        found.push(Place { server, location, pass, group, check, expected, number });
    }
    for inner in location.locations.all() {
        find(http, server, inner, found);
    }
}

/// What the checks of a group go by, in order.
pub(crate) fn rules(places: &[Place<'_>], group: names::Group) -> Vec<Rule> {
    let own = places.iter().filter(|place| place.group == group);
    let rule = |place: &Place<'_>| Rule {
        fails: place.check.fails,
        passes: place.check.passes,
        mandatory: place.check.mandatory,
        persistent: place.check.persistent,
    };
    own.map(rule).collect()
}

/// The configuration holds from now on: all its groups go by its checks.
pub fn adopt(http: &Http, upstreams: &Upstreams) {
    let places = places(http);
    for number in 0..http.upstreams.len() {
        let number = names::Group(number);
        if let Some(group) = upstreams.get(number) {
            let mut rules = rules(&places, number);
            for rule in &mut rules {
                rule.persistent |= upstreams.changed;
            }
            group.adopt(rules);
        }
    }
}

/// The head of the request that a check makes.
pub fn head(check: &HealthCheck) -> RequestHead {
    let mut headers = Headers::new();
    headers.push("User-Agent", concat!("tidegate/", env!("CARGO_PKG_VERSION"), " (health check)"));
    let mut method = Method::GET;
    let mut uri = check.uri.as_str();
    let mut content_length = None;
    if let Kind::Grpc { service, .. } = &check.kind {
        headers.push("Content-Type", "application/grpc");
        headers.push("TE", "trailers");
        method = Method::POST;
        uri = "/grpc.health.v1.Health/Check";
        content_length = Some(grpc::question(service).len() as u64);
    }
    let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let (path, args) = match uri.split_once('?') {
        Some((path, args)) => (path, Some(text(args))),
        None => (uri, None),
    };
    RequestHead {
        line: format!("{method} {uri} HTTP/1.1").into(),
        method,
        target: text(uri),
        uri: Uri { path: text(path), args },
        version: Version::Http11,
        protocol: Bytes::from_static(b"HTTP/1.1"),
        headers,
        content_length,
        ..RequestHead::default()
    }
}

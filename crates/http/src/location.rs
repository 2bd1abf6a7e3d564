//! Finding the location that a URI belongs to.

use bytes::Bytes;
use http::Method;
use tidegate_config::block::location::{LocationName, Locations};
use tidegate_config::http::error_log::Level;

use crate::exchange::Exchange;
use crate::response::Response;
use crate::stop::Stop;
use crate::trace::Event;
use crate::uri::escape::{Escape, escape};

/// Finds the location of the URI (nginx: `ngx_http_core_find_config_phase`). One that is `internal`
/// is not found by clients; one that forwards, and has a slash where the URI has none, sends them to
/// it; a body that is too long for it is refused.
pub fn find(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let server = ex.server;
    ex.location = &server.location;
    ex.in_location = true;
    ex.note(|| Event::Searched(ex.uri.clone()));
    let found = search(ex, &server.location.locations);
    ex.judged()?;
    if ex.location.internal.enabled && !ex.internal {
        return Err(Stop::Status(404));
    }
    ex.limit_methods();
    check_length(ex)?;
    if found == Found::Slash { Err(to_slash(ex)) } else { Ok(()) }
}

/// Goes on in a named location, from its rewrites on (nginx: `ngx_http_named_location`).
pub fn named(ex: &mut Exchange<'_>, name: &str) -> Result<(), Stop> {
    if !ex.spend_redirect() {
        return Err(ex.cycle(&format!("while redirect to named location \"{name}\"")));
    }
    let Some(location) = ex.server.location.locations.named(name) else {
        ex.log(Level::Error, &format!("could not find named location \"{name}\""));
        return Err(Stop::Status(500));
    };
    ex.location = location;
    ex.look(location, "it was named");
    ex.internal = true;
    ex.behind_alias = false;
    ex.limit_methods();
    Ok(())
}

impl Exchange<'_> {
    /// The location's `limit_except`, where it is about this method, holds in its place.
    pub(crate) fn limit_methods(&mut self) {
        let location = self.location;
        let Some(limit) = &location.limit_except else { return };
        let method = self.request.method.as_str();
        let asked = if self.request.method == Method::HEAD { "GET" } else { method };
        if !limit.methods.iter().any(|listed| listed == method || listed == asked) {
            self.location = &limit.location;
        }
    }
}

/// Why a client is sent to a name with a slash.
const SLASH: &str = "its name is the URI and a slash, where the client is sent";

/// What a search has come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// No location, or the one with the longest prefix: an expression may have a better.
    Maybe,
    /// The location.
    Surely,
    /// A location whose name is the URI and a slash: the client is sent there.
    Slash,
}

/// nginx: `ngx_http_core_find_location`
fn search<'a>(ex: &mut Exchange<'a>, level: &'a Locations) -> Found {
    if level.is_empty() {
        return Found::Maybe;
    }
    if let Some(location) = level.exact(&ex.uri) {
        ex.location = location;
        ex.look(location, "the URI is exactly its name");
        return Found::Surely;
    }
    let mut no_regex = false;
    if let Some(location) = level.longest_prefix(&ex.uri) {
        let LocationName::Prefix { prefix, no_regex: no } = &location.name else {
            return Found::Maybe;
        };
        no_regex = *no;
        if prefix.len() != ex.uri.len()
            && let Some(location) = level.slashed(&ex.uri)
        {
            ex.location = location;
            ex.look(location, SLASH);
            return Found::Slash;
        }
        ex.location = location;
        ex.look(location, "its name is the longest that the URI begins with");
        match search(ex, &location.locations) {
            Found::Maybe => {}
            found => return found,
        }
    } else if let Some(location) = level.slashed(&ex.uri) {
        ex.location = location;
        ex.look(location, SLASH);
        return Found::Slash;
    }
    if no_regex || !level.has_regexes() {
        return Found::Maybe;
    }
    by_regex(ex, level)
}

/// Apart from the search, so that requests for which there is no expression do not pay for it.
#[inline(never)]
fn by_regex<'a>(ex: &mut Exchange<'a>, level: &'a Locations) -> Found {
    let uri = ex.uri.clone();
    let Some(location) = level.by_regex(&uri, |pattern| ex.matches(pattern, &uri)) else {
        return Found::Maybe;
    };
    ex.location = location;
    ex.look(location, "its expression is the first that matches");
    search(ex, &location.locations);
    Found::Surely
}

fn to_slash(ex: &Exchange<'_>) -> Stop {
    let mut location = escape(&ex.uri, Escape::Uri).into_owned();
    location.push(b'/');
    if let Some(args) = ex.args.as_ref().filter(|args| !args.is_empty()) {
        location.push(b'?');
        location.extend_from_slice(args);
    }
    let location = Some(Bytes::from(location));
    Stop::Special(Box::new(Response { location, ..Response::new(301) }))
}

/// Refuses a body that is longer than the location takes. An error page may lead anywhere.
fn check_length(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let body = &ex.location.client_body;
    let most = body.max_size.0;
    ex.body.set_limits(body.timeout, (most > 0).then_some(most));
    if ex.internal {
        return Ok(());
    }
    match ex.request.content_length {
        Some(length) if most > 0 && length > most => {
            let message = format!("client intended to send too large body: {length} bytes");
            ex.log(Level::Error, &message);
            Err(Stop::Status(413))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::outcome;

    #[test]
    fn locations_are_found_in_nginxs_order() {
        let server = "server {
            location = /exact { return 200 exact; }
            location / { return 200 root; }
            location /a/ { return 200 a; location /a/b/ { return 200 a-b; } }
            location ^~ /sure/ { return 200 sure; }
            location ~ \\.gif$ { return 200 gif; }
            location ~* \\.(?<kind>PNG)$ { return 200 $kind; }
        }";
        for (line, expected) in [
            ("GET /exact", "exact"),
            ("GET /exact/", "root"),
            ("GET /a/x", "a"),
            ("GET /a/b/x", "a-b"),
            ("GET /a/x.gif", "gif"),
            ("GET /sure/x.gif", "sure"),
            ("GET /x.PnG", "PnG"),
            ("GET /x.GIF", "root"),
        ] {
            assert_eq!(outcome(server, line), expected, "{line}");
        }
    }

    #[test]
    fn a_slash_is_added_for_what_forwards() {
        let server = "server {
            location /app/ { proxy_pass http://127.0.0.1:1; }
            location /files/ { root /tmp; }
            location = /here { return 200 here; }
            location /here/ { proxy_pass http://127.0.0.1:1; }
        }";
        assert_eq!(outcome(server, "GET /app?x=1"), "301 /app/?x=1");
        assert_eq!(outcome(server, "GET /files"), "content /files");
        assert_eq!(outcome(server, "GET /here"), "here");
    }

    #[test]
    fn clients_do_not_find_what_is_internal() {
        let server = "server {
            location /secret { internal; return 200 secret; }
            location /open { rewrite ^ /secret; }
        }";
        assert_eq!(outcome(server, "GET /secret"), "status 404");
        assert_eq!(outcome(server, "GET /open"), "secret");
    }

    #[test]
    fn limit_except_is_for_all_other_methods() {
        let server = "server { location / { limit_except GET { deny all; } } }";
        assert_eq!(outcome(server, "GET /"), "content /");
        assert_eq!(outcome(server, "HEAD /"), "content /");
        assert_eq!(outcome(server, "POST /"), "status 403");
    }
}

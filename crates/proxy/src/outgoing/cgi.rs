//! Requests to CGI's heirs: an application is told of the request by named parameters.

use std::rc::Rc;

use bytes::Bytes;
use http::Method;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::uwsgi::Param;
use tidegate_config::value::template::{Part, Template};
use tidegate_config::variable::{Builtin, Variable};
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

use super::Outgoing;
use crate::content::Content;
use crate::protocol::Codec;
use crate::protocol::fastcgi::{self, Fastcgi};
use crate::protocol::scgi::Scgi;
use crate::protocol::uwsgi::{Packet, Uwsgi};
use crate::request;

/// uWSGI refuses more, where it is not told otherwise, and says so only in its own log.
const USUAL_BUFFER: usize = 4096;

/// As `uwsgi_pass` sends it.
pub(crate) fn over_uwsgi(
    ex: &mut Exchange<'_>,
    content: Content,
    forward: &Forward,
) -> Result<Outgoing, Stop> {
    let uwsgi = &*ex.location.uwsgi;
    let packet = Packet {
        modifier1: uwsgi.modifier1 as u8,
        modifier2: uwsgi.modifier2 as u8,
        params: params(ex, &uwsgi.params, forward),
        string: uwsgi.string.as_ref().map(|string| ex.render(string)).unwrap_or_default(),
        head_only: ex.method == Method::HEAD,
        upgrade: ex.request.headers.contains("Upgrade"),
    };
    let codec = Uwsgi::new(&packet).map_err(|error| {
        ex.log(Level::Alert, &error.to_string());
        Stop::Status(500)
    })?;
    let size = codec.head().len().saturating_sub(4);
    let hint = (size > USUAL_BUFFER)
        .then(|| format!("uwsgi vars {size} bytes; uWSGI's default buffer-size is {USUAL_BUFFER}"));
    let content = passed_on(content, forward);
    Ok(Outgoing { codec: Rc::new(codec), content, url: ("uwsgi", Bytes::new()), hint })
}

/// As `scgi_pass` sends it.
pub(crate) fn over_scgi(ex: &mut Exchange<'_>, content: Content, forward: &Forward) -> Outgoing {
    let params = params(ex, &ex.location.scgi.params, forward);
    let content = passed_on(content, forward);
    // One that is still coming has told its length.
    let length = content.len().or(ex.request.content_length).unwrap_or(0);
    let codec = Rc::new(Scgi::new(length, &params, ex.method == Method::HEAD));
    Outgoing { codec, content, url: ("scgi", Bytes::new()), hint: None }
}

/// As `fastcgi_pass` sends it.
pub(crate) fn over_fastcgi(ex: &mut Exchange<'_>, content: Content, forward: &Forward) -> Outgoing {
    let settings = &*ex.location.fastcgi;
    let request = fastcgi::Request {
        params: params(ex, &settings.params, forward),
        keep: settings.keep_conn,
        head_only: ex.method == Method::HEAD,
        caught: settings.catch_stderr.clone(),
    };
    let codec = Rc::new(Fastcgi::new(&request));
    let content = passed_on(content, forward);
    Outgoing { codec, content, url: ("fastcgi", Bytes::new()), hint: None }
}

fn passed_on(content: Content, forward: &Forward) -> Content {
    if forward.pass_request_body { content } else { Content::Memory(Bytes::new()) }
}

/// What the configuration tells an application, then what the client's fields say.
fn params(ex: &mut Exchange<'_>, configured: &[Param], forward: &Forward) -> Vec<(Bytes, Bytes)> {
    let mut params = Vec::with_capacity(configured.len() + 24);
    for param in configured {
        let value = ex.render(&param.value);
        if !(param.if_not_empty && value.is_empty()) {
            params.push((param.name.clone(), value));
        }
    }
    if !configured.iter().any(|param| param.name == "HTTP_HOST") {
        let host = ex.render(&host_and_port());
        if !host.is_empty() {
            params.push((Bytes::from_static(b"HTTP_HOST"), host));
        }
    }
    if forward.pass_request_headers {
        request::add_fields(&mut params, configured, &ex.request.headers);
    }
    params
}

/// `$host$is_request_port$request_port`
fn host_and_port() -> Template {
    let variable = |builtin| Part::Variable(Variable::Builtin(builtin));
    let parts = [Builtin::Host, Builtin::IsRequestPort, Builtin::RequestPort].map(variable);
    Template { parts: parts.into() }
}

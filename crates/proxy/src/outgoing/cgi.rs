//! Requests to CGI's heirs: an application is told of the request by named parameters.

use std::rc::Rc;
use std::sync::LazyLock;

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
use crate::protocol::params::{Pairs, Params};
use crate::protocol::scgi::Scgi;
use crate::protocol::uwsgi::Draft;
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
    let mut draft = Draft::new(uwsgi.modifier1 as u8, uwsgi.modifier2 as u8);
    put(ex, &uwsgi.params, forward, &mut draft);
    if let Some(string) = &uwsgi.string {
        ex.write(string, draft.value());
    }
    let (head_only, upgrade) = (ex.method == Method::HEAD, ex.request.headers.contains("Upgrade"));
    let codec = draft.finish(head_only, upgrade).map_err(|error| {
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

fn params(ex: &mut Exchange<'_>, configured: &[Param], forward: &Forward) -> Vec<(Bytes, Bytes)> {
    let mut pairs = Pairs::default();
    put(ex, configured, forward, &mut pairs);
    pairs.into_list()
}

/// Puts down what the configuration tells an application, then what the client's fields say.
fn put(ex: &mut Exchange<'_>, configured: &[Param], forward: &Forward, params: &mut impl Params) {
    let (mut has_host, mut has_fields) = (false, false);
    for param in configured {
        let Param { name, value, if_not_empty, .. } = param;
        if name.starts_with(request::PREFIX) {
            has_fields = true;
            has_host |= name == "HTTP_HOST";
        }
        params.begin_known(param);
        ex.write(value, params.value());
        if *if_not_empty && params.is_empty() {
            params.forget();
        } else {
            params.end();
        }
    }
    if !has_host {
        let host = &*HOST;
        params.begin_known(host);
        ex.write(&host.value, params.value());
        if params.is_empty() { params.forget() } else { params.end() }
    }
    if forward.pass_request_headers {
        let fields = if has_fields { configured } else { &[] };
        request::add_fields(params, fields, &ex.request.headers);
    }
}

/// `HTTP_HOST`, `$host$is_request_port$request_port`.
static HOST: LazyLock<Param> = LazyLock::new(|| {
    let variable = |builtin| Part::Variable(Variable::Builtin(builtin));
    let parts = [Builtin::Host, Builtin::IsRequestPort, Builtin::RequestPort].map(variable);
    Param::new(b"HTTP_HOST", Template { parts: parts.into() })
});

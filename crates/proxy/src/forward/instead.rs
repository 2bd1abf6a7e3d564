//! What answers in the place of an upstream's answer.

use bytes::Bytes;
use http::Method;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::error_page::ErrorPage;
use tidegate_config::http::forward::Forward;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;
use tidegate_http::uri::redirect::parse_unsafe;

/// Where `X-Accel-Redirect` leads.
pub(super) fn redirected(ex: &mut Exchange<'_>, uri: &Bytes) -> Stop {
    if uri.starts_with(b"@") {
        return Stop::Named(String::from_utf8_lossy(uri).into_owned());
    }
    let Some(target) = parse_unsafe(uri) else {
        let text = format!("unsafe URI \"{}\" was detected", uri.escape_ascii());
        ex.log(Level::Error, &format!("{text} in \"X-Accel-Redirect\" from upstream"));
        return Stop::Status(404);
    };
    // What was percent-encoded in the field is a plain file name now.
    let (raw, path) = (uri.escape_ascii(), target.path.escape_ascii());
    ex.log(Level::Info, &format!("\"X-Accel-Redirect: {raw}\" leads to \"{path}\""));
    if ex.method != Method::HEAD {
        ex.method = Method::GET;
    }
    Stop::Redirect { uri: target.path, args: target.args }
}

/// Whether `error_page` answers instead (nginx: `ngx_http_upstream_intercept_errors`).
pub(super) fn intercepted(ex: &Exchange<'_>, forward: &Forward, status: u16) -> bool {
    let has_page = |page: &ErrorPage| page.statuses.contains(&status);
    forward.intercept_errors && status >= 300 && ex.location.error_page.pages.iter().any(has_page)
}

/// What `error_page` takes the place of. A 401 keeps its challenge.
pub(super) fn instead_of(response: &Response) -> Stop {
    if response.status != 401 {
        return Stop::Status(response.status);
    }
    let mut bare = Response::new(401);
    for field in &response.headers {
        if field.name.eq_ignore_ascii_case(b"WWW-Authenticate") {
            bare.headers.push(field.name.clone(), field.value.clone());
        }
    }
    Stop::Special(Box::new(bare))
}

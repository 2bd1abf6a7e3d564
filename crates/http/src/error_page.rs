//! `error_page`: what is answered in place of a status, and nginx's own pages.

use bytes::Bytes;
use http::Method;
use tidegate_config::http::error_page::{AnswerStatus, ErrorPage};

use crate::body::Body;
use crate::exchange::Exchange;
use crate::head::Version;
use crate::headers::Headers;
use crate::response::Response;
use crate::server_tokens::signature;
use crate::status;
use crate::stop::Stop;
use crate::trace::Event;
use crate::uri::escape::{Escape, escape};
use crate::user_agent::Browser;

/// What pages are filled up with, six times (nginx: `ngx_http_msie_padding`).
const PADDING: &str = "<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n";

/// Decides what becomes of a request that has come to a status which `error_page` may take over
/// (nginx: `ngx_http_special_response_handler`): it goes on elsewhere, or has its answer, with a page
/// of nginx's own where `response` has no body.
///
/// Fields of the answer, such as a challenge, are kept for what takes its place.
pub fn run(
    ex: &mut Exchange<'_>,
    status: u16,
    response: Option<Box<Response>>,
) -> Result<Response, Stop> {
    let mut response = response.map_or_else(|| Response::new(status), |response| *response);
    response.status = status;
    ex.error.close |= response.close || status::closes(status);
    ex.error.status = Some(status);
    ex.error.own_status = false;
    let location = ex.location;
    let pages = &location.error_page.pages;
    if !ex.error.within && !pages.is_empty() && ex.redirects_left > 0 {
        // As in nginx, where pages are not recursive it is over with them, whether there is one for this
        // status or not, and whatever is said where the request goes.
        ex.error.within = !location.error_page.recursive;
        if let Some(page) = pages.iter().find(|page| page.statuses.contains(&status)) {
            return go_on(ex, page, response);
        }
    }
    ex.error.unasked |= !ex.error.returned;
    if matches!(status, 301 | 302)
        && location.server_tokens.msie_refresh
        && Browser::of(&ex.request.headers) == Some(Browser::Msie)
    {
        ex.error.status = None;
        return Ok(refresh(response));
    }
    Ok(with_page(ex, response))
}

/// A redirect as a page (nginx: `ngx_http_send_refresh`).
fn refresh(response: Response) -> Response {
    let location = response.location.clone().unwrap_or_default();
    let location = escape(&location, Escape::Refresh);
    let page = [
        b"<html><head><meta http-equiv=\"Refresh\" content=\"0; URL=".as_slice(),
        &location,
        b"\"></head><body></body></html>\r\n",
    ];
    Response { status: 200, location: None, charset: None, ..response }
        .with_type("text/html")
        .with_body(Body::Bytes(page.concat().into()))
}

/// Gives an answer the status that `error_page` has decided on, if it led here. The connection ends
/// behind it where it has to after the first error.
pub fn apply_status(ex: &Exchange<'_>, response: &mut Response) {
    if let (Some(status), false) = (ex.error.status, ex.error.own_status) {
        response.status = status;
        response.reason = None;
    }
    response.close |= ex.error.close;
}

/// nginx: `ngx_http_send_error_page`
fn go_on(ex: &mut Exchange<'_>, page: &ErrorPage, response: Response) -> Result<Response, Stop> {
    ex.error.unasked |= !matches!(page.answer, AnswerStatus::Own | AnswerStatus::Changed(200));
    match page.answer {
        AnswerStatus::Kept if (494..=497).contains(&response.status) => {
            ex.error.status = Some(400);
        }
        AnswerStatus::Kept => {}
        AnswerStatus::Own => {
            ex.error.status = None;
            ex.error.own_status = true;
        }
        AnswerStatus::Changed(status) => ex.error.status = Some(status),
    }
    let uri = ex.render(&page.uri);
    ex.note(|| Event::ErrorPage(response.status, uri.clone()));
    if uri.starts_with(b"/") {
        keep(ex, &response.headers);
        if ex.method != Method::HEAD {
            ex.method = Method::GET;
        }
        let constant = page.uri.constant().is_some();
        let split = memchr::memchr(b'?', &uri).filter(|_| !constant);
        let (path, args) = match split {
            Some(at) => (uri.slice(..at), Some(uri.slice(at + 1..))),
            None if constant => (uri, page.args.clone().map(Bytes::from)),
            None => (uri, Some(Bytes::new())),
        };
        return Err(Stop::Redirect { uri: path, args });
    }
    if uri.starts_with(b"@") {
        keep(ex, &response.headers);
        return Err(Stop::Named(String::from_utf8_lossy(&uri).into_owned()));
    }
    let redirects = matches!(page.answer, AnswerStatus::Changed(301 | 302 | 303 | 307 | 308));
    if !redirects {
        ex.error.status = Some(302);
    }
    let status = ex.error.status.unwrap_or(302);
    let answer = Response { headers: response.headers, ..Response::new(status) };
    Ok(with_page(ex, Response { location: Some(uri), ..answer }))
}

fn keep(ex: &mut Exchange<'_>, headers: &Headers) {
    for header in headers {
        ex.kept_headers.push(header.name.clone(), header.value.clone());
    }
}

/// Puts nginx's own page into an answer without a body, where it has one for the status.
fn with_page(ex: &Exchange<'_>, response: Response) -> Response {
    if !response.body.is_empty() {
        return response;
    }
    match page(response.status, signature(ex.location)) {
        Some(text) if is_padded(ex, response.status) => {
            let text = [text.as_ref(), PADDING.repeat(6).as_bytes()].concat();
            Response { charset: None, ..response }
                .with_type("text/html")
                .with_body(Body::Bytes(text.into()))
        }
        Some(text) => Response { charset: None, ..response }
            .with_type("text/html")
            .with_body(Body::Bytes(text)),
        None => Response { content_type: None, content_length: Some(0), ..response },
    }
}

/// Whether the browser would show a page of its own in place of a short one.
fn is_padded(ex: &Exchange<'_>, status: u16) -> bool {
    status >= 400
        && ex.location.server_tokens.msie_padding
        && ex.request.version >= Version::Http10
        && matches!(Browser::of(&ex.request.headers), Some(Browser::Msie | Browser::Chrome))
}

/// The text of nginx's page for a status, signed by `server`; `None` for codes it has no page for.
pub fn page(status: u16, server: &[u8]) -> Option<Bytes> {
    let more = match status {
        494 => "Request Header Or Cookie Too Large",
        495 => "The SSL certificate error",
        496 => "No required SSL certificate was sent",
        497 => "The plain HTTP request was sent to HTTPS port",
        _ => "",
    };
    let words = match status {
        302 => "Found",
        401 => "Authorization Required",
        494..=497 => "Bad Request",
        300.. => status::reason(status),
        _ => "",
    };
    if words.is_empty() || status == 304 {
        return None;
    }
    let code = status::on_wire(status);
    let title = if more.is_empty() { words } else { more };
    let centered =
        if more.is_empty() { String::new() } else { format!("<center>{more}</center>\r\n") };
    let page = format!(
        "<html>\r\n<head><title>{code} {title}</title></head>\r\n\
         <body>\r\n<center><h1>{code} {words}</h1></center>\r\n{centered}<hr><center>"
    );
    let mut page = page.into_bytes();
    page.extend_from_slice(server);
    page.extend_from_slice(b"</center>\r\n</body>\r\n</html>\r\n");
    Some(page.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with;

    #[test]
    fn pages_take_over_once() {
        let server = "server {
            error_page 404 /404.html; error_page 403 =200 /ok?x; error_page 401 = @own;
            error_page 410 https://far/;
        }";
        let after = |status: u16| {
            with(server, "POST /", |ex| {
                let result = run(ex, status, None);
                (format!("{result:?}"), ex.error.status, ex.method.clone())
            })
        };
        let (result, status, method) = after(404);
        assert!(result.contains("Redirect { uri: b\"/404.html\", args: None }"), "{result}");
        assert_eq!((status, method), (Some(404), Method::GET));
        let (result, status, _) = after(403);
        assert!(result.contains("uri: b\"/ok\", args: Some(b\"x\")"), "{result}");
        assert_eq!(status, Some(200));
        let (result, status, _) = after(401);
        assert!(result.contains("Named(\"@own\")"), "{result}");
        assert_eq!(status, None);
        let (result, status, _) = after(410);
        assert!(result.contains("location: Some(b\"https://far/\")"), "{result}");
        assert_eq!(status, Some(302));
        let twice = with(server, "GET /", |ex| {
            let _ = run(ex, 404, None);
            run(ex, 403, None).map(|response| response.status).ok()
        });
        assert_eq!(twice, Some(403));
    }

    #[test]
    fn pages_are_nginxs_to_the_byte() {
        assert_eq!(
            page(404, b"tidegate/1.0").unwrap(),
            "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n\
             <center><h1>404 Not Found</h1></center>\r\n<hr><center>tidegate/1.0</center>\r\n\
             </body>\r\n</html>\r\n"
        );
        assert_eq!(
            page(497, b"tidegate").unwrap(),
            "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title>\
             </head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n\
             <center>The plain HTTP request was sent to HTTPS port</center>\r\n\
             <hr><center>tidegate</center>\r\n</body>\r\n</html>\r\n"
        );
        let lengths = [301, 302, 400, 404].map(|code| page(code, b"nginx/1.31.3").unwrap().len());
        assert_eq!(lengths, [169, 145, 157, 153]);
        assert_eq!(page(200, b""), None);
        assert_eq!(page(304, b""), None);
        assert_eq!(page(418, b""), None);
    }
}

//! THE LIFE OF A REQUEST, in order, on one screen.

use bytes::Bytes;
use tidegate_http::body::Body;
use tidegate_http::client::{Answered, NoBody};
use tidegate_http::exchange::Exchange;
use tidegate_http::filter::{self, headers_more};
use tidegate_http::phase::{access, limit_conn, limit_req, mirror, realip, rewrite};
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;
use tidegate_http::subrequest::{Answering, Connections, Site};
use tidegate_http::{error_page, location};
use tidegate_static::{echo, empty_gif, try_files};

use crate::runtime::Generation;
use crate::status;

/// Serves a request: passes over the phases until there is an answer, then the filters. `None`
/// closes the connection without one.
pub(crate) async fn serve(ex: &mut Exchange<'_>, behind: &impl Behind) -> Option<Box<Response>> {
    realip::run(ex);
    let first = pass(ex, behind).await;
    finish(ex, behind, first).await
}

/// Serves a request that is made for another one.
pub(crate) async fn serve_within(
    ex: &mut Exchange<'_>,
    behind: &impl Behind,
) -> Option<Box<Response>> {
    let first = if ex.cloned { content(ex, behind).await } else { pass(ex, behind).await };
    finish(ex, behind, first).await
}

/// What stands behind the phases: what serves or, for `tidegate explain`, what tells of it.
pub(crate) trait Behind {
    /// What runs.
    fn generation(&self) -> &Generation;

    /// What the location is there for.
    async fn give(&self, ex: &mut Exchange<'_>) -> Result<Box<Response>, Stop>;
}

impl Behind for Generation {
    fn generation(&self) -> &Generation {
        self
    }

    async fn give(&self, ex: &mut Exchange<'_>) -> Result<Box<Response>, Stop> {
        let location = ex.location;
        // Boxed, for an answer is handed on often.
        let response = match &location.pass.to {
            Some(pass) => return tidegate_proxy::respond(ex, pass, &self.upstreams).await,
            None if location.stub_status.enabled => status::respond(ex, self),
            None if location.empty_gif.enabled => empty_gif::respond(ex),
            None if !location.echo.texts.is_empty() => Ok(echo::respond(ex)),
            None => return tidegate_static::respond(ex).await,
        };
        response.map(Box::new)
    }
}

impl Site for Generation {
    fn connections(&self) -> Connections {
        self.counters.connections()
    }

    fn answer<'s, 'e: 's>(&'s self, ex: &'s mut Exchange<'e>) -> Answering<'s> {
        Box::pin(async move { serve_within(ex, self).await.map(|response| *response) })
    }
}

/// Answers a request that could not be read, with its status's page.
pub(crate) async fn refuse(
    ex: &mut Exchange<'_>,
    behind: &impl Behind,
    status: u16,
) -> Option<Box<Response>> {
    let mut response = finish(ex, behind, Err(Stop::Status(status))).await?;
    response.close = true;
    Some(response)
}

/// Goes on with what `post_action` names, after the answer; what it answers goes to nobody (nginx:
/// `ngx_http_post_action`).
pub(crate) async fn afterwards(ex: &mut Exchange<'_>, generation: &Generation) {
    let status = ex.sent.status;
    let body = std::mem::replace(&mut ex.body, Box::new(NoBody));
    ex.body = Box::new(Answered(body));
    // What it leads to may lead on, as often as redirects may.
    for _ in 0..10 {
        let location = ex.location;
        let Some(uri) = &location.post_action.uri else { break };
        let first = if uri.starts_with('/') {
            Err(Stop::Redirect { uri: Bytes::from(uri.clone()), args: None })
        } else {
            Err(Stop::Named(uri.clone()))
        };
        if let Some(response) = finish(ex, generation, first).await
            && let Body::Stream(mut body) = response.body
        {
            while let Some(Ok(_)) = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await {}
        }
    }
    ex.sent.status = status;
}

/// One pass, from the server's rewrites to the content.
async fn pass(ex: &mut Exchange<'_>, behind: &impl Behind) -> Result<Box<Response>, Stop> {
    rewrite::server(ex)?;
    location::find(ex)?;
    while rewrite::location(ex)? {
        location::find(ex)?;
    }
    content(ex, behind).await
}

/// A pass that begins in a named location.
async fn pass_named(
    ex: &mut Exchange<'_>,
    behind: &impl Behind,
    name: &str,
) -> Result<Box<Response>, Stop> {
    location::named(ex, name)?;
    while rewrite::location(ex)? {
        location::find(ex)?;
    }
    content(ex, behind).await
}

/// What is behind a location: checks of access, then files or an upstream.
async fn content(ex: &mut Exchange<'_>, behind: &impl Behind) -> Result<Box<Response>, Stop> {
    let zones = &behind.generation().zones;
    headers_more::change_request(ex);
    realip::run(ex);
    limit_req::run(ex, zones).await?;
    limit_conn::run(ex, zones)?;
    access::run(ex).await?;
    try_files::run(ex).await?;
    mirror::run(ex).await?;
    match ex.tasks.own() {
        None => behind.give(ex).await,
        // What was begun goes on while the answer is made.
        Some(tasks) => tasks.beside(Box::pin(behind.give(ex))).await,
    }
}

/// Acts on what ended a pass until there is an answer. Redirects are bounded by the exchange.
async fn finish(
    ex: &mut Exchange<'_>,
    behind: &impl Behind,
    mut result: Result<Box<Response>, Stop>,
) -> Option<Box<Response>> {
    loop {
        result = match result {
            Ok(mut response) if ex.subrequest => {
                filter::apply_within(ex, &mut response);
                return Some(response);
            }
            Ok(response) => match filter::apply(ex, response) {
                Ok(response) => return Some(response),
                Err(stop) => Err(stop),
            },
            Err(Stop::Response(response)) => Ok(response),
            Err(Stop::Status(status)) => error_page::run(ex, status, None).map(Box::new),
            Err(Stop::Special(response)) => {
                error_page::run(ex, response.status, Some(response)).map(Box::new)
            }
            Err(Stop::Redirect { uri, args }) => match ex.redirect(uri, args) {
                Ok(()) => pass(ex, behind).await,
                Err(stop) => Err(stop),
            },
            Err(Stop::Named(name)) => pass_named(ex, behind, &name).await,
            Err(Stop::Close) => {
                ex.sent.status = 444;
                return None;
            }
            Err(Stop::Unanswered(status)) => {
                ex.sent.status = status;
                return None;
            }
        };
    }
}

//! The steps of a request before its answer, in nginx's order.

pub mod access;
pub(crate) mod auth_basic;
mod auth_request;
pub mod limit_conn;
pub mod limit_req;
pub mod mirror;
pub mod realip;
pub mod rewrite;

use std::time::Duration;

use tidegate_config::http::error_log::Level;

use crate::exchange::Exchange;
use crate::stop::Stop;

/// Lets a request wait; a client that leaves meanwhile ends it (nginx: `ngx_http_test_reading`).
async fn wait(ex: &mut Exchange<'_>, delay: Duration) -> Result<(), Stop> {
    let body = &mut ex.body;
    let left = tokio::select! {
        () = tokio::time::sleep(delay) => false,
        () = std::future::poll_fn(|cx| body.poll_closed(cx)) => true,
    };
    if !left {
        return Ok(());
    }
    ex.log(Level::Info, "client prematurely closed connection");
    Err(Stop::Unanswered(499))
}

//! mirror: a copy of every request for somebody else.

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::mirror::MirrorUri;

use crate::exchange::Exchange;
use crate::stop::Stop;
use crate::stored::{self, Stored};

/// Sends copies of a request to other URIs, beside the request itself (nginx:
/// `ngx_http_mirror_handler`). What becomes of them nobody is told but the log.
pub async fn run(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let location = ex.location;
    let mirror = &location.mirror;
    if mirror.uris.is_empty()
        || ex.subrequest
        || ex.mirrored
        || mirror.uris.contains(&MirrorUri::Off)
    {
        return Ok(());
    }
    // Boxed, so that requests without copies stay small.
    Box::pin(send_copies(ex)).await
}

async fn send_copies(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let mirror = &ex.location.mirror;
    ex.mirrored = true;
    let body = if mirror.body { stored::take(ex).await? } else { None };
    for uri in &mirror.uris {
        let MirrorUri::Uri(uri) = uri else { continue };
        let Some(mut own) = ex.side_request(Bytes::from(uri.clone()), ex.args.clone()) else {
            continue;
        };
        own.method.clone_from(&ex.method);
        if let Some(body) = &body {
            own.request.content_length = Some(body.len());
            own.body = Box::new(Stored::clone(body));
        }
        ex.tasks.add(async move {
            // Of the answer nothing is wanted but its head.
            let Some(response) = own.answered().await else { return };
            drop(response);
            own.sent.complete = true;
            own.written();
        });
    }
    if ex.tasks.is_empty() {
        ex.log(Level::Debug, "no request is mirrored");
    }
    Ok(())
}

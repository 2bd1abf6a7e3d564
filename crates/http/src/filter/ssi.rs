//! ssi: pages put together by the server.

mod command;
mod evaluate;
mod expression;
mod scan;
mod value;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::Method;
use tokio::sync::mpsc;

use super::charset::essence;
use crate::body::{Body, BodyStream};
use crate::exchange::Exchange;
use crate::response::Response;
use evaluate::Evaluator;

/// How many pieces of a page wait to be sent.
const PIECES: usize = 16;

/// A piece of a page that is put together.
enum Segment {
    /// Bytes of the page itself.
    Bytes(Bytes),
    /// The answer to a request that was made for it.
    Body(BodyStream),
    /// The page cannot be read any further.
    Failed(io::Error),
}

/// Carries out the commands in a page while it is sent (nginx: `ngx_http_ssi_header_filter`). They
/// work on a copy of the request, beside it; requests that they make go on at the same time.
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let location = ex.location;
    let ssi = &location.ssi;
    if !ssi.enabled || response.content_length == Some(0) {
        return;
    }
    let content_type = response.content_type.as_deref().unwrap_or_default();
    if !ssi.types.contains(essence(content_type)) || matches!(response.body, Body::Tunnel(_)) {
        return;
    }
    if !ex.subrequest {
        response.content_length = None;
        response.allow_ranges = false;
        response.headers.remove("Accept-Ranges");
        if ssi.last_modified {
            response.weaken_etag();
        } else {
            response.last_modified = None;
            response.headers.remove("Last-Modified");
            response.headers.remove("ETag");
        }
    }
    if ex.method == Method::HEAD && !ex.subrequest {
        return;
    }
    let body = std::mem::take(&mut response.body).into_stream();
    let mut copy = ex.copy();
    copy.sent.status = response.status;
    response.body = Body::Stream(evaluated(ex, copy, body));
}

/// The page that is in `body`, put together for `copy` in the list of `ex`.
fn evaluated<'a>(ex: &mut Exchange<'a>, copy: Exchange<'a>, body: BodyStream) -> BodyStream {
    let (sender, receiver) = mpsc::channel(PIECES);
    ex.tasks.add(Evaluator::new(copy, sender).run(body));
    Box::pin(Assembled { receiver, included: None })
}

/// The pieces of a page in their order.
struct Assembled {
    receiver: mpsc::Receiver<Segment>,
    /// The answer that is sent now.
    included: Option<BodyStream>,
}

impl Stream for Assembled {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(included) = &mut self.included {
                match ready!(included.as_mut().poll_next(cx)) {
                    // What is wrong with one answer has been told; the page goes on.
                    None | Some(Err(_)) => self.included = None,
                    item => return Poll::Ready(item),
                }
            }
            match ready!(self.receiver.poll_recv(cx)) {
                None => return Poll::Ready(None),
                Some(Segment::Bytes(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Segment::Failed(error)) => return Poll::Ready(Some(Err(error))),
                Some(Segment::Body(body)) => self.included = Some(body),
            }
        }
    }
}

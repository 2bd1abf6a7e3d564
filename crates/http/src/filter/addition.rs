//! addition: what stands around a page.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::Method;

use super::charset::essence;
use crate::body::{Body, BodyStream};
use crate::exchange::Exchange;
use crate::response::Response;

/// Puts the answers to other URIs before and behind a body (nginx:
/// `ngx_http_addition_header_filter`).
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let location = ex.location;
    let addition = &location.addition;
    if addition.before.is_none() && addition.after.is_none() || response.status != 200 {
        return;
    }
    let uri = |uri: &Option<String>| uri.clone().filter(|uri| !uri.is_empty());
    let (before, after) = (uri(&addition.before), uri(&addition.after));
    let content_type = response.content_type.as_deref().unwrap_or_default();
    if before.is_none() && after.is_none() || !addition.types.contains(essence(content_type)) {
        return;
    }
    response.changed();
    if ex.method == Method::HEAD {
        return;
    }
    let mut parts = VecDeque::with_capacity(3);
    parts.extend(before.and_then(|uri| asked(ex, uri)));
    parts.push_back(std::mem::take(&mut response.body).into_stream());
    parts.extend(after.and_then(|uri| asked(ex, uri)));
    response.body = Body::Stream(joined(parts));
}

fn asked(ex: &mut Exchange<'_>, uri: String) -> Option<BodyStream> {
    let own = ex.side_request(Bytes::from(uri), None)?;
    Some(ex.body_of(own))
}

/// Several bodies, one behind the other.
pub(super) fn joined(parts: VecDeque<BodyStream>) -> BodyStream {
    Box::pin(Joined(parts))
}

struct Joined(VecDeque<BodyStream>);

impl Stream for Joined {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while let Some(first) = self.0.front_mut() {
            match ready!(first.as_mut().poll_next(cx)) {
                Some(Ok(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Err(error)) => {
                    self.0.clear();
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.0.pop_front(),
            };
        }
        Poll::Ready(None)
    }
}

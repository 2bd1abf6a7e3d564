//! A listing as it is written: a short one at once, a long one piece by piece as the client takes it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use bytes::Bytes;
use futures_core::Stream;
use tidegate_http::body::Body;

use super::html::{self, Page};
use super::{Entry, json, xml};

/// How many entries are written in one go, which holds others up.
const PIECE: usize = 256;

/// What a listing looks like.
pub(super) enum Format {
    Html(Page),
    Xml,
    /// Passed to a function where one is named.
    Json(Option<Vec<u8>>),
}

/// What is still to be written of a listing. Of an entry that is written nothing is kept.
pub(super) struct Listing {
    format: Format,
    entries: IntoIter<Entry>,
    has_begun: bool,
    has_ended: bool,
    /// Whether others have had their turn since the last piece.
    rested: bool,
}

impl Listing {
    pub(super) fn new(format: Format, entries: Vec<Entry>) -> Self {
        let entries = entries.into_iter();
        Self { format, entries, has_begun: false, has_ended: false, rested: true }
    }

    /// The listing as a body.
    pub(super) fn into_body(mut self) -> Body {
        if self.entries.len() > PIECE {
            return Body::Stream(Box::pin(self));
        }
        Body::Bytes(self.piece())
    }

    fn piece(&mut self) -> Bytes {
        let mut out = Vec::with_capacity(256 + 160 * self.entries.len().min(PIECE));
        let mut is_first = !self.has_begun;
        if !self.has_begun {
            self.has_begun = true;
            match &self.format {
                Format::Html(page) => page.begin(&mut out),
                Format::Xml => out.extend_from_slice(xml::BEGIN),
                Format::Json(callback) => json::begin(&mut out, callback.as_deref()),
            }
        }
        for entry in self.entries.by_ref().take(PIECE) {
            match &self.format {
                Format::Html(page) => page.line(&mut out, &entry),
                Format::Xml => xml::line(&mut out, &entry),
                Format::Json(_) => json::line(&mut out, &entry, is_first),
            }
            is_first = false;
        }
        if self.entries.as_slice().is_empty() {
            self.has_ended = true;
            match &self.format {
                Format::Html(_) => out.extend_from_slice(html::END),
                Format::Xml => out.extend_from_slice(xml::END),
                Format::Json(callback) => json::end(&mut out, callback.as_deref()),
            }
        }
        out.into()
    }
}

impl Stream for Listing {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        if !std::mem::replace(&mut self.rested, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.rested = false;
        Poll::Ready(Some(Ok(self.piece())))
    }
}

//! Several ranges in one body (nginx: `ngx_http_range_multipart_header`).

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

/// The text around the parts of a body.
#[derive(Clone, Debug)]
pub(super) struct Multipart {
    boundary: String,
    content_type: Vec<u8>,
    length: u64,
}

impl Multipart {
    /// For parts of an answer of `length` bytes and this type.
    pub(super) fn new(content_type: Option<&[u8]>, charset: Option<&[u8]>, length: u64) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let mut line = Vec::new();
        if let Some(content_type) = content_type {
            line.extend_from_slice(b"Content-Type: ");
            line.extend_from_slice(content_type);
            if let Some(charset) = charset {
                line.extend_from_slice(b"; charset=");
                line.extend_from_slice(charset);
            }
            line.extend_from_slice(b"\r\n");
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self { boundary: format!("{number:020}"), content_type: line, length }
    }

    /// What `Content-Type` says of the whole.
    pub(super) fn content_type(&self) -> Bytes {
        format!("multipart/byteranges; boundary={}", self.boundary).into()
    }

    /// What stands before a part.
    pub(super) fn before(&self, part: &Range<u64>) -> Bytes {
        let mut out = format!("\r\n--{}\r\n", self.boundary).into_bytes();
        out.extend_from_slice(&self.content_type);
        out.extend_from_slice(b"Content-Range: ");
        out.extend_from_slice(&content_range(part, self.length));
        out.extend_from_slice(b"\r\n\r\n");
        out.into()
    }

    /// What stands behind the last part.
    pub(super) fn end(&self) -> Bytes {
        format!("\r\n--{}--\r\n", self.boundary).into()
    }
}

/// The value of `Content-Range` for one part.
pub(super) fn content_range(part: &Range<u64>, length: u64) -> Bytes {
    format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_set_apart_as_nginx_does() {
        let multipart = Multipart::new(Some(b"text/plain"), Some(b"utf-8"), 10);
        let boundary = multipart.boundary.clone();
        assert_eq!(boundary.len(), 20);
        assert_eq!(
            multipart.before(&(2..4)),
            format!(
                "\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Content-Range: bytes 2-3/10\r\n\r\n"
            )
        );
        assert_eq!(multipart.end(), format!("\r\n--{boundary}--\r\n"));
        assert!(!Multipart::new(None, None, 1).before(&(0..1)).starts_with(b"Content-Type"));
    }
}

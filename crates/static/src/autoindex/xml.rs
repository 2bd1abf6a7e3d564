//! A listing as XML.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tidegate_http::uri::escape::escape_html;

use super::{Entry, Kind};

/// How the list begins.
pub(super) const BEGIN: &[u8] = b"<?xml version=\"1.0\"?>\r\n<list>\r\n";

/// How it ends.
pub(super) const END: &[u8] = b"</list>\r\n";

/// One entry.
pub(super) fn line(out: &mut Vec<u8>, entry: &Entry) {
    let time = Timestamp::from_second(entry.modified).unwrap_or_default();
    let time = time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ");
    let (kind, size) = match entry.kind {
        Kind::Folder => ("directory", String::new()),
        Kind::File => ("file", format!(" size=\"{}\"", entry.length)),
        Kind::Other => ("other", String::new()),
    };
    out.extend_from_slice(format!("<{kind} mtime=\"{time}\"{size}>").as_bytes());
    out.extend_from_slice(&escape_html(&entry.name));
    out.extend_from_slice(format!("</{kind}>\r\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_elements() {
        let name = b"a&b".as_slice().into();
        let mut out = Vec::new();
        line(&mut out, &Entry { name, kind: Kind::File, modified: 0, length: 5 });
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "<file mtime=\"1970-01-01T00:00:00Z\" size=\"5\">a&amp;b</file>\r\n");
    }
}

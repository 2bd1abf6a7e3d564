//! A listing as XML.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tidegate_http::uri::escape::escape_html;

use super::{Entry, Kind};

/// The list.
pub(super) fn list(entries: &[Entry]) -> Vec<u8> {
    let mut out = b"<?xml version=\"1.0\"?>\r\n<list>\r\n".to_vec();
    for entry in entries {
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
    out.extend_from_slice(b"</list>\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_elements() {
        let entry = Entry { name: "a&b".into(), kind: Kind::File, modified: 0, length: 5 };
        let text = String::from_utf8(list(&[entry])).unwrap();
        assert_eq!(
            text,
            "<?xml version=\"1.0\"?>\r\n<list>\r\n\
             <file mtime=\"1970-01-01T00:00:00Z\" size=\"5\">a&amp;b</file>\r\n</list>\r\n"
        );
    }
}

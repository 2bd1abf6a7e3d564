//! A listing as JSON.

use tidegate_http::date::http_date;

use super::{Entry, Kind};

/// How the list begins, which is passed to a function where one is named.
pub(super) fn begin(out: &mut Vec<u8>, callback: Option<&[u8]>) {
    if let Some(callback) = callback {
        out.extend_from_slice(b"/* callback */\r\n");
        out.extend_from_slice(callback);
        out.push(b'(');
    }
    out.push(b'[');
}

/// One entry, the first or a later one.
pub(super) fn line(out: &mut Vec<u8>, entry: &Entry, is_first: bool) {
    let comma: &[u8] = if is_first { b"" } else { b"," };
    out.extend_from_slice(comma);
    out.extend_from_slice(b"\r\n{ \"name\":\"");
    escape(out, &entry.name);
    let kind: &[u8] = match entry.kind {
        Kind::Folder => b"directory",
        Kind::File => b"file",
        Kind::Other => b"other",
    };
    out.extend_from_slice(b"\", \"type\":\"");
    out.extend_from_slice(kind);
    out.extend_from_slice(b"\", \"mtime\":\"");
    out.extend_from_slice(&http_date(entry.modified));
    out.push(b'"');
    if entry.kind == Kind::File {
        out.extend_from_slice(format!(", \"size\":{}", entry.length).as_bytes());
    }
    out.extend_from_slice(b" }");
}

/// How the list ends.
pub(super) fn end(out: &mut Vec<u8>, callback: Option<&[u8]>) {
    out.extend_from_slice(b"\r\n]");
    if callback.is_some() {
        out.extend_from_slice(b");");
    }
}

/// Makes a name fit for a string (nginx: `ngx_escape_json`).
fn escape(out: &mut Vec<u8>, name: &[u8]) {
    for &byte in name {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_objects() {
        let entry = |name: &str, kind| {
            let name = name.as_bytes().into();
            Entry { name, kind, modified: 0, length: 5 }
        };
        let list = |entries: &[Entry], callback| {
            let mut out = Vec::new();
            begin(&mut out, callback);
            let lines = entries.iter().enumerate();
            lines.for_each(|(number, entry)| line(&mut out, entry, number == 0));
            end(&mut out, callback);
            out
        };
        let entries = [entry("a\"\\\t\u{1}", Kind::File), entry("b", Kind::Folder)];
        let text = String::from_utf8(list(&entries, None)).unwrap();
        assert_eq!(
            text,
            "[\r\n{ \"name\":\"a\\\"\\\\\\t\\u0001\", \"type\":\"file\", \
             \"mtime\":\"Thu, 01 Jan 1970 00:00:00 GMT\", \"size\":5 },\r\n\
             { \"name\":\"b\", \"type\":\"directory\", \
             \"mtime\":\"Thu, 01 Jan 1970 00:00:00 GMT\" }\r\n]"
        );
        assert_eq!(list(&[], Some(b"f".as_slice())), b"/* callback */\r\nf([\r\n]);");
    }
}

//! A listing as a page.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tidegate_config::http::charset::Charset;
use tidegate_http::exchange::Exchange;
use tidegate_http::uri::escape::{Escape, escape, escape_html};

use super::{Entry, Kind};

/// How many characters a name is given.
const WIDTH: usize = 50;

/// How a page looks.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// The folder's URI.
    uri: Bytes,
    /// Whether the page will be said to be in UTF-8, so that its characters can be counted.
    utf8: bool,
    /// Whether times are local.
    local: bool,
    /// Whether sizes are exact.
    exact: bool,
}

impl Style {
    /// The style of a request's page.
    pub(super) fn of(ex: &mut Exchange<'_>) -> Self {
        let location = ex.location;
        let utf8 = is_utf8(ex, &location.charset);
        let (local, exact) = (location.autoindex.localtime, location.autoindex.exact_size);
        Self { uri: ex.uri.clone(), utf8, local, exact }
    }
}

/// The page for a folder.
pub(super) struct Page {
    style: Style,
    zone: TimeZone,
}

impl Page {
    /// A page; reads the local time zone where it needs it.
    pub(super) fn new(style: Style) -> Self {
        let zone = if style.local { TimeZone::system() } else { TimeZone::UTC };
        Self { style, zone }
    }

    pub(super) fn begin(&self, out: &mut Vec<u8>) {
        let uri = escape_html(&self.style.uri);
        out.extend_from_slice(b"<html>\r\n<head><title>Index of ");
        out.extend_from_slice(&uri);
        out.extend_from_slice(b"</title></head>\r\n<body>\r\n<h1>Index of ");
        out.extend_from_slice(&uri);
        out.extend_from_slice(b"</h1><hr><pre><a href=\"../\">../</a>\r\n");
    }

    pub(super) fn line(&self, out: &mut Vec<u8>, entry: &Entry) {
        link(out, entry, self.style.utf8);
        out.push(b' ');
        out.extend_from_slice(time(entry.modified, &self.zone).as_bytes());
        out.push(b' ');
        let size = if self.style.exact { exact(entry) } else { rounded(entry) };
        out.extend_from_slice(size.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// What ends a page.
pub(super) const END: &[u8] = b"</pre><hr></body>\r\n</html>\r\n";

/// Whether the page will be said to be in UTF-8, so that its characters can be counted.
fn is_utf8(ex: &mut Exchange<'_>, charset: &Charset) -> bool {
    let Some(name) = &charset.charset else { return false };
    charset.types.contains(b"text/html") && ex.render(name).eq_ignore_ascii_case(b"utf-8")
}

/// The name as a link, cut or filled up to its width.
fn link(out: &mut Vec<u8>, entry: &Entry, utf8: bool) {
    let slash: &[u8] = if entry.kind == Kind::Folder { b"/" } else { b"" };
    out.extend_from_slice(b"<a href=\"");
    out.extend_from_slice(&escape(&entry.name, Escape::Component));
    out.extend_from_slice(slash);
    out.extend_from_slice(b"\">");
    let text = std::str::from_utf8(&entry.name).ok().filter(|_| utf8);
    let length = text.map_or(entry.name.len(), |text| text.chars().count());
    if length > WIDTH {
        let most = WIDTH - 3;
        let end = match text {
            Some(text) => text.char_indices().nth(most).map_or(text.len(), |(at, _)| at),
            None => most,
        };
        out.extend_from_slice(&escape_html(entry.name.get(..end).unwrap_or_default()));
        out.extend_from_slice(b"..&gt;</a>");
        return;
    }
    out.extend_from_slice(&escape_html(&entry.name));
    let slash = if length < WIDTH { slash } else { b"" };
    out.extend_from_slice(slash);
    out.extend_from_slice(b"</a>");
    out.resize(out.len() + WIDTH - length - slash.len(), b' ');
}

/// `28-Sep-1970 12:00`
fn time(seconds: i64, zone: &TimeZone) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default().to_zoned(zone.clone());
    time.strftime("%d-%b-%Y %H:%M").to_string()
}

fn exact(entry: &Entry) -> String {
    match entry.kind {
        Kind::Folder => format!("{:>19}", "-"),
        _ => format!("{:>19}", entry.length),
    }
}

/// Rounded to whole kilobytes and so on, from 10,000 bytes on.
fn rounded(entry: &Entry) -> String {
    let (unit, letter) = match entry.length {
        _ if entry.kind == Kind::Folder => return format!("{:>7}", "-"),
        0..=9999 => return format!("{:>7}", entry.length),
        10_000..=0xf_ffff => (1 << 10, 'K'),
        0x10_0000..=0x3fff_ffff => (1 << 20, 'M'),
        _ => (1u64 << 30, 'G'),
    };
    let size = entry.length / unit + u64::from(entry.length % unit >= unit / 2);
    format!("{size:>6}{letter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, kind: Kind, length: u64) -> Entry {
        Entry { name: name.as_bytes().into(), kind, modified: 1_704_164_645, length }
    }

    fn shown(name: &str, kind: Kind, utf8: bool) -> String {
        let mut out = Vec::new();
        link(&mut out, &entry(name, kind, 0), utf8);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_filled_up_or_cut_to_fifty_characters() {
        let blank = |count: usize| " ".repeat(count);
        assert_eq!(
            shown("a&b", Kind::File, true),
            format!("<a href=\"a%26b\">a&amp;b</a>{}", blank(47))
        );
        assert_eq!(
            shown("ab", Kind::Folder, true),
            format!("<a href=\"ab/\">ab/</a>{}", blank(47))
        );
        assert_eq!(shown("ü", Kind::File, true), format!("<a href=\"%C3%BC\">ü</a>{}", blank(49)));
        assert_eq!(shown("ü", Kind::File, false), format!("<a href=\"%C3%BC\">ü</a>{}", blank(48)));
        let (fifty, more) = ("d".repeat(50), "d".repeat(51));
        assert_eq!(shown(&fifty, Kind::Folder, true), format!("<a href=\"{fifty}/\">{fifty}</a>"));
        let cut = "d".repeat(47);
        assert_eq!(shown(&more, Kind::File, true), format!("<a href=\"{more}\">{cut}..&gt;</a>"));
        assert!(
            shown(&"ü".repeat(51), Kind::File, true).contains(&format!(">{}..", "ü".repeat(47)))
        );
    }

    #[test]
    fn sizes_are_exact_or_rounded() {
        for (length, text) in [
            (0, "      0"),
            (9999, "   9999"),
            (10_000, "    10K"),
            (10_751, "    10K"),
            (10_752, "    11K"),
            (1_600_000, "     2M"),
            (5_000_000_000, "     5G"),
        ] {
            assert_eq!(rounded(&entry("a", Kind::File, length)), text);
        }
        assert_eq!(rounded(&entry("a", Kind::Folder, 1)), "      -");
        assert_eq!(exact(&entry("a", Kind::File, 12)), "                 12");
        assert_eq!(exact(&entry("a", Kind::Folder, 12)), "                  -");
        assert_eq!(time(1_704_164_645, &TimeZone::UTC), "02-Jan-2024 03:04");
    }
}

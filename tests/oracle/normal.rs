//! An answer as text, without what must differ between two servers.

use std::io::Read;

use crate::harness::{Answer, Tidegate};

/// The answer as lines: status line, fields, an empty line, the body.
pub fn answer(server: &Tidegate, answer: &Answer, method: &str) -> String {
    let body = server.anonymous(&body(answer));
    let mut boundary = None;
    let mut out = format!("{}\n", answer.status_line);
    for (name, value) in &answer.fields {
        let value = server.anonymous(value);
        let value = match name.to_ascii_lowercase().as_str() {
            "date" if httpdate(&value) => "(now)".to_owned(),
            "server" => product(&value),
            "content-length" if method == "HEAD" && answer.status >= 300 => "(any)".to_owned(),
            "content-length" if value == answer.body.len().to_string() => "(right)".to_owned(),
            "content-type" => {
                boundary = value.strip_prefix("multipart/byteranges; boundary=").map(str::to_owned);
                value.replace(boundary.as_deref().unwrap_or("\n"), "(boundary)")
            }
            _ => value,
        };
        out += &format!("{name}: {value}\n");
    }
    let body = match &boundary {
        Some(boundary) => body.replace(boundary, "(boundary)"),
        None => error_page(&body),
    };
    format!("{out}\n{body}")
}

/// Bytes that may be several answers, or none.
pub fn bytes(server: &Tidegate, bytes: &[u8]) -> String {
    let text = server.anonymous(&String::from_utf8_lossy(bytes));
    let lines = text.split("\r\n").map(|line| match line.split_once(": ") {
        Some(("Date", value)) if httpdate(value) => "Date: (now)".to_owned(),
        Some(("Server", value)) => format!("Server: {}", product(value)),
        Some(("Content-Length", _)) => "Content-Length: (any)".to_owned(),
        _ => error_page(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line of the access log whose last word is `$body_bytes_sent`.
pub fn log_line(server: &Tidegate, line: &str) -> String {
    // Whether nginx says `-` or nothing of arguments that an internal redirect has dropped is chance:
    // it looks at memory that nobody has set.
    let line = server.anonymous(line).replace("args=[-]", "args=[]");
    match line.rsplit_once(" bytes=") {
        // The pages of redirects and errors hold the server's name, which has another length.
        Some((front, _)) if front.contains(" status=3") || front.contains(" status=4") => {
            front.to_owned()
        }
        Some((front, _)) if front.contains(" status=5") => front.to_owned(),
        _ => line,
    }
}

/// A line of the error log about a request, without time, process and connection; nothing of any
/// other line. Amounts above a rate, which shrink while they are told, are rounded.
pub fn error_line(server: &Tidegate, line: &str) -> String {
    let line = server.anonymous(line);
    let Some((front, text)) = line.split_once(": *") else { return String::new() };
    if text.ends_with("closed keepalive connection") || text.contains("while waiting for request") {
        return String::new();
    }
    let level = front.split(['[', ']']).nth(1).unwrap_or_default();
    let text = text.split_once(' ').map_or(text, |(_, text)| text);
    let text = match text.split_once("excess: ") {
        Some((before, after)) => {
            let end = after.find([' ', ',']).unwrap_or(after.len());
            let excess: f64 = after[..end].parse().unwrap_or_default();
            format!("{before}excess: {excess:.0}{}", &after[end..])
        }
        None => text.to_owned(),
    };
    format!("[{level}] {text}")
}

fn body(answer: &Answer) -> String {
    if answer.field("Content-Encoding") == Some("gzip") {
        let mut plain = Vec::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(answer.body.as_slice());
        return match decoder.read_to_end(&mut plain) {
            Ok(_) => format!("(gzip) {}", String::from_utf8_lossy(&plain)),
            Err(error) => format!("(bad gzip: {error})"),
        };
    }
    // Every byte counts, also those that are no text.
    match std::str::from_utf8(&answer.body) {
        Ok(text) => text.to_owned(),
        Err(_) => answer.body.escape_ascii().to_string(),
    }
}

/// `nginx/1.31.3` is `(product/version)`, `nginx` is `(product)`.
fn product(value: &str) -> String {
    match value.split_once('/') {
        Some((_, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            "(product/version)".to_owned()
        }
        None if value == "nginx" || value == "tidegate" => "(product)".to_owned(),
        _ => value.to_owned(),
    }
}

fn error_page(text: &str) -> String {
    let mark = "<hr><center>";
    match text.split_once(mark).and_then(|(a, b)| Some((a, b.split_once("</center>")?))) {
        Some((before, (name, after))) => {
            format!("{before}{mark}{}</center>{after}", product(name))
        }
        None => text.to_owned(),
    }
}

/// Whether it has the shape of `Sun, 06 Nov 1994 08:49:37 GMT`.
fn httpdate(value: &str) -> bool {
    value.len() == 29 && value.ends_with(" GMT") && value.as_bytes()[3] == b','
}

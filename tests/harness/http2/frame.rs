//! Frames of HTTP/2, from bytes and to bytes.

use crate::harness::answer::Answer;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;
pub const PRIORITISED: u8 = 0x20;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
    /// The fields of a header block, with the frame that ends it.
    pub fields: Vec<(String, String)>,
}

/// A frame's bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame").to_be_bytes();
    let mut out = vec![length[1], length[2], length[3], kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// Fields as literals that enter no table (RFC 7541, section 6.2.2).
pub fn literals(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        text(&mut out, name.as_bytes());
        text(&mut out, value.as_bytes());
    }
    out
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    let Some(mut rest) = bytes.len().checked_sub(127) else {
        out.push(bytes.len() as u8);
        return out.extend(bytes);
    };
    out.push(127);
    while rest >= 128 {
        out.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    out.push(rest as u8);
    out.extend(bytes);
}

/// The fields of a GET of this path, and others behind them.
pub fn get<'a>(path: &'a str, others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    request("GET", path, others)
}

/// The fields of a request, and others behind them.
pub fn request<'a>(
    method: &'a str,
    path: &'a str,
    others: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
    ];
    fields.extend(others);
    fields
}

/// A header block in as many frames as it takes.
pub fn blocks(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = block.chunks(16_000).collect();
    let mut out = Vec::new();
    for (place, piece) in pieces.iter().enumerate() {
        let last = if place + 1 == pieces.len() { END_HEADERS } else { 0 };
        let (kind, flags) = if place == 0 { (HEADERS, flags) } else { (CONTINUATION, 0) };
        out.extend(frame(kind, flags | last, stream, piece));
    }
    out
}

/// The bytes of SETTINGS.
pub fn settings_frame(settings: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = settings
        .iter()
        .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    frame(SETTINGS, 0, 0, &payload)
}

/// The first four bytes, as a number.
pub fn code(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload[..4].try_into().expect("four bytes"))
}

/// How long its payload is, as WINDOW_UPDATE says it.
pub fn length(frame: &Frame) -> [u8; 4] {
    u32::try_from(frame.payload.len()).expect("a frame").to_be_bytes()
}

/// Fields as text.
pub fn texts(fields: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<(String, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    fields.into_iter().map(|(name, value)| (text(name), text(value))).collect()
}

/// The fields of an answer's head as an answer of HTTP/1.
pub fn as_answer(mut fields: Vec<(String, String)>) -> Answer {
    let (name, status) = fields.remove(0);
    assert_eq!(name, ":status", "the first field of an answer");
    let status_line = format!("HTTP/2 {status}");
    Answer { status_line, status: status.parse().expect("a status"), fields, body: Vec::new() }
}

//! FastCGI's records, from the application's side.

const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;
const END: u8 = 3;

/// How long the first request of the bytes is, once it is whole: its input is closed.
pub fn request(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let (kind, content, next) = record(bytes, at)?;
        if kind == STDIN && content.is_empty() {
            return Some(next);
        }
        at = next;
    }
}

/// Kind and content of the record at this place, and where the next one is.
fn record(bytes: &[u8], at: usize) -> Option<(u8, &[u8], usize)> {
    let head = bytes.get(at..at + 8)?;
    let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
    let next = at + 8 + length + usize::from(head[6]);
    (bytes.len() >= next).then(|| (head[1], &bytes[at + 8..at + 8 + length], next))
}

/// A request as `FastCGI role flags` and its parameters, as `NAME=value` lines, and its input.
/// Content of like records is joined; that padding is right shows in the next record.
pub fn text(bytes: &[u8]) -> String {
    let (mut at, mut params, mut input) = (0, Vec::new(), Vec::new());
    let mut out = String::new();
    while let Some((kind, content, next)) = record(bytes, at) {
        assert_eq!(bytes[at..at + 4], [1, kind, 0, 1], "the head of a record");
        assert_eq!(next % 8, 0, "records are padded");
        match kind {
            1 => out += &format!("FastCGI role {} flags {}\n", content[1], content[2]),
            PARAMS => params.extend_from_slice(content),
            STDIN => input.extend_from_slice(content),
            _ => panic!("a record of kind {kind}"),
        }
        at = next;
    }
    for (name, value) in pairs(&params) {
        out += &format!("{name}={value}\n");
    }
    out + &String::from_utf8_lossy(&input)
}

fn pairs(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    while !bytes.is_empty() {
        let (name, value) = (length(&mut bytes), length(&mut bytes));
        let text = String::from_utf8_lossy;
        pairs.push((
            text(&bytes[..name]).into_owned(),
            text(&bytes[name..name + value]).into_owned(),
        ));
        bytes = &bytes[name + value..];
    }
    pairs
}

fn length(bytes: &mut &[u8]) -> usize {
    let size = if bytes[0] < 128 { 1 } else { 4 };
    let (length, rest) = bytes.split_at(size);
    *bytes = rest;
    let number = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    number & 0x7fff_ffff
}

/// Records of output. They are short, so that their heads are text.
pub fn stdout(text: &str) -> String {
    records(STDOUT, text)
}

/// Records of the error stream, one a text.
pub fn stderr(text: &str) -> String {
    records(STDERR, text)
}

fn records(kind: u8, text: &str) -> String {
    let mut out = String::new();
    for piece in text.as_bytes().chunks(120) {
        let length = char::from(piece.len() as u8);
        let padding = 8 - piece.len() % 8;
        out += &format!("\x01{}\0\x01\0{length}{}\0", char::from(kind), char::from(padding as u8));
        out += &String::from_utf8_lossy(piece);
        out += &"-".repeat(padding);
    }
    out
}

/// The output is closed.
pub fn closed() -> String {
    format!("\x01{}\0\x01\0\0\0\0", char::from(STDOUT))
}

/// The request is over, with this status of the protocol.
pub fn end(status: u8) -> String {
    format!("\x01{}\0\x01\0\x08\0\0\0\0\0\0{}\0\0\0", char::from(END), char::from(status))
}

/// A whole answer.
pub fn answer(text: &str) -> String {
    stdout(text) + &closed() + &end(0)
}

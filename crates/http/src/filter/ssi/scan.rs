//! Text and commands of a page that comes in pieces.

use bytes::{Buf, Bytes, BytesMut};

/// How a command begins.
const BEGINNING: &[u8] = b"<!--#";

/// How it ends.
const END: &[u8] = b"-->";

/// A piece of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text that stays.
    Text(Bytes),
    /// A command, with its beginning and its end.
    Command(Bytes),
    /// The end of a command that was too long.
    TooLong,
}

/// What has come and is not told yet.
#[derive(Debug)]
pub(super) struct Scanner {
    held: BytesMut,
    /// The most bytes of a command.
    most: usize,
    /// Whether the rest of a command that was too long is passed over.
    skipping: bool,
}

impl Scanner {
    /// A scanner of a page whose values have at most so many bytes.
    pub(super) fn new(value_length: usize) -> Self {
        let most = 16 * (value_length.saturating_add(64)) + 64;
        Self { held: BytesMut::new(), most, skipping: false }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next piece that is certain; `None` where more has to come.
    pub(super) fn next(&mut self) -> Option<Piece> {
        if self.held.is_empty() {
            return None;
        }
        if self.skipping {
            return self.skip();
        }
        match memchr::memmem::find(&self.held, BEGINNING) {
            Some(0) => self.command(),
            Some(at) => Some(Piece::Text(self.held.split_to(at).freeze())),
            None => {
                let certain = self.held.len() - beginning_at_end(&self.held);
                (certain > 0).then(|| Piece::Text(self.held.split_to(certain).freeze()))
            }
        }
    }

    /// What is left when the page is at its end: text, but no command that never ended.
    pub(super) fn rest(&mut self) -> Option<Piece> {
        let rest = self.held.split().freeze();
        let begun = self.skipping || rest.starts_with(BEGINNING);
        (!rest.is_empty() && !begun).then_some(Piece::Text(rest))
    }

    fn command(&mut self) -> Option<Piece> {
        if let Some(end) = end(&self.held) {
            return Some(Piece::Command(self.held.split_to(end).freeze()));
        }
        if self.held.len() <= self.most {
            return None;
        }
        self.skipping = true;
        self.skip()
    }

    fn skip(&mut self) -> Option<Piece> {
        if let Some(at) = memchr::memmem::find(&self.held, END) {
            self.held.advance(at + END.len());
            self.skipping = false;
            return Some(Piece::TooLong);
        }
        let useless = self.held.len().saturating_sub(END.len() - 1);
        self.held.advance(useless);
        None
    }
}

/// Where a command ends: behind the first end mark that is not within quotes.
fn end(command: &[u8]) -> Option<usize> {
    let mut quote = None;
    let mut at = BEGINNING.len();
    while let Some(&byte) = command.get(at) {
        match quote {
            Some(_) if byte == b'\\' => at += 1,
            Some(open) if byte == open => quote = None,
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            None if command.get(at..).is_some_and(|rest| rest.starts_with(END)) => {
                return Some(at + END.len());
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// How many bytes at the end may be the beginning of a command.
fn beginning_at_end(bytes: &[u8]) -> usize {
    (1..BEGINNING.len())
        .rev()
        .find(|&length| BEGINNING.get(..length).is_some_and(|part| bytes.ends_with(part)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(page: &str, cut: usize) -> Vec<String> {
        let mut scanner = Scanner::new(16);
        let mut out: Vec<String> = Vec::new();
        let tell = |piece: Piece, out: &mut Vec<String>| match piece {
            Piece::Text(text) => {
                let text = String::from_utf8(text.to_vec()).unwrap();
                match out.last_mut() {
                    Some(last) if last.starts_with("T:") => last.push_str(&text),
                    _ => out.push(format!("T:{text}")),
                }
            }
            Piece::Command(text) => out.push(format!("C:{}", String::from_utf8_lossy(&text))),
            Piece::TooLong => out.push("long".into()),
        };
        for part in page.as_bytes().chunks(cut) {
            scanner.feed(part);
            while let Some(piece) = scanner.next() {
                tell(piece, &mut out);
            }
        }
        if let Some(piece) = scanner.rest() {
            tell(piece, &mut out);
        }
        out
    }

    #[test]
    fn commands_are_found_wherever_a_page_is_cut() {
        let page = "a <!-- b --><!--# echo var='-->' --><<!--<!--#x-->end<!--#";
        for cut in 1..20 {
            assert_eq!(
                pieces(page, cut),
                ["T:a <!-- b -->", "C:<!--# echo var='-->' -->", "T:<<!--", "C:<!--#x-->", "T:end"],
                "{cut}"
            );
        }
    }

    #[test]
    fn a_command_without_end_is_not_kept() {
        let page = format!("a<!--#set x=\"{}\" -->b", "y".repeat(100_000));
        assert_eq!(pieces(&page, 1000), ["T:a", "long", "T:b"]);
        assert_eq!(pieces(&format!("<!--#set x=\"{}", "y".repeat(10_000)), 1000), [""; 0]);
    }
}

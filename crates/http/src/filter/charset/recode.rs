//! Bytes of one charset into those of another, wherever they are cut.

use std::sync::Arc;

use tidegate_config::http::charset::Recode;

use crate::filter::transform::Transform;

/// A conversion on its way.
pub(super) struct Recoder {
    recode: Arc<Recode>,
    /// The beginning of a character of UTF-8.
    held: Vec<u8>,
}

impl Recoder {
    /// Nothing converted yet.
    pub(super) fn new(recode: Arc<Recode>) -> Self {
        Self { recode, held: Vec::new() }
    }
}

impl Transform for Recoder {
    fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) {
        match &*self.recode {
            Recode::Bytes(table) => {
                let other = |byte: &u8| table.get(usize::from(*byte)).copied().unwrap_or(b'?');
                out.extend(input.iter().map(other));
            }
            Recode::ToUtf8(table) => {
                for byte in input {
                    out.extend_from_slice(table.get(usize::from(*byte)).map_or(b"?", |text| text));
                }
            }
            Recode::FromUtf8(table) => {
                for &byte in input {
                    self.held.push(byte);
                    let Some(character) = character(&self.held) else { continue };
                    self.held.clear();
                    match character {
                        Ok(ascii @ 0..128) => out.push(ascii as u8),
                        Ok(number) => match table.get(&number) {
                            Some(byte) => out.push(*byte),
                            None => out.extend_from_slice(format!("&#{number};").as_bytes()),
                        },
                        Err(Invalid) => out.push(b'?'),
                    }
                }
            }
        }
    }

    /// The beginning of a character is nothing.
    fn end(&mut self, _: &mut Vec<u8>) {
        self.held.clear();
    }
}

/// Bytes that are no character.
struct Invalid;

/// The character that these bytes are; `None` where more belong to it (nginx: `ngx_utf8_decode`).
fn character(bytes: &[u8]) -> Option<Result<u32, Invalid>> {
    let (&first, rest) = bytes.split_first()?;
    let (mut number, least, length) = match first {
        0..0x80 => return Some(Ok(u32::from(first))),
        0xc0..0xe0 => (u32::from(first & 0x1f), 0x7f, 1),
        0xe0..0xf0 => (u32::from(first & 0x0f), 0x7ff, 2),
        0xf0..0xf8 => (u32::from(first & 0x07), 0xffff, 3),
        _ => return Some(Err(Invalid)),
    };
    for &byte in rest {
        if byte & 0xc0 != 0x80 {
            return Some(Err(Invalid));
        }
        number = number << 6 | u32::from(byte & 0x3f);
    }
    if rest.len() < length {
        return None;
    }
    Some(if number > least { Ok(number) } else { Err(Invalid) })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn recoded(recode: Recode, text: &[u8], cut: usize) -> Vec<u8> {
        let mut recoder = Recoder::new(Arc::new(recode));
        let mut out = Vec::new();
        for piece in text.chunks(cut) {
            recoder.feed(piece, &mut out);
        }
        recoder.end(&mut out);
        out
    }

    #[test]
    fn characters_are_put_together_from_pieces() {
        let table = HashMap::from([(0x44f, 0xd1)]);
        for cut in 1..6 {
            let text = "aябя€😀".as_bytes();
            let out = recoded(Recode::FromUtf8(table.clone()), text, cut);
            assert_eq!(out, b"a\xd1&#1073;\xd1&#8364;&#128512;", "{cut}");
        }
    }

    #[test]
    fn what_is_no_character_is_a_question_mark() {
        let from = |text: &[u8]| recoded(Recode::FromUtf8(HashMap::new()), text, 10);
        assert_eq!(from(b"\xffa"), b"?a");
        assert_eq!(from(b"\xc0\x80b"), b"?b");
        assert_eq!(from(b"a\xd1"), b"a");
        assert_eq!(from(b"\x80"), b"?");
    }
}

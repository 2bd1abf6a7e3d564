//! From one charset to another, byte by byte.

use std::collections::HashMap;

/// How the bytes of one charset become those of another (nginx: `ngx_http_charset_tables_t`).
#[derive(Clone, Debug)]
pub enum Recode {
    /// A byte becomes a byte.
    Bytes(Box<[u8; 256]>),
    /// A byte becomes a character in UTF-8.
    ToUtf8(Vec<Box<[u8]>>),
    /// A character of UTF-8 becomes a byte, where there is one for it.
    FromUtf8(HashMap<u32, u8>),
}

impl Recode {
    /// There and back, by pairs of a byte and what it is in the other charset. Letters of ASCII are
    /// the same in all; a byte that is not among the pairs becomes a question mark.
    pub(crate) fn both(pairs: &[(u8, Vec<u8>)], utf8: bool) -> (Self, Self) {
        if utf8 {
            let plain = |byte: u8| if byte < 128 { vec![byte] } else { vec![b'?'] };
            let mut there: Vec<Box<[u8]>> =
                (0..=255).map(|byte| plain(byte).into_boxed_slice()).collect();
            let mut back = HashMap::new();
            for (byte, text) in pairs {
                if let Some(place) = there.get_mut(usize::from(*byte)) {
                    *place = text.clone().into_boxed_slice();
                }
                if let Some(c) = std::str::from_utf8(text).ok().and_then(|text| text.chars().next())
                {
                    back.insert(u32::from(c), *byte);
                }
            }
            return (Self::ToUtf8(there), Self::FromUtf8(back));
        }
        let mut there = Box::new([b'?'; 256]);
        for (byte, place) in (0..128).zip(there.iter_mut()) {
            *place = byte;
        }
        let mut back = there.clone();
        for (byte, text) in pairs {
            let other = text.first().copied().unwrap_or(b'?');
            if let Some(place) = there.get_mut(usize::from(*byte)) {
                *place = other;
            }
            if let Some(place) = back.get_mut(usize::from(other)) {
                *place = *byte;
            }
        }
        (Self::Bytes(there), Self::Bytes(back))
    }
}

//! PEM: sections of text that hold certificates, keys and lists (RFC 7468, RFC 1421).

use super::fault::Fault;
use crate::variable::user::decode_base64;

/// One section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What stands behind `BEGIN`: `CERTIFICATE`.
    pub label: String,
    /// The value of `DEK-Info`, where the content is encrypted in the old way.
    pub dek_info: Option<String>,
    /// The content, decoded.
    pub content: Vec<u8>,
}

/// All sections of a text; what stands between them is passed over. One without its end, or whose
/// content is no base64, is a fault.
pub fn sections(text: &[u8]) -> Result<Vec<Section>, Fault> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().map(str::trim);
    let mut sections = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = boundary(line, "-----BEGIN ") else { continue };
        let mut section = Section { label: label.to_owned(), dek_info: None, content: Vec::new() };
        let mut base64 = String::new();
        loop {
            let line = lines.next().ok_or(Fault::Damaged)?;
            if let Some(end) = boundary(line, "-----END ") {
                if end != label {
                    return Err(Fault::Damaged);
                }
                break;
            }
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("DEK-Info") => {
                    section.dek_info = Some(value.trim().to_owned());
                }
                Some(_) => {}
                None => base64.push_str(line),
            }
        }
        section.content = decode_base64(base64.as_bytes()).ok_or(Fault::Damaged)?;
        sections.push(section);
    }
    Ok(sections)
}

/// Base64 with its padding (RFC 4648, section 4).
pub fn encode_base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place) & 0x3f) as usize).copied();
            let digit = digit.filter(|_| place <= group.len()).unwrap_or(b'=');
            out.push(char::from(digit));
        }
    }
    out
}

fn boundary<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.strip_prefix(begin)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found_between_other_text_and_their_headers_read() {
        let text = "Bag Attributes\r\n-----BEGIN A-----\r\nYWJj\r\nZGU=\r\n-----END A-----\r\n\
            -----BEGIN B-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nYQ==\n-----END B-----";
        let found = sections(text.as_bytes()).unwrap();
        assert_eq!(found[0].label, "A");
        assert_eq!(found[0].content, b"abcde");
        assert_eq!(found[1].dek_info.as_deref(), Some("AES-128-CBC,00"));
        assert_eq!(found[1].content, b"a");
    }

    #[test]
    fn base64_comes_back_as_it_went() {
        for text in ["", "a", "ab", "abc", "abcd"] {
            assert_eq!(
                decode_base64(encode_base64(text.as_bytes()).as_bytes()).unwrap(),
                text.as_bytes()
            );
        }
        assert_eq!(encode_base64(b"ab"), "YWI=");
    }

    #[test]
    fn a_section_that_is_cut_or_no_base64_is_a_fault() {
        for text in ["-----BEGIN A-----\nYWJj", "-----BEGIN A-----\n!\n-----END A-----"] {
            assert!(sections(text.as_bytes()).is_err(), "{text}");
        }
        assert!(sections(b"nothing").unwrap().is_empty());
    }
}

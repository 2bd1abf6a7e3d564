//! `$remote_user`: the name a client gives itself, and the password with it.

use bytes::Bytes;

use crate::headers::Headers;

/// The name in `Authorization: Basic`, whatever the password; `None` where none is given.
pub(super) fn remote_user(headers: &Headers) -> Option<Bytes> {
    credentials(headers).map(|(name, _)| name)
}

/// The name and the password in `Authorization: Basic`; `None` where they are not given (nginx:
/// `ngx_http_auth_basic_user`).
pub(crate) fn credentials(headers: &Headers) -> Option<(Bytes, Bytes)> {
    const SCHEME: &[u8] = b"Basic ";
    let value = headers.get("Authorization")?;
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return None;
    }
    let decoded = Bytes::from(decode_base64(rest.trim_ascii_start())?);
    let end = memchr::memchr(b':', &decoded).filter(|end| *end > 0)?;
    Some((decoded.slice(..end), decoded.slice(end + 1..)))
}

/// Decodes base64 (RFC 4648, section 4), with or without its padding.
pub(crate) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memchr(b'=', text).unwrap_or(text.len());
    let digits = text.get(..end)?;
    if digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len());
    for group in digits.chunks(4) {
        let mut bits = 0u32;
        for &byte in group {
            bits = bits << 6 | u32::from(digit(byte)?);
        }
        bits <<= 6 * (4 - group.len());
        let [_, one, two, three] = bits.to_be_bytes();
        out.extend([one, two, three].iter().take(group.len() - 1));
    }
    Some(out)
}

/// Decodes base64 as URLs have it (RFC 4648, section 5).
pub(crate) fn decode_base64url(text: &[u8]) -> Option<Vec<u8>> {
    if text.iter().any(|byte| b"+/".contains(byte)) {
        return None;
    }
    let plain = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => *byte,
    };
    decode_base64(&text.iter().map(plain).collect::<Vec<u8>>())
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_taken_out_of_basic_authorization() {
        let user = |value: &'static str| {
            let mut headers = Headers::new();
            headers.push("Authorization", value);
            remote_user(&headers)
        };
        assert_eq!(user("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap(), "Aladdin");
        assert_eq!(user("basic  YTpi").unwrap(), "a");
        for none in
            ["Basic", "Basic ", "Bearer YTpi", "Basic YQ==", "Basic OmI=", "Basic !!!!", "Basic A"]
        {
            assert_eq!(user(none), None, "{none}");
        }
    }
}

//! A WebSocket over HTTP/2 (RFC 8441): within, it is the GET with `Upgrade` that it is in HTTP/1.

use std::hash::{BuildHasher, Hasher, RandomState};

use h2::ext::Protocol;
use http::Method;
use tidegate_http::head::http2::Carried;

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked_for(parts: &http::request::Parts) -> bool {
    let protocol = parts.extensions.get::<Protocol>();
    parts.method == Method::CONNECT && protocol.is_some_and(|name| name.as_str() == "websocket")
}

/// Makes an extended CONNECT the request that upstreams and configurations know.
pub(super) fn translate(carried: &mut Carried) {
    carried.method = Method::GET;
    // What the client sends is no body, but the WebSocket's own.
    carried.ended = true;
    carried.fields.remove("content-length");
    carried.fields.push("connection", "Upgrade");
    carried.fields.push("upgrade", "websocket");
    if !carried.fields.contains("sec-websocket-key") {
        carried.fields.push("sec-websocket-key", key());
    }
}

/// 16 bytes that nobody can foresee, as RFC 6455, section 4.1, wants them: in base64.
fn key() -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let random = || u128::from(RandomState::new().build_hasher().finish());
    let bytes = random() << 64 | random();
    let digit = |shift: u32| {
        let place = (bytes.rotate_left(shift + 6) & 63) as usize;
        DIGITS.get(place).map_or('A', |digit| char::from(*digit))
    };
    let mut text: String = (0..21).map(|number| digit(number * 6)).collect();
    // The last two bits, and what fills the group of four.
    let last = ((bytes & 3) << 4) as usize;
    text.push(DIGITS.get(last).map_or('A', |digit| char::from(*digit)));
    text.push_str("==");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        let (one, other) = (key(), key());
        assert_eq!((one.len(), one.ends_with("==")), (24, true));
        assert_ne!(one, other);
        assert!("AQgw".contains(one.chars().nth(21).unwrap()), "{one}");
    }

    #[test]
    fn an_extended_connect_becomes_a_get_with_upgrade() {
        let mut carried = Carried { method: Method::CONNECT, ..Carried::default() };
        translate(&mut carried);
        assert_eq!((carried.method, carried.ended), (Method::GET, true));
        assert_eq!(carried.fields.get("upgrade").unwrap(), "websocket");
    }
}

//! What goes over the wire, byte by byte.

use bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::protocol::{Event, Head, Invalid};

fn packet(params: &[(&str, &str)]) -> Packet {
    let owned = |text: &str| Bytes::from(text.to_owned());
    let params = params.iter().map(|(name, value)| (owned(name), owned(value))).collect();
    Packet { params, ..Packet::default() }
}

fn answer(text: &str) -> Result<Head, Invalid> {
    let codec = Uwsgi::new(&Packet::default()).unwrap();
    let mut input = BytesMut::from(text);
    match codec.decoder(4096).decode(&mut input, true)? {
        Some(Event::Head(head)) => Ok(head),
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_packet_has_little_endian_lengths() {
    let mut packet = packet(&[("A", "bc"), ("EMPTY", "")]);
    (packet.modifier1, packet.modifier2) = (5, 7);
    let codec = Uwsgi::new(&packet).unwrap();
    assert_eq!(codec.head(), b"\x05\x10\0\x07\x01\0A\x02\0bc\x05\0EMPTY\0\0");
}

#[test]
fn what_does_not_fit_sixteen_bits_is_refused() {
    let most = "v".repeat(65535 - 5);
    assert!(Uwsgi::new(&packet(&[("A", &most)])).is_ok());
    let more = most + "v";
    assert_eq!(Uwsgi::new(&packet(&[("A", &more)])).unwrap_err(), TooLong(65536));
}

#[test]
fn the_status_is_found_where_cgi_puts_it() {
    let head = answer("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n").unwrap();
    assert_eq!((head.status, head.reason), (404, Some("Not Found".into())));
    let head = answer("Status: 403 Go Away\r\n\r\n").unwrap();
    assert_eq!((head.status, head.reason), (403, Some("Go Away".into())));
    assert_eq!(answer("Status: 403\r\n\r\n").unwrap().reason, None);
    assert_eq!(answer("Location: /x\r\n\r\n").unwrap().status, 302);
    assert_eq!(answer("Location: /x\r\nStatus: 201\r\n\r\n").unwrap().status, 201);
    assert_eq!(answer("Content-Type: a/b\r\n\r\n").unwrap().status, 200);
    assert_eq!(answer("\r\nbody").unwrap().status, 200);
    assert_eq!(answer("Status: no\r\n\r\n"), Err(Invalid::Status("no".into())));
    assert_eq!(answer(""), Err(Invalid::Ended));
}

#[test]
fn chunks_are_taken_apart_here_too() {
    let codec = Uwsgi::new(&Packet::default()).unwrap();
    let mut decoder = codec.decoder(4096);
    let mut input =
        BytesMut::from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    assert!(matches!(decoder.decode(&mut input, false), Ok(Some(Event::Head(_)))));
    assert_eq!(decoder.decode(&mut input, false), Ok(Some(Event::Body("hi".into()))));
    assert_eq!(decoder.decode(&mut input, false), Ok(Some(Event::End)));
    assert!(!decoder.reusable(), "a connection carries one request");
}

/// What uWSGI reads.
fn unpack(mut bytes: &[u8]) -> Vec<(Bytes, Bytes)> {
    let mut text = || {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (text, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
        bytes = rest;
        Some(Bytes::copy_from_slice(text))
    };
    std::iter::from_fn(|| Some((text()?, text()?))).collect()
}

proptest! {
    #[test]
    fn a_packet_says_what_was_put_in(
        params in proptest::collection::vec((".{0,40}", ".{0,300}"), 0..40),
    ) {
        let borrowed: Vec<_> = params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let packet = packet(&borrowed);
        let codec = Uwsgi::new(&packet).unwrap();
        let head = codec.head();
        prop_assert_eq!(usize::from(u16::from_le_bytes([head[1], head[2]])), head.len() - 4);
        prop_assert_eq!(unpack(&head[4..]), packet.params);
    }
}

#[test]
fn a_connection_carries_one_request_only() {
    let codec = Uwsgi::new(&Packet::default()).unwrap();
    let mut decoder = codec.decoder(4096);
    let mut input = BytesMut::from("Status: 200\r\nContent-Length: 0\r\n\r\n");
    while !matches!(decoder.decode(&mut input, false), Ok(Some(Event::End))) {}
    assert!(!decoder.reusable());
}

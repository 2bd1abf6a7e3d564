//! gRPC's health checking protocol: one message each way, and a status behind it.
//!
//! Source: `grpc.health.v1`; messages as Protocol Buffers have them, each behind five bytes.

use bytes::{BufMut, Bytes, BytesMut};

/// `HealthCheckResponse.ServingStatus.SERVING`
const SERVING: u64 = 1;

/// `HealthCheckRequest`, framed.
pub(super) fn question(service: &str) -> Bytes {
    let mut message = BytesMut::new();
    if !service.is_empty() {
        message.put_u8(1 << 3 | 2);
        put_varint(&mut message, service.len() as u64);
        message.put_slice(service.as_bytes());
    }
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(0);
    framed.put_u32(message.len() as u32);
    framed.put_slice(&message);
    framed.freeze()
}

/// Whether `HealthCheckResponse`, framed, says that the service is served.
pub(super) fn is_serving(body: &[u8]) -> bool {
    let [0, one, two, three, four, rest @ ..] = body else { return false };
    let length = u32::from_be_bytes([*one, *two, *three, *four]) as usize;
    rest.get(..length).and_then(status) == Some(SERVING)
}

/// The value of field 1; 0 where it is not there, `None` where the message cannot be read.
fn status(mut message: &[u8]) -> Option<u64> {
    let mut status = 0;
    while !message.is_empty() {
        let tag = take_varint(&mut message)?;
        match tag & 7 {
            0 => {
                let value = take_varint(&mut message)?;
                if tag >> 3 == 1 {
                    status = value;
                }
            }
            1 => message = message.get(8..)?,
            2 => {
                let length = usize::try_from(take_varint(&mut message)?).ok()?;
                message = message.get(length..)?;
            }
            5 => message = message.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_service_is_asked_for_by_name() {
        assert_eq!(question("").as_ref(), [0; 5]);
        assert_eq!(question("a.B").as_ref(), b"\0\0\0\0\x05\x0a\x03a.B");
        let long = question(&"x".repeat(300));
        assert_eq!(long.get(5..8).unwrap(), [0x0a, 0xac, 0x02]);
    }

    #[test]
    fn only_one_that_serves_is_well() {
        assert!(is_serving(b"\0\0\0\0\x02\x08\x01"));
        assert!(is_serving(b"\0\0\0\0\x06\x12\x02ab\x08\x01"));
        for not in [
            &b"\0\0\0\0\x02\x08\x02"[..],
            b"\0\0\0\0\0",
            b"",
            b"\0\0\0\0\x09\x08\x01",
            b"\x01\0\0\0\x02\x08\x01",
        ] {
            assert!(!is_serving(not), "{not:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            _ = is_serving(&body);
            _ = status(&body);
        }
    }
}

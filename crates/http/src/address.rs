//! Addresses as text: most are IPv4's, for which the general way of formatting takes long.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Writes an address behind what is there.
pub fn put_ip(address: IpAddr, out: &mut Vec<u8>) {
    let IpAddr::V4(address) = address else {
        // Nothing fails that writes into memory.
        let _ = write!(out, "{address}");
        return;
    };
    out.reserve("255.255.255.255".len());
    for (place, octet) in address.octets().into_iter().enumerate() {
        if place > 0 {
            out.push(b'.');
        }
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
}

/// The same with a port.
pub fn put_socket(address: SocketAddr, out: &mut Vec<u8>) {
    if address.is_ipv4() {
        put_ip(address.ip(), out);
        out.push(b':');
        out.extend_from_slice(itoa::Buffer::new().format(address.port()).as_bytes());
    } else {
        let _ = write!(out, "{address}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_everywhere_else() {
        for text in ["127.0.0.1:80", "255.255.255.255:65535", "0.10.200.3:1", "[2001:db8::1]:443"] {
            let address: SocketAddr = text.parse().unwrap();
            let mut out = b"to ".to_vec();
            put_socket(address, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("to {text}"));
            let mut out = Vec::new();
            put_ip(address.ip(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), address.ip().to_string());
        }
    }
}

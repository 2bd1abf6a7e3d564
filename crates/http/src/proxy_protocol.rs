//! The PROXY protocol: what a balancer in front says of the connection it passes on.
//!
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>; bounds and words are nginx's
//! (`ngx_proxy_protocol.c`).

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use thiserror::Error;

/// What version 2 begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest header of version 1, in bytes (section 2.1).
const LONGEST_V1: usize = 107;

/// The longest header there may be, in bytes (nginx: `NGX_PROXY_PROTOCOL_MAX_HEADER`).
pub const LONGEST: usize = 4096;

/// The bytes before the addresses of version 2.
const FIXED: usize = 16;

/// The names of the values of version 2 (section 2.2).
const NAMES: [(&str, u8); 5] =
    [("alpn", 0x01), ("authority", 0x02), ("unique_id", 0x05), ("ssl", 0x20), ("netns", 0x30)];

/// The names of the values within the one about TLS.
const SSL_NAMES: [(&str, u8); 5] =
    [("version", 0x21), ("cn", 0x22), ("cipher", 0x23), ("sig_alg", 0x24), ("key_alg", 0x25)];

/// What a balancer says of a connection (nginx: `ngx_proxy_protocol_t`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// The client's address, as text.
    pub address: Bytes,
    /// The client's port.
    pub port: u16,
    /// The address the client connected to, as text.
    pub server_address: Bytes,
    /// The port the client connected to.
    pub server_port: u16,
    /// The values behind the addresses: a kind, a length and the bytes, each.
    values: Bytes,
}

/// What has become of the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The header is not complete.
    Partial,
    /// The header is complete: its length in bytes, and what it says, where that is anything.
    Header(usize, Option<Box<ProxyProtocol>>),
}

/// Why bytes are no header.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Invalid {
    /// They begin otherwise, or break off.
    #[error("broken header: \"{0}\"")]
    Broken(String),
    /// A version of the binary form that nobody knows.
    #[error("unknown PROXY protocol version: {0}")]
    Version(u8),
    /// It announces more bytes than are taken.
    #[error("PROXY protocol header is too large")]
    TooLarge,
    /// Its addresses do not fit what it announces.
    #[error("PROXY protocol header is too short for its addresses")]
    TooShort,
}

/// Reads a header from the front of `bytes`.
pub fn parse(bytes: &Bytes) -> Result<Parsed, Invalid> {
    let start = bytes.len().min(SIGNATURE.len());
    if bytes.get(..start) == SIGNATURE.get(..start) {
        return if start < SIGNATURE.len() { Ok(Parsed::Partial) } else { binary(bytes) };
    }
    text(bytes)
}

/// Version 1: a line.
fn text(bytes: &Bytes) -> Result<Parsed, Invalid> {
    const START: &[u8] = b"PROXY ";
    let broken = || {
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let shown = line.get(..LONGEST_V1).unwrap_or(line);
        Invalid::Broken(String::from_utf8_lossy(shown).trim_end().to_owned())
    };
    let start = bytes.len().min(START.len());
    if bytes.get(..start) != START.get(..start) {
        return Err(broken());
    }
    let within = bytes.get(..LONGEST_V1).unwrap_or(bytes);
    let Some(end) = memchr::memmem::find(within, b"\r\n") else {
        return if bytes.len() < LONGEST_V1 { Ok(Parsed::Partial) } else { Err(broken()) };
    };
    let line = bytes.slice(START.len().min(end)..end);
    if line.starts_with(b"UNKNOWN") {
        return Ok(Parsed::Header(end + 2, None));
    }
    let header = addresses(&line).ok_or_else(broken)?;
    Ok(Parsed::Header(end + 2, Some(Box::new(header))))
}

/// `TCP4 192.0.2.1 192.0.2.2 1000 80`
fn addresses(line: &Bytes) -> Option<ProxyProtocol> {
    let mut words = line.split(|byte| *byte == b' ');
    let family = words.next()?;
    if !matches!(family, b"TCP4" | b"TCP6") {
        return None;
    }
    let is_address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let mut address = || {
        let word = words.next()?;
        (!word.is_empty() && word.iter().all(is_address)).then(|| line.slice_ref(word))
    };
    let (address, server_address) = (address()?, address()?);
    let mut port = || std::str::from_utf8(words.next()?).ok()?.parse::<u16>().ok();
    let (port, server_port) = (port()?, port()?);
    let values = Bytes::new();
    let header = ProxyProtocol { address, port, server_address, server_port, values };
    words.next().is_none().then_some(header)
}

/// Version 2: addresses in binary, and values behind them.
fn binary(bytes: &Bytes) -> Result<Parsed, Invalid> {
    let Some([.., command, family, high, low]) = bytes.first_chunk::<FIXED>() else {
        return Ok(Parsed::Partial);
    };
    if command >> 4 != 2 {
        return Err(Invalid::Version(command >> 4));
    }
    let end = FIXED + usize::from(u16::from_be_bytes([*high, *low]));
    if end > LONGEST {
        return Err(Invalid::TooLarge);
    }
    if bytes.len() < end {
        return Ok(Parsed::Partial);
    }
    let rest = bytes.slice(FIXED..end);
    // What is no connection of a client, or of no kind we know, is passed over.
    let (proxied, stream) = (command & 15 == 1, family & 15 == 1);
    let header = match (proxied && stream, family >> 4) {
        (true, 1) => Some(ends::<4>(&rest)?),
        (true, 2) => Some(ends::<16>(&rest)?),
        _ => None,
    };
    Ok(Parsed::Header(end, header.map(Box::new)))
}

/// Two addresses of `N` bytes, two ports, and the values behind them.
fn ends<const N: usize>(rest: &Bytes) -> Result<ProxyProtocol, Invalid> {
    let short = Invalid::TooShort;
    let (source, behind) = rest.split_first_chunk::<N>().ok_or(short.clone())?;
    let (target, behind) = behind.split_first_chunk::<N>().ok_or(short.clone())?;
    let (ports, values) = behind.split_first_chunk::<4>().ok_or(short)?;
    let [source_high, source_low, target_high, target_low] = *ports;
    Ok(ProxyProtocol {
        address: shown(source),
        port: u16::from_be_bytes([source_high, source_low]),
        server_address: shown(target),
        server_port: u16::from_be_bytes([target_high, target_low]),
        values: rest.slice_ref(values),
    })
}

fn shown(address: &[u8]) -> Bytes {
    if let Ok(four) = <[u8; 4]>::try_from(address) {
        return Ipv4Addr::from(four).to_string().into();
    }
    <[u8; 16]>::try_from(address)
        .map(|all| Ipv6Addr::from(all).to_string().into())
        .unwrap_or_default()
}

impl ProxyProtocol {
    /// The value of this name (`$proxy_protocol_tlv_…`): one of nginx's, or `0x…`; with `ssl_`
    /// before it, one of those within the value about TLS.
    pub fn value(&self, name: &str) -> Option<Bytes> {
        let Some(inner) = name.strip_prefix("ssl_") else {
            return find(&self.values, &NAMES, name);
        };
        let ssl = find(&self.values, &NAMES, "ssl")?;
        // A byte of flags, and whether the client's certificate is good.
        let (head, _) = ssl.split_first_chunk::<5>()?;
        let [_, verify @ ..] = *head;
        if inner == "verify" {
            return Some(u32::from_be_bytes(verify).to_string().into());
        }
        find(&ssl.slice(head.len()..), &SSL_NAMES, inner)
    }
}

fn find(values: &Bytes, names: &[(&str, u8)], name: &str) -> Option<Bytes> {
    let listed = names.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    let digits = || name.strip_prefix("0x").and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let wanted = listed.or_else(digits)?;
    let mut rest = values.as_ref();
    loop {
        let ([kind, high, low], behind) = rest.split_first_chunk::<3>()?;
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, behind) = behind.split_at_checked(length)?;
        if *kind == wanted {
            return Some(values.slice_ref(value));
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Parsed, Invalid> {
        parse(&Bytes::copy_from_slice(bytes))
    }

    fn header(bytes: &[u8]) -> ProxyProtocol {
        match read(bytes) {
            Ok(Parsed::Header(_, Some(header))) => *header,
            other => panic!("{other:?}"),
        }
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = (rest.len() as u16).to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    #[test]
    fn a_line_is_read_however_it_comes() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n";
        for cut in 0..line.len() {
            assert_eq!(read(&line[..cut]), Ok(Parsed::Partial), "{cut}");
        }
        let found = header(&[&line[..], b"GET /"].concat());
        assert_eq!((found.address.as_ref(), found.port), (&b"192.0.2.1"[..], 1000));
        assert_eq!((found.server_address.as_ref(), found.server_port), (&b"192.0.2.2"[..], 80));
        assert_eq!(header(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n").address, "2001:db8::1");
        assert_eq!(read(b"PROXY UNKNOWN what ever\r\nx"), Ok(Parsed::Header(25, None)));
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP5 1.1.1.1 1.1.1.1 1 2\r\n",
            b"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n",
            b"PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n",
            b"PROXY TCP4 one two 1 2\r\n",
            b"PROXY TCP4 1.1.1.1 1.1.1.1 1 2 3\r\n",
            &[b"PROXY TCP4 ", &[b'1'; 100][..]].concat(),
        ] {
            assert!(matches!(read(bytes), Err(Invalid::Broken(_))), "{bytes:?}");
        }
        assert_eq!(read(&v2(0x31, 0x11, b"")), Err(Invalid::Version(3)));
        assert_eq!(read(&v2(0x21, 0x11, b"short")), Err(Invalid::TooShort));
        assert_eq!(read(&v2(0x21, 0x11, &[0; 4096])), Err(Invalid::TooLarge));
    }

    #[test]
    fn the_binary_form_has_addresses_and_values() {
        let mut rest = vec![192, 0, 2, 1, 192, 0, 2, 2, 3, 232, 0, 80];
        rest.extend(b"\x01\0\x02h2\x05\0\x00");
        rest.extend(b"\x20\0\x0d\x01\0\0\0\x07\x21\0\x05TLSv1");
        rest.extend(b"\xea\0\x01z");
        let bytes = v2(0x21, 0x11, &rest);
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut]), Ok(Parsed::Partial), "{cut}");
        }
        let found = header(&bytes);
        assert_eq!((found.address.as_ref(), found.port), (&b"192.0.2.1"[..], 1000));
        let value =
            |name| found.value(name).map(|value| String::from_utf8_lossy(&value).into_owned());
        assert_eq!(value("alpn").unwrap(), "h2");
        assert_eq!(value("unique_id").unwrap(), "");
        assert_eq!(value("ssl_version").unwrap(), "TLSv1");
        assert_eq!(value("ssl_verify").unwrap(), "7");
        assert_eq!(value("0xea").unwrap(), "z");
        assert_eq!(value("authority"), None);
        assert_eq!(value("ssl_cn"), None);
        assert_eq!(value("nonsense"), None);
        let six = [&[0; 15][..], &[1], &[0; 16], &[0, 1, 0, 2]].concat();
        assert_eq!(header(&v2(0x21, 0x21, &six)).address, "::1");
        assert_eq!(read(&v2(0x20, 0, b"abc")), Ok(Parsed::Header(19, None)));
        assert_eq!(read(&v2(0x21, 0x12, &[0; 12])), Ok(Parsed::Header(28, None)));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(bytes in prop::collection::vec(any::<u8>(), 0..300), name in "[a-z_0-9x]{0,9}") {
            if let Ok(Parsed::Header(_, Some(header))) = read(&v2(0x21, 0x11, &bytes)) {
                let _ = header.value(&name);
            }
            let _ = read(&bytes);
            let _ = read(&[b"PROXY ", &bytes[..]].concat());
        }
    }
}

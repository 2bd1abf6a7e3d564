//! Networks, as `allow`, `deny`, `set_real_ip_from` and `geo` name them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::number;

/// A network, or what stands for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cidr {
    /// `all`: every client.
    All,
    /// `unix:`: clients of unix sockets.
    Unix,
    /// An address and how many of its leading bits count.
    Network(IpAddr, u8),
}

impl Cidr {
    /// Reads `all`, `unix:`, an address, or an address and a length (`ngx_ptocidr`).
    pub fn parse(text: &str) -> Option<Cidr> {
        match text {
            "all" => return Some(Cidr::All),
            "unix:" => return Some(Cidr::Unix),
            _ => {}
        }
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address = parse_ip(address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => number::parse(length).filter(|&length| length <= most)?,
            None => most,
        };
        Some(Cidr::Network(address, length as u8))
    }

    /// The network of one address.
    pub fn address(address: IpAddr) -> Cidr {
        Cidr::Network(address, if address.is_ipv4() { 32 } else { 128 })
    }

    /// Whether bits are set that do not count, of which nginx warns
    /// ("low address bits of … are meaningless").
    pub fn has_meaningless_bits(&self) -> bool {
        match *self {
            Cidr::Network(IpAddr::V4(address), length) => address.to_bits() & !mask_v4(length) != 0,
            Cidr::Network(IpAddr::V6(address), length) => address.to_bits() & !mask_v6(length) != 0,
            Cidr::All | Cidr::Unix => false,
        }
    }

    /// The same network without bits that do not count.
    #[must_use]
    pub fn masked(&self) -> Cidr {
        match *self {
            Cidr::Network(IpAddr::V4(address), length) => {
                let bits = address.to_bits() & mask_v4(length);
                Cidr::Network(IpAddr::V4(bits.into()), length)
            }
            Cidr::Network(IpAddr::V6(address), length) => {
                let bits = address.to_bits() & mask_v6(length);
                Cidr::Network(IpAddr::V6(bits.into()), length)
            }
            whole => whole,
        }
    }

    /// Whether a client's address belongs to it. An IPv4 address that came over an IPv6 socket
    /// (`::ffff:192.0.2.1`) is the IPv4 address.
    pub fn contains(&self, client: IpAddr) -> bool {
        match (*self, client.to_canonical()) {
            (Cidr::All, _) => true,
            (Cidr::Network(IpAddr::V4(address), length), IpAddr::V4(client)) => {
                (address.to_bits() ^ client.to_bits()) & mask_v4(length) == 0
            }
            (Cidr::Network(IpAddr::V6(address), length), IpAddr::V6(client)) => {
                (address.to_bits() ^ client.to_bits()) & mask_v6(length) == 0
            }
            _ => false,
        }
    }

    /// Whether a client of a unix socket belongs to it.
    pub fn contains_unix(&self) -> bool {
        matches!(self, Cidr::All | Cidr::Unix)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cidr::All => f.write_str("all"),
            Cidr::Unix => f.write_str("unix:"),
            Cidr::Network(address, length) => write!(f, "{address}/{length}"),
        }
    }
}

fn mask_v4(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

fn mask_v6(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

/// Reads an address without a port, IPv6 without brackets.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    parse_v4(text).map(IpAddr::V4).or_else(|| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6))
}

/// Reads an IPv4 address: four decimal numbers, which may begin with zeros or be left out
/// (`ngx_inet_addr`).
fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = text.split('.').map(|octet| {
        let is_number = octet.bytes().all(|byte| byte.is_ascii_digit());
        let digits = octet.trim_start_matches('0');
        match digits {
            "" if is_number => Some(0),
            _ if is_number => digits.parse::<u8>().ok(),
            _ => None,
        }
    });
    let mut next = || octets.next().flatten();
    let address = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    octets.next().is_none().then_some(address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contains(network: &str, client: &str) -> bool {
        Cidr::parse(network).unwrap().contains(client.parse().unwrap())
    }

    #[test]
    fn a_network_contains_the_addresses_that_share_its_bits() {
        assert!(contains("192.0.2.0/24", "192.0.2.255"));
        assert!(!contains("192.0.2.0/24", "192.0.3.0"));
        assert!(contains("192.0.2.1", "192.0.2.1"));
        assert!(!contains("192.0.2.1", "192.0.2.2"));
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(contains("2001:db8::/32", "2001:db8::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("::/0", "::1"));
        assert!(!contains("::/0", "127.0.0.1"));
        assert!(contains("all", "127.0.0.1") && contains("all", "::1"));
        assert!(!contains("unix:", "127.0.0.1"));
        assert!(Cidr::Unix.contains_unix() && Cidr::All.contains_unix());
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        assert!(contains("192.0.2.0/24", "::ffff:192.0.2.7"));
        assert!(!contains("::/0", "::ffff:192.0.2.7"));
    }

    #[test]
    fn bits_beyond_the_length_do_not_count() {
        let cidr = Cidr::parse("192.0.2.7/24").unwrap();
        assert!(cidr.has_meaningless_bits() && cidr.contains([192, 0, 2, 1].into()));
        assert!(!Cidr::parse("192.0.2.7").unwrap().has_meaningless_bits());
        assert!(!Cidr::parse("2001:db8::/32").unwrap().has_meaningless_bits());
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let wrong = ["", "192.0.2", "192.0.2.256", "192.0.2.0/33", "::/129", "1.2.3.4/", "x"];
        let more = ["1.2.3.4/24/1", "[::1]", "1.2.3.4/255.255.255.0", "ALL", "1.2.3.4.5"];
        for text in wrong.into_iter().chain(more) {
            assert_eq!(Cidr::parse(text), None, "{text}");
        }
        assert_eq!(Cidr::parse("010.0.0.1"), Cidr::parse("10..0.1"));
    }

    proptest! {
        #[test]
        fn a_network_contains_its_own_address(bits in any::<u32>(), length in 0..=32u8) {
            let address = IpAddr::from(Ipv4Addr::from_bits(bits));
            let cidr = Cidr::parse(&format!("{address}/{length}")).unwrap();
            prop_assert!(cidr.contains(address));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f.:/é]{0,20}") {
            _ = Cidr::parse(&text);
        }
    }
}

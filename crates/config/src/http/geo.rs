//! `geo`: a variable whose value depends on an address.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use bytes::Bytes;

use crate::value::cidr::Cidr;
use crate::value::template::Template;
use crate::variable::Slot;

/// A `geo` block.
#[derive(Clone, Debug)]
pub struct Geo {
    /// The address that is looked up; the client's, where none is named.
    pub source: Option<Template>,
    /// The variable that gets the value.
    pub target: Slot,
    /// What holds where no network has the address.
    pub default: Bytes,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Vec<Cidr>,
    /// `proxy_recursive`: believed addresses at the end of the list are passed over.
    pub proxy_recursive: bool,
    /// Values by network; the longest network that has the address decides.
    pub networks: Networks,
}

/// Values by network or by range of addresses.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// By the number of bits that count, the most first: value by those bits.
    v4: BTreeMap<Reverse<u8>, HashMap<u32, Bytes>>,
    v6: BTreeMap<Reverse<u8>, HashMap<u128, Bytes>>,
    /// `ranges`: first and last address, and the value. The last one that was said decides.
    ranges: Vec<(u32, u32, Bytes)>,
}

impl Networks {
    /// Adds a network; the value that it had comes back.
    pub(crate) fn insert(&mut self, network: IpAddr, bits: u8, value: Bytes) -> Option<Bytes> {
        match network {
            IpAddr::V4(ip) => self.v4.entry(Reverse(bits)).or_default().insert(ip.to_bits(), value),
            IpAddr::V6(ip) => self.v6.entry(Reverse(bits)).or_default().insert(ip.to_bits(), value),
        }
    }

    /// Takes a network out.
    pub(crate) fn remove(&mut self, network: IpAddr, bits: u8) -> Option<Bytes> {
        match network {
            IpAddr::V4(ip) => self.v4.entry(Reverse(bits)).or_default().remove(&ip.to_bits()),
            IpAddr::V6(ip) => self.v6.entry(Reverse(bits)).or_default().remove(&ip.to_bits()),
        }
    }

    /// Adds a range.
    pub(crate) fn insert_range(&mut self, first: u32, last: u32, value: Bytes) {
        self.ranges.push((first, last, value));
    }

    /// Takes a range out.
    pub(crate) fn remove_range(&mut self, first: u32, last: u32) -> bool {
        let before = self.ranges.len();
        self.ranges.retain(|range| (range.0, range.1) != (first, last));
        self.ranges.len() < before
    }

    /// The value of an address. Its cost grows with the number of lengths, not of networks.
    pub fn get(&self, address: IpAddr) -> Option<&Bytes> {
        match address {
            IpAddr::V4(ip) => {
                let ip = ip.to_bits();
                let within = |range: &&(u32, u32, Bytes)| (range.0..=range.1).contains(&ip);
                if let Some(range) = self.ranges.iter().rev().find(within) {
                    return Some(&range.2);
                }
                self.v4.iter().find_map(|(Reverse(bits), table)| {
                    let mask = u32::MAX.checked_shl(32 - u32::from(*bits)).unwrap_or(0);
                    table.get(&(ip & mask))
                })
            }
            IpAddr::V6(ip) => {
                if let Some(ip) = ip.to_ipv4_mapped() {
                    return self.get(ip.into());
                }
                self.v6.iter().find_map(|(Reverse(bits), table)| {
                    let mask = u128::MAX.checked_shl(128 - u32::from(*bits)).unwrap_or(0);
                    table.get(&(ip.to_bits() & mask))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_network_decides() {
        let mut networks = Networks::default();
        for (network, bits, value) in [
            ("10.0.0.0", 8, "ten"),
            ("10.1.0.0", 16, "one"),
            ("0.0.0.0", 0, "all"),
            ("fd00::", 8, "six"),
        ] {
            networks.insert(network.parse().unwrap(), bits, value.into());
        }
        let get = |address: &str| networks.get(address.parse().unwrap()).cloned();
        assert_eq!(get("10.1.2.3").unwrap(), "one");
        assert_eq!(get("10.2.2.3").unwrap(), "ten");
        assert_eq!(get("9.9.9.9").unwrap(), "all");
        assert_eq!(get("::ffff:10.1.0.1").unwrap(), "one");
        assert_eq!(get("fd01::1").unwrap(), "six");
        assert_eq!(get("fe80::1"), None);
    }
}

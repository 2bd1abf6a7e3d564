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
    /// `ranges`: first and last address, and the value, in order; no address is in two.
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

    /// Whether nothing was said yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty() && self.ranges.is_empty()
    }

    /// Adds a range, also within another one, of which it takes its part; the value of the very same
    /// range comes back, or one that has only some of it.
    pub(crate) fn insert_range(
        &mut self,
        first: u32,
        last: u32,
        value: Bytes,
    ) -> Result<Option<Bytes>, (u32, u32)> {
        let place = self.ranges.partition_point(|range| range.1 < first);
        let around = self.ranges.get(place).filter(|range| range.0 <= last).cloned();
        let Some((from, to, old)) = around else {
            self.ranges.insert(place, (first, last, value));
            return Ok(None);
        };
        if first < from || last > to {
            return Err((from, to));
        }
        let before = (from < first).then(|| (from, first - 1, old.clone()));
        let behind = (last < to).then(|| (last + 1, to, old.clone()));
        let same = before.is_none() && behind.is_none();
        let pieces = before.into_iter().chain([(first, last, value)]).chain(behind);
        self.ranges.splice(place..=place, pieces);
        Ok(same.then_some(old))
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
                let place = self.ranges.partition_point(|range| range.1 < ip);
                let range = self.ranges.get(place).filter(|range| range.0 <= ip);
                if let Some((_, _, value)) = range {
                    return Some(value);
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

    #[test]
    fn a_range_takes_its_part_of_one_around_it() {
        let mut networks = Networks::default();
        assert_eq!(networks.insert_range(10, 20, "wide".into()), Ok(None));
        assert_eq!(networks.insert_range(12, 14, "inner".into()), Ok(None));
        assert_eq!(networks.insert_range(12, 14, "again".into()), Ok(Some("inner".into())));
        assert_eq!(networks.insert_range(18, 25, "across".into()), Err((15, 20)));
        assert_eq!(networks.insert_range(30, 40, "far".into()), Ok(None));
        let get = |number: u32| {
            let value = networks.get(std::net::Ipv4Addr::from_bits(number).into());
            value.map(|value| String::from_utf8_lossy(value).into_owned())
        };
        let all: Vec<_> = [9, 10, 11, 12, 14, 15, 20, 21, 30, 41].map(get).into();
        let value = |text: &str| Some(text.to_owned());
        assert_eq!(
            all,
            [
                None,
                value("wide"),
                value("wide"),
                value("again"),
                value("again"),
                value("wide"),
                value("wide"),
                None,
                value("far"),
                None
            ]
        );
    }
}

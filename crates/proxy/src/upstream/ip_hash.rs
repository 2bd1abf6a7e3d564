//! `ip_hash`: the same client asks the same peer.
//!
//! nginx: `ngx_http_upstream_get_ip_hash_peer`.

use std::net::IpAddr;

use bytes::Bytes;
use tidegate_http::client::Endpoint;

/// What a client is known by: the first three octets of an IPv4 address, so that a network stays
/// together, all of an IPv6 address, and the same for all clients of unix sockets.
pub(super) fn key(client: &Endpoint) -> Bytes {
    match client {
        Endpoint::Ip(address) => match address.ip() {
            IpAddr::V4(address) => {
                let [one, two, three, _] = address.octets();
                Bytes::copy_from_slice(&[one, two, three])
            }
            IpAddr::V6(address) => Bytes::copy_from_slice(&address.octets()),
        },
        Endpoint::Unix(_) => Bytes::from_static(&[0; 3]),
    }
}

/// The numbers that are drawn for a client, one after the other.
#[derive(Debug)]
pub(super) struct Numbers {
    key: Bytes,
    hash: u32,
}

impl Numbers {
    /// Begins.
    pub(super) fn new(key: Bytes) -> Self {
        Self { key, hash: 89 }
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u32 {
        let mix = |hash: u32, octet: &u8| (hash * 113 + u32::from(*octet)) % 6271;
        self.hash = self.key.iter().fold(self.hash, mix);
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Bytes {
        key(&Endpoint::Ip((text.parse::<IpAddr>().unwrap(), 1).into()))
    }

    #[test]
    fn a_network_of_ipv4_is_one_client() {
        assert_eq!(ip("10.1.2.3"), ip("10.1.2.200"));
        assert_ne!(ip("10.1.2.3"), ip("10.1.3.3"));
        assert_ne!(ip("2001:db8::1"), ip("2001:db8::2"));
    }

    #[test]
    fn numbers_go_on_from_the_last_hash() {
        let mut numbers = Numbers::new(ip("127.0.0.1"));
        assert_eq!([numbers.next(), numbers.next()], [4040, 5510]);
    }
}

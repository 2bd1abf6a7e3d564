//! realip: the client's address, told by a proxy that is believed.

use std::net::{IpAddr, SocketAddr};

use tidegate_config::http::realip::RealIpHeader;
use tidegate_config::value::cidr::{Cidr, parse_ip};

use crate::client::Endpoint;
use crate::exchange::Exchange;

/// Takes the client's address from the field that names it, where who sent it is believed (nginx:
/// `ngx_http_realip_handler`). Asked again where a location was found, which may believe others,
/// unless an address was taken before.
pub fn run(ex: &mut Exchange<'_>) {
    let realip = &ex.location.realip;
    if realip.from.is_empty() || ex.remote != ex.connection.peer {
        return;
    }
    let values: Vec<&[u8]> = match &realip.header {
        RealIpHeader::Field(name) => {
            ex.request.headers.get(name).into_iter().map(AsRef::as_ref).collect()
        }
        RealIpHeader::ForwardedFor => {
            ex.request.headers.all(b"X-Forwarded-For").map(AsRef::as_ref).collect()
        }
        RealIpHeader::ProxyProtocol => {
            ex.connection.proxy_protocol.iter().map(|said| said.address.as_ref()).collect()
        }
    };
    let believed = (realip.from.as_slice(), realip.recursive);
    if let Some(mut found) = forwarded(&ex.connection.peer, &values, believed) {
        if let (RealIpHeader::ProxyProtocol, Some(said)) =
            (&realip.header, &ex.connection.proxy_protocol)
        {
            found.set_port(said.port);
        }
        ex.remote = Endpoint::Ip(found);
    }
}

/// The address that the values name, the last of them first (nginx: `ngx_http_get_forwarded_addr`).
/// `from` are those whose word is taken; `recursive` passes over their own addresses.
pub(crate) fn forwarded(
    peer: &Endpoint,
    values: &[&[u8]],
    (from, recursive): (&[Cidr], bool),
) -> Option<SocketAddr> {
    let mut found = None;
    let mut believed = is_believed(peer, from);
    for value in values.iter().rev() {
        let names = value.rsplit(|byte| matches!(byte, b' ' | b','));
        for name in names.filter(|name| !name.is_empty()) {
            if !believed {
                return found;
            }
            let Some(address) = parse_address(name) else { return found };
            found = Some(address);
            if !recursive {
                return found;
            }
            believed = is_believed(&Endpoint::Ip(address), from);
        }
    }
    found
}

fn is_believed(endpoint: &Endpoint, from: &[Cidr]) -> bool {
    from.iter().any(|network| match endpoint {
        Endpoint::Ip(address) => network.contains(address.ip()),
        Endpoint::Unix(_) => network.contains_unix(),
    })
}

/// An address, with a port or without: `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]`, `[::1]:5`.
fn parse_address(text: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address);
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address: IpAddr = parse_ip(bare)?;
    Some(SocketAddr::new(address, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(from: &[&str], recursive: bool, values: &[&str]) -> Option<String> {
        let from: Vec<Cidr> = from.iter().map(|text| Cidr::parse(text).unwrap()).collect();
        let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        let peer = Endpoint::Ip("127.0.0.1:5".parse().unwrap());
        forwarded(&peer, &values, (&from, recursive)).map(|address| address.to_string())
    }

    #[test]
    fn the_last_address_is_believed_if_its_sender_is() {
        let local = &["127.0.0.0/8"];
        assert_eq!(client(local, false, &["1.1.1.1, 2.2.2.2"]).unwrap(), "2.2.2.2:0");
        assert_eq!(client(local, false, &["1.1.1.1", "3.3.3.3:9"]).unwrap(), "3.3.3.3:9");
        assert_eq!(client(local, false, &["[::1]:7"]).unwrap(), "[::1]:7");
        assert_eq!(client(&["10.0.0.0/8"], false, &["1.1.1.1"]), None);
        assert_eq!(client(local, false, &["rubbish"]), None);
        assert_eq!(client(local, false, &[""]), None);
    }

    #[test]
    fn believed_addresses_are_passed_over_where_told() {
        let from = &["127.0.0.1", "10.0.0.0/8"];
        let find = |values: &[&str]| client(from, true, values).unwrap();
        assert_eq!(find(&["1.1.1.1, 2.2.2.2, 10.0.0.1"]), "2.2.2.2:0");
        assert_eq!(find(&["10.0.0.9,10.0.0.1"]), "10.0.0.9:0");
        assert_eq!(find(&["1.1.1.1, rubbish, 10.0.0.1"]), "10.0.0.1:0");
        assert_eq!(find(&["4.4.4.4", "10.0.0.1"]), "4.4.4.4:0");
    }
}

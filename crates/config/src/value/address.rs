//! Addresses to listen on and to connect to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::{cidr, number};

/// What is wrong with an address, in nginx's words; the directive adds where it stands, as in
/// `invalid port in upstream "x"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing stands before the port.
    #[error("no host")]
    NoHost,
    /// Something stands where no host name can.
    #[error("invalid host")]
    InvalidHost,
    /// The port is no number from 1 to 65535.
    #[error("invalid port")]
    InvalidPort,
    /// The range of ports ends before it begins.
    #[error("invalid port range")]
    InvalidPortRange,
    /// Between the brackets stands no IPv6 address.
    #[error("invalid IPv6 address")]
    InvalidIpv6,
    /// Nothing stands after `unix:`.
    #[error("no path in the unix domain socket")]
    NoPath,
    /// The path does not fit in a socket's name.
    #[error("too long path in the unix domain socket")]
    TooLongPath,
}

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// An address and a port.
    Ip(SocketAddr),
    /// A name, of a host or of an `upstream` block.
    Host {
        /// The name as written.
        host: String,
        /// The port, if one is written.
        port: Option<u16>,
    },
}

/// Whether a URI may follow the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// No: the `server` of an upstream.
    Server,
    /// Yes: `proxy_pass` after its scheme, `uwsgi_pass` and the like.
    Pass,
}

/// An address with what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where to connect to.
    pub address: Address,
    /// Whether a port is written; if not, an [`Address::Ip`] has the default one.
    pub has_port: bool,
    /// The URI behind it, from its `/` or `?` on; for a unix socket what follows the second colon.
    pub uri: String,
}

impl Target {
    /// Reads `host`, `host:port`, `1.2.3.4:80`, `[::1]:80`, `unix:/path`, `unix:/path:/uri`
    /// (`ngx_parse_url`).
    pub fn parse(text: &str, default_port: u16, form: Form) -> Result<Target, AddressError> {
        if let Some(path) = strip_unix(text) {
            let (path, uri) = match path.split_once(':') {
                Some((path, uri)) if form == Form::Pass => (path, uri),
                _ => (path, ""),
            };
            let address = Address::Unix(unix(path)?);
            return Ok(Target { address, has_port: false, uri: uri.to_owned() });
        }
        let (authority, uri) = split_uri(text);
        if !uri.is_empty() && form == Form::Server {
            return Err(AddressError::InvalidHost);
        }
        let (host, port) = split_port(authority)?;
        let port = port.map(parse_port).transpose()?;
        let address = match parse_host(host)? {
            Some(ip) => Address::Ip(SocketAddr::new(ip, port.unwrap_or(default_port))),
            None => Address::Host { host: host.to_owned(), port },
        };
        Ok(Target { address, has_port: port.is_some(), uri: uri.to_owned() })
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// A unix socket.
    Unix(PathBuf),
    /// An address and its ports, mostly one.
    Ip(IpAddr, RangeInclusive<u16>),
    /// A name that is to be looked up, and the ports.
    Host(String, RangeInclusive<u16>),
}

impl ListenAddress {
    /// Reads `80`, `*:80`, `1.2.3.4`, `[::]:80`, `localhost:8000-8010`, `unix:/path`; without a
    /// port it is 80.
    pub fn parse(text: &str) -> Result<ListenAddress, AddressError> {
        const DEFAULT: RangeInclusive<u16> = 80..=80;
        const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        if let Some(path) = strip_unix(text) {
            return unix(path).map(ListenAddress::Unix);
        }
        if !split_uri(text).1.is_empty() {
            return Err(AddressError::InvalidHost);
        }
        let (host, port) = split_port(text)?;
        if port.is_none() && is_ports(host) {
            return Ok(ListenAddress::Ip(ANY, parse_ports(host)?));
        }
        let ports = port.map_or(Ok(DEFAULT), parse_ports)?;
        if host == "*" {
            return Ok(ListenAddress::Ip(ANY, ports));
        }
        Ok(match parse_host(host)? {
            Some(ip) => ListenAddress::Ip(ip, ports),
            None => ListenAddress::Host(host.to_owned(), ports),
        })
    }
}

fn strip_unix(text: &str) -> Option<&str> {
    let (scheme, path) = text.split_at_checked(5)?;
    scheme.eq_ignore_ascii_case("unix:").then_some(path)
}

fn unix(path: &str) -> Result<PathBuf, AddressError> {
    /// What `sun_path` holds, without the final zero.
    const LONGEST: usize = 107;
    match path.len() {
        0 => Err(AddressError::NoPath),
        1..=LONGEST => Ok(PathBuf::from(path)),
        _ => Err(AddressError::TooLongPath),
    }
}

/// The part before the URI, and the URI.
fn split_uri(text: &str) -> (&str, &str) {
    let marks: &[char] = if text.starts_with('[') { &['/'] } else { &['/', '?'] };
    text.split_at(text.find(marks).unwrap_or(text.len()))
}

/// The host, with the brackets of IPv6, and the port if there is one.
fn split_port(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if !text.starts_with('[') {
        return Ok(match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        });
    }
    let close = text.find(']').ok_or(AddressError::InvalidHost)?;
    let (host, rest) = text.split_at(close + 1);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(AddressError::InvalidHost),
    }
}

/// The address that a host is, or `None` if it is a name.
fn parse_host(host: &str) -> Result<Option<IpAddr>, AddressError> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some("") => Err(AddressError::NoHost),
        Some(ip) => match ip.parse::<Ipv6Addr>() {
            Ok(ip) => Ok(Some(ip.into())),
            Err(_) => Err(AddressError::InvalidIpv6),
        },
        None if host.is_empty() => Err(AddressError::NoHost),
        None => Ok(cidr::parse_ip(host).filter(IpAddr::is_ipv4)),
    }
}

fn parse_port(text: &str) -> Result<u16, AddressError> {
    match number::parse(text).and_then(|port| u16::try_from(port).ok()) {
        Some(port @ 1..) => Ok(port),
        _ => Err(AddressError::InvalidPort),
    }
}

/// Whether it is nothing but a port or a range of ports.
fn is_ports(text: &str) -> bool {
    let (first, last) = text.split_once('-').unwrap_or((text, "0"));
    number::parse(first).is_some() && number::parse(last).is_some()
}

fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, AddressError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (last, first) = (parse_port(last)?, parse_port(first)?);
    if first > last {
        return Err(AddressError::InvalidPortRange);
    }
    Ok(first..=last)
}

#[cfg(test)]
mod tests;

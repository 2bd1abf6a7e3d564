//! The address that a connection for a URL comes to.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, anyhow};
use tidegate_config::block::Http;
use tidegate_config::http::listen::BindAddress;
use tidegate_http::client::Endpoint;

use super::url::Url;
use crate::listen;

/// The address that is connected to: that of the URL; where it has a name, which is not looked up,
/// any address of its port that is listened on, else one that is.
pub(super) fn find(http: &Http, url: &Url) -> Result<Endpoint> {
    let found = match url.ip() {
        Some(ip) => of_address(http, SocketAddr::new(ip, url.port)),
        None => of_name(http, url),
    };
    found.ok_or_else(|| {
        let sockets = http.sockets.iter().map(|socket| socket.address.to_string());
        let (host, port) = (&url.host, url.port);
        let all = sockets.collect::<Vec<_>>().join(", ");
        match all.as_str() {
            "" => anyhow!("nothing listens on port {port} for {host}: there is no server"),
            all => anyhow!("nothing listens on port {port} for {host}; there is {all}"),
        }
    })
}

fn of_address(http: &Http, address: SocketAddr) -> Option<Endpoint> {
    let is_taken = |at: &BindAddress| match at {
        BindAddress::Ip(at) => *at == address || *at == listen::any(address),
        BindAddress::Host(_, port) => address.ip().is_loopback() && *port == address.port(),
        BindAddress::Unix(_) => false,
    };
    let taken = http.sockets.iter().any(|socket| is_taken(&socket.address));
    taken.then_some(Endpoint::Ip(address))
}

fn of_name(http: &Http, url: &Url) -> Option<Endpoint> {
    let of_port = |socket: &&BindAddress| match socket {
        BindAddress::Ip(address) => address.port() == url.port,
        BindAddress::Host(_, port) => *port == url.port,
        BindAddress::Unix(_) => false,
    };
    let mut all: Vec<&BindAddress> =
        http.sockets.iter().map(|socket| &socket.address).filter(of_port).collect();
    // What listens on all addresses is likelier meant than what listens on one.
    let is_any = |address: &IpAddr| address.is_unspecified();
    all.sort_by_key(|at| !matches!(at, BindAddress::Ip(address) if is_any(&address.ip())));
    match all.first()? {
        BindAddress::Ip(address) => Some(Endpoint::Ip(*address)),
        _ => Some(Endpoint::Ip(([127, 0, 0, 1], url.port).into())),
    }
}

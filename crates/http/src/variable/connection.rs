//! Variables of the connection and of both its ends.

use std::fs;
use std::net::IpAddr;
use std::sync::OnceLock;

use bytes::Bytes;
use tidegate_config::variable::Builtin;

use super::{number, seconds};
use crate::address;
use crate::client::Endpoint;
use crate::exchange::Exchange;

pub(super) fn value(ex: &Exchange<'_>, builtin: Builtin) -> Option<Bytes> {
    let connection = ex.connection;
    let said = connection.proxy_protocol.as_ref();
    match builtin {
        Builtin::BinaryRemoteAddr => Some(binary(&ex.remote)),
        Builtin::Connection => Some(number(connection.number)),
        Builtin::ConnectionRequests => Some(number(ex.number)),
        Builtin::ConnectionTime => Some(seconds(connection.started.elapsed())),
        Builtin::ConnectionsActive => ex.site.map(|site| number(site.connections().active)),
        Builtin::ConnectionsReading => ex.site.map(|site| number(site.connections().reading)),
        Builtin::ConnectionsWaiting => ex.site.map(|site| number(site.connections().waiting)),
        Builtin::ConnectionsWriting => ex.site.map(|site| number(site.connections().writing)),
        Builtin::Hostname => Some(hostname()),
        Builtin::Https => Some(if connection.is_encrypted() { "on" } else { "" }.into()),
        Builtin::NginxVersion => Some(Bytes::from_static(env!("CARGO_PKG_VERSION").as_bytes())),
        Builtin::Pid => Some(number(std::process::id())),
        Builtin::ProxyProtocolAddr => Some(said?.address.clone()),
        Builtin::ProxyProtocolPort => Some(number(said?.port)),
        Builtin::ProxyProtocolServerAddr => Some(said?.server_address.clone()),
        Builtin::ProxyProtocolServerPort => Some(number(said?.server_port)),
        Builtin::RealipRemoteAddr => Some(connection.peer.address_text()),
        Builtin::RealipRemotePort => Some(connection.peer.port_text()),
        Builtin::RemoteAddr => Some(ex.remote.address_text()),
        Builtin::RemotePort => Some(ex.remote.port_text()),
        Builtin::Scheme => Some(if connection.is_encrypted() { "https" } else { "http" }.into()),
        Builtin::ServerAddr => Some(match &connection.local {
            Endpoint::Unix(Some(path)) => format!("unix:{}", path.display()).into(),
            local => local.address_text(),
        }),
        Builtin::ServerName => Some(Bytes::copy_from_slice(ex.server.name().as_bytes())),
        Builtin::ServerPort => Some(connection.local.port_text()),
        Builtin::TcpinfoRcvSpace => Some(number(connection.tcp_info()?.rcv_space)),
        Builtin::TcpinfoRtt => Some(number(connection.tcp_info()?.rtt)),
        Builtin::TcpinfoRttvar => Some(number(connection.tcp_info()?.rttvar)),
        Builtin::TcpinfoSndCwnd => Some(number(connection.tcp_info()?.snd_cwnd)),
        _ => None,
    }
}

impl Endpoint {
    /// Its address, as logs and variables have it; `unix:` for a unix socket.
    pub fn address_text(&self) -> Bytes {
        match self {
            Self::Ip(_) => {
                let mut text = Vec::with_capacity("255.255.255.255".len());
                self.put_address(&mut text);
                text.into()
            }
            Self::Unix(_) => Bytes::from_static(b"unix:"),
        }
    }

    /// Writes its address behind what is there.
    pub(crate) fn put_address(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ip(address) => address::put_ip(address.ip(), out),
            Self::Unix(_) => out.extend_from_slice(b"unix:"),
        }
    }

    /// Its port; empty where it has none, as a unix socket or an address that a proxy has told.
    pub fn port_text(&self) -> Bytes {
        match self {
            Self::Ip(address) if address.port() > 0 => number(address.port()),
            Self::Ip(_) | Self::Unix(_) => Bytes::new(),
        }
    }

    /// Writes its port behind what is there.
    pub(super) fn put_port(&self, out: &mut Vec<u8>) {
        if let Self::Ip(address) = self
            && address.port() > 0
        {
            out.extend_from_slice(itoa::Buffer::new().format(address.port()).as_bytes());
        }
    }
}

fn binary(endpoint: &Endpoint) -> Bytes {
    match endpoint {
        Endpoint::Ip(address) => match address.ip() {
            IpAddr::V4(address) => Bytes::copy_from_slice(&address.octets()),
            IpAddr::V6(address) => Bytes::copy_from_slice(&address.octets()),
        },
        Endpoint::Unix(_) => Bytes::from_static(b"unix:"),
    }
}

/// The name of this machine, in lower case (`$hostname`).
pub(crate) fn hostname() -> Bytes {
    static NAME: OnceLock<Bytes> = OnceLock::new();
    let read = || {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Bytes::from(name.trim_end().to_ascii_lowercase())
    };
    NAME.get_or_init(read).clone()
}

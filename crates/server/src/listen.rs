//! The sockets that connections are taken from.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use thiserror::Error;
use tidegate_config::block::Http;
use tidegate_config::block::http::Socket as ListenSocket;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::listen::{BindAddress, ListenOptions};
use tidegate_http::log::words::words;

/// A socket that is listened on; all workers take connections from it.
#[derive(Clone, Debug)]
pub(crate) enum Listener {
    /// TCP.
    Tcp(Arc<TcpListener>),
    /// A unix socket.
    Unix(Arc<UnixListener>),
}

impl Listener {
    /// A socket that another process has opened for this address.
    pub(crate) fn of(address: &BindAddress, socket: OwnedFd) -> Self {
        match address {
            BindAddress::Unix(_) => Self::Unix(Arc::new(socket.into())),
            BindAddress::Ip(_) | BindAddress::Host(..) => Self::Tcp(Arc::new(socket.into())),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
        }
    }
}

/// The open sockets by address.
pub(crate) type Listeners = HashMap<BindAddress, Listener>;

/// Why a socket cannot be listened on, in nginx's words.
#[derive(Debug, Error)]
#[error("{call}() to {address} failed ({})", words(.error))]
pub(crate) struct ListenError {
    call: &'static str,
    address: BindAddress,
    error: io::Error,
}

/// Any address of this family, with this port.
pub(crate) fn any(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(ip, address.port())
}

/// What sockets are opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be listened on.
    Serve,
    /// To see whether they could be (`-t`). An address that somebody listens on is no fault then:
    /// it may well be the running server (nginx: `ngx_open_listening_sockets`).
    Test,
}

/// How often an address that is in use is tried, and the pause between (nginx's).
const TRIES: (u32, Duration) = (5, Duration::from_millis(500));

/// Opens the sockets of a configuration; those that are open already are taken over. An error
/// leaves the open ones as they are. An address in use is tried again for two seconds, which
/// `tell` hears of.
pub(crate) fn open(
    http: &Http,
    already: &Listeners,
    purpose: Purpose,
    tell: &dyn Fn(Level, &str),
) -> Result<Listeners> {
    let mut opened = Listeners::new();
    for left in (0..TRIES.0).rev() {
        let taken = open_missing(http, already, &mut opened, purpose);
        let done = taken.as_ref().is_ok_and(|taken| taken.is_empty() || purpose == Purpose::Test);
        if done && purpose == Purpose::Serve {
            return Ok(opened);
        }
        if done || taken.is_err() || left == 0 {
            // Those that were opened in vain are closed, and leave no path behind.
            remove_paths(opened.keys().filter(|address| !already.contains_key(*address)));
        }
        if done {
            return Ok(Listeners::new());
        }
        for fault in taken? {
            tell(Level::Emerg, &fault.to_string());
        }
        if left > 0 {
            tell(Level::Notice, "try again to bind() after 500ms");
            std::thread::sleep(TRIES.1);
        }
    }
    bail!("still could not bind()")
}

/// Opens what is not open yet; the faults of addresses that are in use.
fn open_missing(
    http: &Http,
    already: &Listeners,
    listeners: &mut Listeners,
    purpose: Purpose,
) -> Result<Vec<ListenError>, ListenError> {
    let mut taken = Vec::new();
    let wanted: Vec<&BindAddress> = http.sockets.iter().map(|socket| &socket.address).collect();
    for socket in &http.sockets {
        let address = &socket.address;
        // QUIC is not spoken; -t says so.
        if socket.options.quic && !socket.options.ssl || covered(address, &wanted) {
            continue;
        }
        let known = already.get(address).or_else(|| listeners.get(address));
        let opened = match known {
            Some(listener) => Ok(listener.clone()),
            None => bind(address, &socket.options, purpose),
        };
        match opened {
            Ok(listener) => {
                listeners.insert(address.clone(), listener);
            }
            Err(fault) if fault.error.kind() == io::ErrorKind::AddrInUse => taken.push(fault),
            Err(fault) => return Err(fault),
        }
    }
    Ok(taken)
}

/// What is told of addresses that are not opened.
pub(crate) fn left_out(http: &Http) -> Vec<String> {
    let quic = |socket: &&ListenSocket| socket.options.quic && !socket.options.ssl;
    let unspoken = http.sockets.iter().filter(quic);
    unspoken
        .map(|socket| {
            let address = &socket.address;
            format!("{address} is not listened on: QUIC is not spoken")
        })
        .collect()
}

/// A socket of every address of a port takes the connections of its single addresses too.
fn covered(address: &BindAddress, wanted: &[&BindAddress]) -> bool {
    match address {
        BindAddress::Ip(ip) if !ip.ip().is_unspecified() => {
            wanted.contains(&&BindAddress::Ip(any(*ip)))
        }
        _ => false,
    }
}

fn bind(
    address: &BindAddress,
    options: &ListenOptions,
    purpose: Purpose,
) -> Result<Listener, ListenError> {
    let fault = |call, error| ListenError { call, address: address.clone(), error };
    match address {
        BindAddress::Unix(path) => bind_unix(path, options).map_err(|error| fault("bind", error)),
        BindAddress::Ip(ip) => {
            bind_tcp(*ip, options, purpose).map_err(|error| fault("bind", error))
        }
        // Only where nothing is opened it may have no address.
        BindAddress::Host(..) => Err(fault("getaddrinfo", io::ErrorKind::NotFound.into())),
    }
}

fn bind_tcp(
    address: SocketAddr,
    options: &ListenOptions,
    purpose: Purpose,
) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    // Whoever only tries it must not get connections of the one that serves.
    if options.reuseport && purpose == Purpose::Serve {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(options.ipv6only.unwrap_or(true))?;
    }
    if let Some(size) = options.rcvbuf {
        socket.set_recv_buffer_size(usize::try_from(size.0).unwrap_or(usize::MAX))?;
    }
    if let Some(size) = options.sndbuf {
        socket.set_send_buffer_size(usize::try_from(size.0).unwrap_or(usize::MAX))?;
    }
    if options.so_keepalive == Some(true) {
        socket.set_keepalive(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    socket.listen(backlog(options))?;
    socket.set_nonblocking(true)?;
    Ok(Listener::Tcp(Arc::new(socket.into())))
}

fn bind_unix(path: &Path, options: &ListenOptions) -> io::Result<Listener> {
    // A socket that nobody answers is what a killed server leaves behind.
    let is_socket = std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    socket.listen(backlog(options))?;
    socket.set_nonblocking(true)?;
    Ok(Listener::Unix(Arc::new(socket.into())))
}

fn backlog(options: &ListenOptions) -> i32 {
    options.backlog.and_then(|backlog| i32::try_from(backlog).ok()).unwrap_or(511)
}

/// Removes the paths of unix sockets.
pub(crate) fn remove_paths<'a>(addresses: impl Iterator<Item = &'a BindAddress>) {
    for address in addresses {
        if let BindAddress::Unix(path) = address {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> BindAddress {
        BindAddress::Ip(text.parse().unwrap())
    }

    #[test]
    fn a_single_address_is_covered_by_all_of_its_port() {
        let (all, other) = (ip("0.0.0.0:80"), ip("0.0.0.0:81"));
        assert!(covered(&ip("127.0.0.1:80"), &[&all]));
        assert!(!covered(&ip("127.0.0.1:80"), &[&other]));
        assert!(!covered(&ip("[::1]:80"), &[&all]));
        assert!(!covered(&all, &[&all]));
    }

    #[test]
    fn a_socket_that_a_killed_server_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.sock");
        drop(UnixListener::bind(&path).unwrap());
        let first = bind_unix(&path, &ListenOptions::default()).unwrap();
        let second = bind_unix(&path, &ListenOptions::default());
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(first);
    }
}

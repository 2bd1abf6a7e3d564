//! Sockets that somebody else has opened: the server whose place this one takes (`NGINX`, as nginx
//! hands them over), or systemd (`LISTEN_FDS`).

use std::env;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::SocketType;
use rustix::net::sockopt::{socket_acceptconn, socket_type};
use socket2::Socket;
use tidegate_config::http::listen::BindAddress;

use crate::listen::{Listener, Listeners};

/// The numbers of the sockets, as nginx writes them: `6;7;`.
pub(super) const SOCKETS: &str = "NGINX";

/// Says that standard input leads to the server whose place is taken.
pub(super) const SUCCEEDS: &str = "TIDEGATE_SUCCEEDS";

/// The first descriptor that systemd hands over.
const FIRST: RawFd = 3;

/// The most sockets that are taken over.
const MOST: i32 = 4096;

/// Whether this process takes the place of another.
pub(super) fn is_successor() -> bool {
    env::var_os(SUCCEEDS).is_some() || env::var_os(SOCKETS).is_some()
}

/// The sockets, by the addresses they are bound to. To be called once, before this process opens
/// anything.
pub(super) fn listeners() -> Listeners {
    numbers().into_iter().filter_map(adopt).filter_map(listener).collect()
}

fn numbers() -> Vec<RawFd> {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<i32>().ok());
    let mut numbers: Vec<RawFd> = Vec::new();
    if let Ok(text) = env::var(SOCKETS) {
        numbers.extend(text.split([';', ':']).filter_map(|number| number.parse::<RawFd>().ok()));
    }
    let own = i32::try_from(std::process::id()).ok();
    if number("LISTEN_PID").is_some_and(|pid| Some(pid) == own) {
        let count = number("LISTEN_FDS").unwrap_or(0).clamp(0, MOST);
        numbers.extend(FIRST..FIRST + count);
    }
    numbers.retain(|number| *number >= FIRST);
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Takes a descriptor that this process was started with.
#[allow(unsafe_code)]
fn adopt(number: RawFd) -> Option<OwnedFd> {
    // A number that is not open is nobody's: the system would refuse it.
    if !PathBuf::from(format!("/proc/self/fd/{number}")).exists() {
        return None;
    }
    // SAFETY: the number is open, as was just seen, and was named to this process by whoever
    // started it, for it to own. Numbers differ from each other, this is called once before
    // anything else is opened, and so nobody else in this process owns it.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    // The worker process gets it over the channel and by no other way.
    fcntl_setfd(&descriptor, FdFlags::CLOEXEC).ok()?;
    Some(descriptor)
}

fn listener(descriptor: OwnedFd) -> Option<(BindAddress, Listener)> {
    if socket_type(&descriptor).ok()? != SocketType::STREAM
        || !socket_acceptconn(&descriptor).ok()?
    {
        return None;
    }
    let socket = Socket::from(descriptor);
    socket.set_nonblocking(true).ok()?;
    let address = socket.local_addr().ok()?;
    let address = match (address.as_socket(), address.as_pathname()) {
        (Some(ip), _) => BindAddress::Ip(ip),
        (None, Some(path)) => BindAddress::Unix(path.to_owned()),
        _ => return None,
    };
    let listener = Listener::of(&address, socket.into());
    Some((address, listener))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::IntoRawFd;

    use super::*;

    #[test]
    fn a_socket_is_taken_over_by_its_number() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let descriptor = adopt(socket.into_raw_fd()).unwrap();
        let (taken, _listener) = listener(descriptor).unwrap();
        assert_eq!(taken, BindAddress::Ip(address));
    }

    #[test]
    fn what_is_no_listening_socket_is_left_out() {
        assert!(adopt(100_000).is_none());
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(listener(file.into()).is_none());
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(listener(socket.into()).is_none());
    }
}

//! Lines that go to a syslog server, each a datagram (RFC 3164, as nginx writes it).

use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tidegate_config::http::syslog::{Syslog, SyslogServer};

use super::words::words;
use crate::date::Now;
use crate::variable::hostname;

/// How long nothing is told of lines that were lost after it was told once.
const QUIET: Duration = Duration::from_mins(1);

/// A syslog server. What it does not take at once is lost, counted and told now and then: no
/// request waits for it.
#[derive(Debug)]
pub(super) struct SyslogSocket {
    server: SyslogServer,
    /// The addresses of a host, looked up when the configuration was taken up.
    addresses: Vec<SocketAddr>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    socket: Option<Socket>,
    lost: u64,
    told: Option<Instant>,
}

#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

impl SyslogSocket {
    /// A server of the configuration; a host is looked up, which may take its time.
    pub(super) fn new(server: &SyslogServer) -> Self {
        let addresses = match server {
            SyslogServer::Unix(_) => Vec::new(),
            SyslogServer::Udp(host) => {
                host.to_socket_addrs().map(Iterator::collect).unwrap_or_default()
            }
        };
        Self { server: server.clone(), addresses, state: Mutex::default() }
    }

    /// Sends a datagram; what is to be told of those that were lost, if it is time to.
    pub(super) fn send(&self, bytes: &[u8]) -> Option<String> {
        let mut state = self.lock();
        let error = match self.send_by(&mut state.socket, bytes) {
            Ok(()) => return None,
            Err(error) => error,
        };
        state.lost += 1;
        if state.told.is_some_and(|told| told.elapsed() < QUIET) {
            return None;
        }
        state.told = Some(Instant::now());
        let lost = std::mem::take(&mut state.lost);
        let server = match &self.server {
            SyslogServer::Unix(path) => format!("unix:{}", path.display()),
            SyslogServer::Udp(host) => host.clone(),
        };
        let words = words(&error);
        Some(format!("send() to syslog \"{server}\" failed ({words}), lines lost: {lost}"))
    }

    fn send_by(&self, socket: &mut Option<Socket>, bytes: &[u8]) -> io::Result<()> {
        if socket.is_none() {
            *socket = Some(self.connect()?);
        }
        let sent = match socket {
            Some(Socket::Udp(socket)) => socket.send(bytes),
            Some(Socket::Unix(socket)) => socket.send(bytes),
            None => return Ok(()),
        };
        match sent {
            Ok(_) => Ok(()),
            // Its buffer is full; the next one may fit.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => {
                *socket = None;
                Err(error)
            }
        }
    }

    fn connect(&self) -> io::Result<Socket> {
        if let SyslogServer::Unix(path) = &self.server {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            socket.connect(path)?;
            return Ok(Socket::Unix(socket));
        }
        let Some(address) = self.addresses.first() else {
            return Err(io::Error::other("host not found"));
        };
        let any: SocketAddr = if address.is_ipv6() {
            (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
        } else {
            (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        socket.connect(address)?;
        Ok(Socket::Udp(socket))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands before a line: `<190>Nov  6 08:49:37 host tag: ` (nginx: `ngx_syslog_add_header`).
pub(super) fn header(settings: &Syslog, severity: u8) -> Vec<u8> {
    let priority = u32::from(settings.facility) * 8 + u32::from(severity);
    let mut out = format!("<{priority}>").into_bytes();
    out.extend_from_slice(&Now::get().syslog);
    out.push(b' ');
    if settings.hostname {
        out.extend_from_slice(&hostname());
        out.push(b' ');
    }
    out.extend_from_slice(settings.tag.as_bytes());
    out.extend_from_slice(b": ");
    out
}

#[cfg(test)]
mod tests {
    use tidegate_config::http::syslog::SyslogId;

    use super::*;

    #[test]
    fn a_line_has_nginxs_head() {
        let settings = Syslog {
            server: SyslogId(0),
            facility: 23,
            severity: 6,
            tag: "nginx".into(),
            hostname: false,
        };
        let text = String::from_utf8(header(&settings, 3)).unwrap();
        assert!(text.starts_with("<187>") && text.ends_with(" nginx: "), "{text}");
        assert_eq!(text.len(), "<187>Nov  6 08:49:37 nginx: ".len(), "{text}");
        let named = Syslog { hostname: true, ..settings };
        assert!(header(&named, 3).len() > text.len());
    }

    #[test]
    fn what_is_lost_is_counted_and_told_once_a_minute() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let socket = SyslogSocket::new(&SyslogServer::Unix(path.clone()));
        let told = socket.send(b"one").unwrap();
        assert!(told.ends_with("failed (2: No such file or directory), lines lost: 1"), "{told}");
        assert_eq!(socket.send(b"two"), None);
        let receiver = UnixDatagram::bind(&path).unwrap();
        assert_eq!(socket.send(b"three"), None);
        let mut bytes = [0; 16];
        let length = receiver.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"three");
        // Nobody reads: what does not fit any more is lost, and nobody waits.
        for _ in 0..10_000 {
            socket.send(b"more");
        }
        assert!(socket.lock().lost > 1000);
    }
}

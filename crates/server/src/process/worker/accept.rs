//! Connections are taken, and given to the worker that has the fewest.

use std::cmp::Reverse;
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::set_tcp_nodelay;
use rustix::net::{SocketFlags, accept_with, acceptfrom_with, getsockname};
use tidegate_config::http::listen::BindAddress;
use tidegate_http::client::{Connection, Endpoint};
use tokio::task::yield_now;

use super::{Post, crowd, stall};
use crate::connection::{self, Socket, Stream};
use crate::listen::Listener;
use crate::runtime::{Counters, Worker};

/// How many connections more than another a worker may have before it gives one away, beside an
/// eighth of what the other has: giving away costs a few system calls.
const SLACK: u32 = 4;

/// So many connections are taken in a row; then those have a turn that were taken. Most of them are
/// answered and gone when the next are counted, and need not be given away.
const ROW: u32 = 8;

/// A socket that connections are taken from.
pub(super) enum Acceptor {
    /// With its address, where it is of one alone, which is then that of all its connections.
    Tcp(Socket, Option<SocketAddr>),
    Unix(Socket, PathBuf),
}

/// A connection that was taken, and need not be watched yet, on its way to the worker that serves it.
#[derive(Debug)]
pub(crate) struct Taken {
    stream: Stream,
    peer: Endpoint,
    local: Endpoint,
    open: Open,
}

impl Acceptor {
    /// A worker's own handle of a socket.
    pub(super) fn of(listener: &Listener, address: &BindAddress) -> io::Result<Self> {
        match listener {
            Listener::Tcp(listener) => {
                // Connections have it from their listener, and need not be told one by one.
                set_tcp_nodelay(listener, true)?;
                let own = listener.try_clone()?;
                let address = own.local_addr().ok().filter(|own| !own.ip().is_unspecified());
                Ok(Self::Tcp(Socket::new(own.into()), address))
            }
            Listener::Unix(listener) => {
                let path = match address {
                    BindAddress::Unix(path) => path.clone(),
                    _ => PathBuf::new(),
                };
                Ok(Self::Unix(Socket::new(listener.try_clone()?.into()), path))
            }
        }
    }

    /// The next connection, its client and the address that it came to.
    pub(super) async fn one(&self) -> io::Result<(Stream, Endpoint, Endpoint)> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        match self {
            Self::Tcp(listener, address) => {
                let taken = listener.read_by(|listener| {
                    acceptfrom_with(listener, flags).map_err(|error| unless_idle(listener, error))
                });
                let (socket, peer) = taken.await?;
                let peer = peer.ok_or(io::ErrorKind::ConnectionAborted)?.try_into()?;
                let local = match address {
                    Some(address) => *address,
                    None => getsockname(&socket)?.try_into()?,
                };
                Ok((Stream::tcp(socket), Endpoint::Ip(peer), Endpoint::Ip(local)))
            }
            Self::Unix(listener, path) => {
                let taken = listener.read_by(|listener| {
                    accept_with(listener, flags).map_err(|error| unless_idle(listener, error))
                });
                let socket = taken.await?;
                let local = Endpoint::Unix(Some(path.clone()));
                Ok((Stream::unix(socket), Endpoint::Unix(None), local))
            }
        }
    }
}

/// The kernel looks for a descriptor before it looks whether anybody is there: a want of one is none
/// where nobody is.
fn unless_idle(listener: BorrowedFd<'_>, error: Errno) -> Errno {
    let mut asked = [PollFd::from_borrowed_fd(listener, PollFlags::IN)];
    let is_shortage = matches!(error, Errno::MFILE | Errno::NFILE);
    if is_shortage && poll(&mut asked, Some(&Timespec::default())) == Ok(0) {
        return Errno::WOULDBLOCK;
    }
    error
}

/// Takes connections from a socket until it is aborted.
pub(super) async fn run(worker: Rc<Worker>, acceptor: Acceptor) {
    let mut row = 0;
    loop {
        match acceptor.one().await {
            Ok((stream, peer, local)) => {
                if crowd::has_room(&worker).await {
                    place(&worker, stream, peer, local);
                } else {
                    crowd::turn_away(&worker, stream, &local, None);
                }
                row += 1;
                if row % ROW == 0 {
                    yield_now().await;
                }
            }
            Err(error) => crowd::refused(&worker, &acceptor, &error).await,
        }
    }
}

/// Serves a connection here, or has the worker serve it that has the fewest.
fn place(worker: &Rc<Worker>, stream: Stream, peer: Endpoint, local: Endpoint) {
    let peers = worker.peers.borrow();
    let own = worker.post.connections();
    let least = peers.iter().max_by_key(|post| Reverse(post.connections()));
    let most = worker.generation().worker_connections;
    let other = least.filter(|post| {
        let theirs = post.connections();
        let is_full = own >= most && theirs < most;
        is_full || own > theirs.saturating_add(SLACK).saturating_add(theirs / 8)
    });
    let Some(other) = other else { return open(worker, stream, peer, local, None) };
    let open = Open::new(Arc::clone(other), Arc::clone(&worker.counters));
    if let Err(back) = other.give(Taken { stream, peer, local, open }) {
        // It ends, and takes no more.
        receive(worker, *back);
    }
}

/// Serves a connection that another worker has taken.
pub(super) fn receive(worker: &Rc<Worker>, taken: Taken) {
    let Taken { stream, peer, local, open: counted } = taken;
    open(worker, stream, peer, local, Some(counted));
}

fn open(
    worker: &Rc<Worker>,
    stream: Stream,
    peer: Endpoint,
    local: Endpoint,
    counted: Option<Open>,
) {
    let counted = counted
        .unwrap_or_else(|| Open::new(Arc::clone(&worker.post), Arc::clone(&worker.counters)));
    let number = counted.number;
    let mut connection = Box::new(Connection::new(number, peer, local));
    let generation = worker.generation();
    connection.to_tls = generation.socket(&connection).is_some_and(|socket| socket.options.ssl);
    connection.debug = generation.is_debugged(&connection.peer);
    drop(generation);
    let (worker, stream) = (Rc::clone(worker), Box::new(stream));
    tokio::task::spawn_local(async move {
        let _counted = counted;
        let watcher = Rc::clone(&worker);
        let serving = pin!(connection::serve(worker, connection, stream));
        stall::watch(&watcher, || format!("serving connection *{number}"), serving).await;
    });
}

/// An open connection; it is counted until this is dropped, whatever ends it.
#[derive(Debug)]
struct Open {
    post: Arc<Post>,
    counters: Arc<Counters>,
    number: u64,
}

impl Open {
    fn new(post: Arc<Post>, counters: Arc<Counters>) -> Self {
        post.open();
        let number = counters.open();
        Self { post, counters, number }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.post.close();
        self.counters.close();
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    /// Accepts one connection to this address.
    async fn accepted(address: &str) -> (Stream, Endpoint, SocketAddr) {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let bound = BindAddress::Ip(listener.local_addr().unwrap());
        let acceptor = Acceptor::of(&Listener::Tcp(Arc::new(listener)), &bound).unwrap();
        let to: SocketAddr = ([127, 0, 0, 1], port).into();
        let _client = TcpStream::connect(to).await.unwrap();
        let (stream, _, local) = acceptor.one().await.unwrap();
        (stream, local, to)
    }

    #[tokio::test]
    async fn a_connection_has_what_its_listener_says() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let (stream, local, to) = accepted(address).await;
            assert!(stream.is_hurried(), "{address}");
            assert_eq!(local, Endpoint::Ip(to), "{address}");
        }
    }
}

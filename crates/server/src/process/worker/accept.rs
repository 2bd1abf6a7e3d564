//! Connections are taken, and given to the worker that has the fewest.

use std::cmp::Reverse;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use rustix::net::sockopt::set_tcp_nodelay;
use tidegate_config::http::listen::BindAddress;
use tidegate_http::client::{Connection, Endpoint};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::{Post, crowd, stall};
use crate::connection::{self, Stream};
use crate::listen::Listener;
use crate::runtime::{Counters, Worker};

/// How many connections more than another a worker may have before it gives one away, beside an
/// eighth of what the other has: giving away costs a few system calls.
const SLACK: u32 = 4;

/// A socket that connections are taken from.
pub(super) enum Acceptor {
    /// With its address, where it is of one alone, which is then that of all its connections.
    Tcp(TcpListener, Option<SocketAddr>),
    Unix(UnixListener, PathBuf),
}

/// A connection that was taken, on its way to the worker that serves it.
#[derive(Debug)]
pub(crate) struct Taken {
    stream: Raw,
    peer: Endpoint,
    local: Endpoint,
    open: Open,
}

#[derive(Debug)]
enum Raw {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

impl Acceptor {
    /// A worker's own handle of a socket.
    pub(super) fn of(listener: &Listener, address: &BindAddress) -> io::Result<Self> {
        match listener {
            Listener::Tcp(listener) => {
                // Connections have it from their listener, and need not be told one by one.
                set_tcp_nodelay(listener, true)?;
                let own = listener.try_clone().and_then(TcpListener::from_std)?;
                let address = own.local_addr().ok().filter(|own| !own.ip().is_unspecified());
                Ok(Self::Tcp(own, address))
            }
            Listener::Unix(listener) => {
                let own = listener.try_clone().and_then(UnixListener::from_std)?;
                let path = match address {
                    BindAddress::Unix(path) => path.clone(),
                    _ => PathBuf::new(),
                };
                Ok(Self::Unix(own, path))
            }
        }
    }

    /// The next connection, its client and the address that it came to.
    pub(super) async fn one(&self) -> io::Result<(Stream, Endpoint, Endpoint)> {
        match self {
            Self::Tcp(listener, address) => {
                let (stream, peer) = listener.accept().await?;
                let local = match address {
                    Some(address) => *address,
                    None => stream.local_addr()?,
                };
                Ok((Stream::Tcp(stream), Endpoint::Ip(peer), Endpoint::Ip(local)))
            }
            Self::Unix(listener, path) => {
                let (stream, _) = listener.accept().await?;
                let local = Endpoint::Unix(Some(path.clone()));
                Ok((Stream::Unix(stream), Endpoint::Unix(None), local))
            }
        }
    }
}

/// Takes connections from a socket until it is aborted.
pub(super) async fn run(worker: Rc<Worker>, acceptor: Acceptor) {
    loop {
        match acceptor.one().await {
            Ok((stream, peer, local)) => {
                if crowd::has_room(&worker).await {
                    place(&worker, stream, peer, local);
                } else {
                    crowd::turn_away(&worker, stream, &local, None);
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
    let raw = match stream {
        Stream::Tcp(stream) => stream.into_std().map(Raw::Tcp),
        Stream::Unix(stream) => stream.into_std().map(Raw::Unix),
        // Nothing was encrypted yet.
        Stream::Tls(_) => return,
    };
    // A socket that cannot be taken out of the loop is lost.
    let Ok(stream) = raw else { return };
    let open = Open::new(Arc::clone(other), Arc::clone(&worker.counters));
    if let Err(back) = other.give(Taken { stream, peer, local, open }) {
        // It ends, and takes no more.
        receive(worker, back);
    }
}

/// Serves a connection that another worker has taken.
pub(super) fn receive(worker: &Rc<Worker>, taken: Taken) {
    let Taken { stream, peer, local, open: counted } = taken;
    let stream = match stream {
        Raw::Tcp(stream) => TcpStream::from_std(stream).map(Stream::Tcp),
        Raw::Unix(stream) => UnixStream::from_std(stream).map(Stream::Unix),
    };
    if let Ok(stream) = stream {
        open(worker, stream, peer, local, Some(counted));
    }
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
    let mut connection = Connection::new(number, peer, local);
    let generation = worker.generation();
    connection.to_tls = generation.socket(&connection).is_some_and(|socket| socket.options.ssl);
    connection.debug = generation.is_debugged(&connection.peer);
    drop(generation);
    let worker = Rc::clone(worker);
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
    use super::*;

    /// Accepts one connection to this address.
    async fn accepted(address: &str) -> (TcpStream, Endpoint, SocketAddr) {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let bound = BindAddress::Ip(listener.local_addr().unwrap());
        let acceptor = Acceptor::of(&Listener::Tcp(Arc::new(listener)), &bound).unwrap();
        let to: SocketAddr = ([127, 0, 0, 1], port).into();
        let _client = TcpStream::connect(to).await.unwrap();
        let (stream, _, local) = acceptor.one().await.unwrap();
        let Stream::Tcp(stream) = stream else { panic!("not over TCP") };
        (stream, local, to)
    }

    #[tokio::test]
    async fn a_connection_has_what_its_listener_says() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let (stream, local, to) = accepted(address).await;
            assert!(stream.nodelay().unwrap(), "{address}");
            assert_eq!(local, Endpoint::Ip(to), "{address}");
        }
    }
}

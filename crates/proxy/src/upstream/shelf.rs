//! The idle connections of one peer, among those of all.

use std::net::SocketAddr;
use std::time::Instant;

use super::keepalive::Connection;
use crate::connect::Address;

/// An open connection that waits for its next request.
#[derive(Debug)]
pub(super) struct Idle {
    /// The connection itself.
    pub(super) connection: Box<Connection>,
    /// Since when it is idle.
    pub(super) since: Instant,
    /// Until when it may be.
    pub(super) expires: Instant,
}

/// The idle connections of one peer.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Tells it from most others at a glance.
    mark: u64,
    /// Which group it belongs to.
    pub(super) group: u64,
    address: Address,
    /// The latest last.
    pub(super) idle: Vec<Idle>,
}

impl Shelf {
    /// A peer's first one.
    pub(super) fn new(group: u64, address: Address, idle: Idle) -> Self {
        Self { mark: mark(group, &address), group, address, idle: vec![idle] }
    }
}

/// Where those of a peer are.
pub(super) fn shelf<'a>(
    pool: &'a mut [Shelf],
    group: u64,
    address: &Address,
) -> Option<&'a mut Shelf> {
    let mark = mark(group, address);
    pool.iter_mut()
        .find(|shelf| shelf.mark == mark && shelf.group == group && shelf.address == *address)
}

/// Most often another for another peer, and had at once: a group may have a thousand of them.
fn mark(group: u64, address: &Address) -> u64 {
    let own = match address {
        Address::Tcp(SocketAddr::V4(to)) => {
            u64::from(to.ip().to_bits()) << 16 | u64::from(to.port())
        }
        Address::Tcp(SocketAddr::V6(to)) => to.ip().to_bits() as u64 ^ u64::from(to.port()) << 48,
        Address::Unix(path) => path.as_os_str().len() as u64,
    };
    own ^ group.rotate_left(20)
}

/// Takes the one of these that has been idle for longest.
pub(super) fn take_oldest(pool: &mut [Shelf], of: impl Fn(&Shelf) -> bool) -> Option<Idle> {
    let shelves = pool.iter_mut().filter(|shelf| of(shelf) && !shelf.idle.is_empty());
    let shelf = shelves.min_by_key(|shelf| shelf.idle.first().map(|idle| idle.since))?;
    Some(shelf.idle.remove(0))
}

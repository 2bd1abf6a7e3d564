//! How many connections clients have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_config::http::limit_conn as config;

use super::{room, taken};

/// What an entry takes besides its key, in bytes (nginx: `ngx_http_limit_conn_node_t`).
const ENTRY: usize = 36;

/// A zone of `limit_conn`: how many requests of each client are being answered.
#[derive(Debug)]
pub struct ConnectionZone {
    name: String,
    key: String,
    size: u64,
    clients: Arc<Mutex<Clients>>,
}

#[derive(Debug, Default)]
struct Clients {
    by_key: HashMap<Arc<[u8]>, u32>,
    taken: u64,
}

/// A place in a zone, given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    clients: Arc<Mutex<Clients>>,
    key: Arc<[u8]>,
}

impl ConnectionZone {
    /// The zone, with what it knew before under another configuration.
    pub(super) fn new(zone: &config::ConnectionZone, before: &[Arc<Self>]) -> Self {
        let same = |old: &&Arc<Self>| {
            old.name == zone.name && old.size == zone.size && old.key == zone.key_text
        };
        let old = before.iter().find(same);
        Self {
            name: zone.name.clone(),
            key: zone.key_text.clone(),
            size: zone.size,
            clients: old.map(|old| Arc::clone(&old.clients)).unwrap_or_default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes a place for a client (nginx: `ngx_http_limit_conn_handler`). The error says whether
    /// it has as many as it may; else the zone is full.
    pub fn hold(&self, key: &[u8], most: u32) -> Result<Held, bool> {
        let mut clients = lock(&self.clients);
        if let Some((known, count)) = clients.by_key.get_key_value(key) {
            let (known, count) = (Arc::clone(known), *count);
            if count >= most {
                return Err(true);
            }
            clients.by_key.insert(Arc::clone(&known), count + 1);
            return Ok(Held { clients: Arc::clone(&self.clients), key: known });
        }
        let needed = taken(ENTRY + key.len());
        if clients.taken + needed > room(self.size) {
            return Err(false);
        }
        clients.taken += needed;
        let key: Arc<[u8]> = key.into();
        clients.by_key.insert(Arc::clone(&key), 1);
        Ok(Held { clients: Arc::clone(&self.clients), key })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut clients = lock(&self.clients);
        let Some(count) = clients.by_key.get_mut(&self.key) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            clients.by_key.remove(&self.key);
            clients.taken = clients.taken.saturating_sub(taken(ENTRY + self.key.len()));
        }
    }
}

fn lock(clients: &Mutex<Clients>) -> MutexGuard<'_, Clients> {
    clients.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back() {
        let zone = ConnectionZone {
            name: "one".into(),
            key: String::new(),
            size: 32768,
            clients: Arc::default(),
        };
        let first = zone.hold(b"a", 2).unwrap();
        let second = zone.hold(b"a", 2).unwrap();
        assert!(zone.hold(b"a", 2).unwrap_err());
        let other = zone.hold(b"b", 1).unwrap();
        drop(first);
        let third = zone.hold(b"a", 2).unwrap();
        drop((second, third, other));
        let clients = lock(&zone.clients);
        assert_eq!((clients.by_key.len(), clients.taken), (0, 0));
    }

    #[test]
    fn a_full_zone_refuses_whom_it_does_not_know() {
        let zone = ConnectionZone {
            name: "one".into(),
            key: String::new(),
            size: 32768,
            clients: Arc::default(),
        };
        let mut held = Vec::new();
        let full = loop {
            match zone.hold(&(held.len() as u64).to_be_bytes(), 1) {
                Ok(one) => held.push(one),
                Err(known) => break known,
            }
            assert!(held.len() < 10_000);
        };
        assert!(!full && held.len() > 100, "{}", held.len());
        held.pop();
        assert!(zone.hold(b"12345678", 1).is_ok());
    }
}

//! How many connections clients have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::elsewhere::Elsewhere;
use super::{room, taken};

/// What an entry takes besides its key, in bytes (nginx: `ngx_http_limit_conn_node_t`).
const ENTRY: usize = 36;

/// A zone of `limit_conn`: how many requests of each client are being answered.
#[derive(Debug)]
pub struct ConnectionZone {
    name: String,
    key: String,
    size: u64,
    places: Mutex<Places>,
}

/// Who holds how many places.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Those of requests in this process.
    pub(super) here: HashMap<Arc<[u8]>, u32>,
    taken: u64,
    /// Those of requests in other processes, one for each; mostly there is none.
    pub(super) elsewhere: Vec<Elsewhere>,
}

/// A place in a zone, given back when it is dropped.
#[derive(Debug)]
pub struct Held {
    zone: Arc<ConnectionZone>,
    key: Arc<[u8]>,
}

impl ConnectionZone {
    /// The zone, which nobody has asked for a place yet.
    pub(super) fn new([name, key]: [&str; 2], size: u64) -> Self {
        Self { name: name.to_owned(), key: key.to_owned(), size, places: Mutex::default() }
    }

    /// Whether it is the one of this name, key and size.
    pub(super) fn is(&self, [name, key]: [&[u8]; 2], size: u64) -> bool {
        self.name.as_bytes() == name && self.key.as_bytes() == key && self.size == size
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text that its keys are made of.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Its size as configured, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes of entries it has room for.
    pub(super) fn room(&self) -> u64 {
        room(self.size)
    }

    /// Takes a place for a client (nginx: `ngx_http_limit_conn_handler`). The error says whether
    /// it has as many as it may; else the zone is full.
    pub fn hold(self: &Arc<Self>, key: &[u8], most: u32) -> Result<Held, bool> {
        let mut places = self.places();
        let elsewhere = places.elsewhere.iter().map(|other| other.holds(key));
        let elsewhere = elsewhere.fold(0, u32::saturating_add);
        let known = places.here.get_key_value(key).map(|(key, count)| (Arc::clone(key), *count));
        if known.as_ref().map_or(0, |(_, count)| *count).saturating_add(elsewhere) >= most {
            return Err(true);
        }
        let (key, count) = if let Some(known) = known {
            known
        } else {
            let needed = needed(key);
            if places.taken + needed > self.room() {
                return Err(false);
            }
            places.taken += needed;
            (key.into(), 0)
        };
        places.here.insert(Arc::clone(&key), count + 1);
        places.changed(&key, self.room());
        drop(places);
        Ok(Held { zone: Arc::clone(self), key })
    }

    /// Who holds how many places at the moment.
    pub(super) fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// The other processes are to be told of a client.
    fn changed(&mut self, key: &Arc<[u8]>, room: u64) {
        for other in &mut self.elsewhere {
            other.changed(key, room);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut places = self.zone.places();
        let Some(count) = places.here.get_mut(&self.key) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            places.here.remove(&self.key);
            places.taken = places.taken.saturating_sub(needed(&self.key));
        }
        places.changed(&self.key, self.zone.room());
    }
}

/// How many bytes of a zone a client takes.
pub(super) fn needed(key: &[u8]) -> u64 {
    taken(ENTRY + key.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Arc<ConnectionZone> {
        Arc::new(ConnectionZone::new(["one", ""], 32768))
    }

    #[test]
    fn a_place_is_given_back() {
        let zone = zone();
        let first = zone.hold(b"a", 2).unwrap();
        let second = zone.hold(b"a", 2).unwrap();
        assert!(zone.hold(b"a", 2).unwrap_err());
        let other = zone.hold(b"b", 1).unwrap();
        drop(first);
        let third = zone.hold(b"a", 2).unwrap();
        drop((second, third, other));
        let places = zone.places();
        assert_eq!((places.here.len(), places.taken), (0, 0));
    }

    #[test]
    fn a_full_zone_refuses_whom_it_does_not_know() {
        let zone = zone();
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

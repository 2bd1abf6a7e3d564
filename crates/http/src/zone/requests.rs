//! How often clients have asked.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_config::http::limit_req as config;

use super::{room, taken};
use crate::record::{Reader, Writer};

/// How long a client has to be silent before it may be forgotten without need.
const IDLE: u64 = 60_000;

/// What an entry takes besides its key, in bytes (nginx: `ngx_http_limit_req_node_t`).
const ENTRY: usize = 80;

/// A zone of `limit_req`: a leaky bucket for each client. Times are milliseconds of any clock that
/// does not go back; amounts are thousandths of a request.
#[derive(Debug)]
pub struct RequestZone {
    name: String,
    key: String,
    size: u64,
    rate: u64,
    clients: Arc<Mutex<Clients>>,
}

/// What a zone says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is within the burst; so much is above the rate.
    Within(u64),
    /// It is beyond the burst.
    Beyond(u64),
    /// The zone has no room, not even for one.
    NoRoom,
}

#[derive(Debug, Default)]
struct Clients {
    by_key: HashMap<Arc<[u8]>, Client>,
    /// From who has not asked for longest to who has asked last.
    by_turn: BTreeMap<u64, Arc<[u8]>>,
    turn: u64,
    taken: u64,
}

#[derive(Debug)]
struct Client {
    excess: u64,
    last: u64,
    turn: u64,
}

impl RequestZone {
    /// The zone, with what it knew before under another configuration.
    pub(super) fn new(zone: &config::RequestZone, before: &[Arc<Self>]) -> Self {
        let same = |old: &&Arc<Self>| {
            old.name == zone.name && old.size == zone.size && old.key == zone.key_text
        };
        let old = before.iter().find(same);
        Self {
            name: zone.name.clone(),
            key: zone.key_text.clone(),
            size: zone.size,
            rate: zone.rate,
            clients: old.map(|old| Arc::clone(&old.clients)).unwrap_or_default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long it takes until so much above the rate has gone.
    pub fn time_for(&self, excess: u64) -> Duration {
        Duration::from_millis(excess.saturating_mul(1000) / self.rate.max(1))
    }

    /// Judges a request, and where it is within the burst and `counts`, counts it (nginx:
    /// `ngx_http_limit_req_lookup`).
    pub fn ask(&self, key: &[u8], burst: u64, now: u64, counts: bool) -> Asked {
        let mut clients = self.lock();
        let Some(turn) = clients.touch(key) else {
            return if self.admit(&mut clients, key, now, counts) {
                Asked::Within(0)
            } else {
                Asked::NoRoom
            };
        };
        let Some(client) = clients.by_key.get_mut(key) else { return Asked::NoRoom };
        client.turn = turn;
        let excess = client.excess_at(now, self.rate);
        if excess > burst {
            return Asked::Beyond(excess);
        }
        if counts {
            client.count(excess, now);
        }
        Asked::Within(excess)
    }

    /// Counts a request that all zones have found to be within their bursts; how much is above the
    /// rate (nginx: `ngx_http_limit_req_account`).
    pub fn count(&self, key: &[u8], now: u64) -> u64 {
        let mut clients = self.lock();
        let Some(client) = clients.by_key.get_mut(key) else { return 0 };
        let excess = client.excess_at(now, self.rate);
        client.count(excess, now);
        excess
    }

    /// Whether it is this one.
    pub(super) fn is(&self, [name, key]: [&[u8]; 2], size: u64) -> bool {
        self.name.as_bytes() == name && self.key.as_bytes() == key && self.size == size
    }

    /// Writes it down, who has not asked for longest first.
    pub(super) fn write(&self, now: u64, writer: &mut Writer) {
        let clients = self.lock();
        writer.text(self.name.as_bytes());
        writer.text(self.key.as_bytes());
        writer.number(self.size);
        let known = clients.by_turn.values();
        let known = known.filter_map(|key| Some((key, clients.by_key.get(key)?)));
        writer.number(clients.by_turn.len() as u64);
        for (key, client) in known {
            writer.text(key);
            writer.number(client.excess);
            // Another process has another clock.
            writer.number(now.saturating_sub(client.last));
        }
    }

    /// Reads what was written behind name, key and size; without a zone it is passed over.
    pub(super) fn read(zone: Option<&Self>, now: u64, reader: &mut Reader<'_>) -> Option<()> {
        for _ in 0..reader.number()? {
            let (key, excess, age) = (reader.text()?, reader.number()?, reader.number()?);
            let Some(zone) = zone else { continue };
            let mut clients = zone.lock();
            let fits = clients.taken + taken(ENTRY + key.len()) <= room(zone.size);
            if fits && !clients.by_key.contains_key(key) {
                let key: Arc<[u8]> = key.into();
                clients.insert(Arc::clone(&key), now.saturating_sub(age));
                if let Some(client) = clients.by_key.get_mut(&key) {
                    client.excess = excess;
                }
            }
        }
        Some(())
    }

    fn admit(&self, clients: &mut Clients, key: &[u8], now: u64, counts: bool) -> bool {
        clients.forget(self.rate, now, false);
        let needed = taken(ENTRY + key.len());
        let room = room(self.size);
        if needed > room {
            return false;
        }
        while clients.taken + needed > room {
            clients.forget(self.rate, now, true);
        }
        clients.insert(key.into(), if counts { now } else { 0 });
        true
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn excess_at(&self, now: u64, rate: u64) -> u64 {
        let gone = u128::from(rate) * u128::from(now.saturating_sub(self.last)) / 1000;
        let gone = u64::try_from(gone).unwrap_or(u64::MAX);
        (self.excess + 1000).saturating_sub(gone)
    }

    fn count(&mut self, excess: u64, now: u64) {
        self.excess = excess;
        self.last = now.max(self.last);
    }
}

impl Clients {
    /// Makes a client the one that has asked last; its new turn, where it is known.
    fn touch(&mut self, key: &[u8]) -> Option<u64> {
        let client = self.by_key.get(key)?;
        let key = self.by_turn.remove(&client.turn)?;
        self.turn += 1;
        self.by_turn.insert(self.turn, key);
        Some(self.turn)
    }

    fn insert(&mut self, key: Arc<[u8]>, last: u64) {
        self.turn += 1;
        self.taken += taken(ENTRY + key.len());
        self.by_turn.insert(self.turn, Arc::clone(&key));
        self.by_key.insert(key, Client { excess: 0, last, turn: self.turn });
    }

    /// Forgets at most two clients that owe nothing and have been silent; by force, one more before
    /// them (nginx: `ngx_http_limit_req_expire`).
    fn forget(&mut self, rate: u64, now: u64, force: bool) {
        let mut force = force;
        for _ in 0..if force { 3 } else { 2 } {
            let Some((turn, key)) = self.by_turn.first_key_value() else { return };
            let (turn, key) = (*turn, Arc::clone(key));
            let Some(client) = self.by_key.get(&key) else { return };
            let idle = now.saturating_sub(client.last) >= IDLE;
            let owes = client.excess_at(now, rate) > 1000;
            if !std::mem::take(&mut force) && (!idle || owes) {
                return;
            }
            self.by_turn.remove(&turn);
            self.by_key.remove(&key);
            self.taken = self.taken.saturating_sub(taken(ENTRY + key.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(rate: u64, size: u64) -> RequestZone {
        RequestZone { name: "one".into(), key: String::new(), size, rate, clients: Arc::default() }
    }

    #[test]
    fn a_bucket_leaks_at_its_rate() {
        let zone = zone(10_000, 32768);
        let ask = |now| zone.ask(b"a", 2000, now, true);
        assert_eq!(ask(1000), Asked::Within(0));
        assert_eq!(ask(1000), Asked::Within(1000));
        assert_eq!(ask(1000), Asked::Within(2000));
        assert_eq!(ask(1000), Asked::Beyond(3000));
        // A refused request is not counted.
        assert_eq!(ask(1050), Asked::Beyond(2500));
        assert_eq!(ask(1100), Asked::Within(2000));
        assert_eq!(ask(900_000), Asked::Within(0));
        assert_eq!(zone.ask(b"b", 0, 1000, true), Asked::Within(0));
        assert_eq!(zone.time_for(2000), Duration::from_millis(200));
    }

    #[test]
    fn another_process_goes_on_with_what_was_counted() {
        let (before, after) = (zone(1000, 32768), zone(1000, 32768));
        for _ in 0..3 {
            before.ask(b"a", 5000, 1000, true);
        }
        let mut writer = Writer::default();
        before.write(1200, &mut writer);
        let mut reader = Reader::new(writer.bytes());
        let [name, key] = [reader.text().unwrap(), reader.text().unwrap()];
        assert!(after.is([name, key], 32768));
        assert_eq!(reader.number(), Some(32768));
        let mut rest = reader;
        assert!(RequestZone::read(None, 700, &mut rest).is_some() && rest.number().is_none());
        RequestZone::read(Some(&after), 90_000, &mut reader).unwrap();
        assert_eq!(after.ask(b"a", 5000, 90_000, true), Asked::Within(2800));
        for length in 0..writer.bytes().len() {
            let mut cut = Reader::new(&writer.bytes()[..length]);
            let _ = (cut.text(), cut.text(), cut.number());
            assert!(RequestZone::read(Some(&after), 90_000, &mut cut).is_none());
        }
    }

    #[test]
    fn what_is_only_looked_at_does_not_count() {
        let zone = zone(1000, 32768);
        for _ in 0..5 {
            assert_eq!(zone.ask(b"a", 0, 5000, false), Asked::Within(0));
        }
        assert_eq!(zone.count(b"a", 5000), 0);
        assert_eq!(zone.ask(b"a", 0, 5000, false), Asked::Beyond(1000));
        assert_eq!(zone.count(b"unknown", 5000), 0);
    }

    #[test]
    fn a_full_zone_forgets_who_has_not_asked_for_longest() {
        let zone = zone(1000, 32768);
        let most = room(32768) / 128;
        for number in 0..most {
            zone.ask(&number.to_be_bytes()[4..], 5000, 1000, true);
        }
        zone.ask(&0u32.to_be_bytes(), 5000, 1000, true);
        assert_eq!(zone.lock().by_key.len() as u64, most);
        zone.ask(b"more", 5000, 1000, true);
        assert_eq!(zone.lock().by_key.len() as u64, most);
        assert_eq!(zone.ask(&0u32.to_be_bytes(), 5000, 1000, true), Asked::Within(2000));
        assert_eq!(zone.ask(&1u32.to_be_bytes(), 5000, 1000, true), Asked::Within(0));
        let clients = zone.lock();
        assert_eq!(clients.by_key.len(), clients.by_turn.len());
        assert!(clients.taken <= room(32768));
        drop(clients);
        assert_eq!(zone.ask(&vec![b'x'; 40_000], 0, 1000, true), Asked::NoRoom);
    }

    #[test]
    fn the_silent_who_owe_nothing_are_forgotten_without_need() {
        let zone = zone(1000, 1 << 20);
        for key in [b"a", b"b", b"c"] {
            zone.ask(key, 0, 0, true);
        }
        zone.ask(b"d", 0, 70_000, true);
        assert_eq!(zone.lock().by_key.len(), 2);
    }
}

//! Sessions that we remember (`ssl_session_cache`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::server::StoresServerSessions;
use tidegate_http::record::{Reader, Writer};
use tidegate_http::tls::signed;

/// What remembering a session costs besides its bytes.
const OVERHEAD: usize = 128;

/// A zone of sessions, bounded in bytes; the oldest make room.
#[derive(Debug)]
pub(super) struct Zone {
    sessions: Mutex<Sessions>,
    room: usize,
}

#[derive(Debug, Default)]
struct Sessions {
    by_id: HashMap<Vec<u8>, (Vec<u8>, Instant)>,
    /// The oldest first; what was taken out meanwhile is passed over.
    order: VecDeque<Vec<u8>>,
    size: usize,
}

impl Sessions {
    fn remove(&mut self, id: &[u8]) -> Option<(Vec<u8>, Instant)> {
        let (key, session) = self.by_id.remove_entry(id)?;
        self.size -= cost(&key, &session.0);
        Some(session)
    }
}

fn cost(id: &[u8], session: &[u8]) -> usize {
    // The id stands in the order as well.
    2 * id.len() + session.len() + OVERHEAD
}

impl Zone {
    /// A zone of so many bytes.
    pub(super) fn new(room: usize) -> Arc<Self> {
        Arc::new(Self { sessions: Mutex::default(), room })
    }

    /// How many bytes it has room for.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Writes its sessions down for another process, whose clock is another: the oldest first.
    pub(super) fn write(&self, writer: &mut Writer) {
        let sessions = self.lock();
        let known = sessions.order.iter().filter_map(|id| Some((id, sessions.by_id.get(id)?)));
        writer.number(known.clone().count() as u64);
        for (id, (session, since)) in known {
            writer.text(id);
            writer.text(session);
            writer.number(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX));
        }
    }

    /// Takes up what was written down; without a zone it is passed over.
    pub(super) fn read(zone: Option<&Self>, reader: &mut Reader<'_>) -> Option<()> {
        for _ in 0..reader.number()? {
            let (id, session, age) = (reader.text()?, reader.text()?, reader.number()?);
            let since = Instant::now().checked_sub(Duration::from_millis(age));
            if let (Some(zone), Some(since)) = (zone, since) {
                zone.keep(id.to_vec(), session.to_vec(), since);
            }
        }
        Some(())
    }

    fn keep(&self, id: Vec<u8>, session: Vec<u8>, since: Instant) -> bool {
        let cost = cost(&id, &session);
        if cost > self.room {
            return false;
        }
        let mut sessions = self.lock();
        sessions.remove(&id);
        // Ids of sessions that have been taken stay in the order, and are bounded with it.
        let most = self.room / OVERHEAD;
        while sessions.size + cost > self.room || sessions.order.len() >= most.max(1) {
            let Some(oldest) = sessions.order.pop_front() else { break };
            sessions.remove(&oldest);
        }
        sessions.size += cost;
        sessions.order.push_back(id.clone());
        sessions.by_id.insert(id, (session, since));
        true
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a zone that servers of one trust see.
#[derive(Debug)]
pub(super) struct Cache {
    pub(super) zone: Arc<Zone>,
    /// What their sessions' ids begin with.
    pub(super) trust: Vec<u8>,
    /// How long a session may be resumed.
    pub(super) lifetime: Duration,
}

impl Cache {
    fn id(&self, id: &[u8]) -> Vec<u8> {
        [self.trust.as_slice(), id].concat()
    }

    fn is_fresh(&self, since: Instant) -> bool {
        since.elapsed() <= self.lifetime
    }
}

impl StoresServerSessions for Cache {
    fn put(&self, id: Vec<u8>, session: Vec<u8>) -> bool {
        self.zone.keep(self.id(&id), signed::remembered(&session), Instant::now())
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        let sessions = self.zone.lock();
        let (session, since) = sessions.by_id.get(&self.id(id))?;
        self.is_fresh(*since).then_some(())?;
        signed::recalled(session).map(<[u8]>::to_vec)
    }

    fn take(&self, id: &[u8]) -> Option<Vec<u8>> {
        let mut sessions = self.zone.lock();
        let (session, since) = sessions.remove(&self.id(id))?;
        self.is_fresh(since).then_some(())?;
        signed::recalled(&session).map(<[u8]>::to_vec)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(zone: &Arc<Zone>, trust: &str, lifetime: Duration) -> Cache {
        Cache { zone: Arc::clone(zone), trust: trust.into(), lifetime }
    }

    #[test]
    fn a_zone_is_shared_by_name_but_not_between_trusts_and_bounded() {
        let zone = Zone::new(10_000);
        let minute = Duration::from_mins(1);
        let (one, other) = (cache(&zone, "a", minute), cache(&zone, "b", minute));
        assert!(one.put(vec![1], vec![7]));
        assert_eq!(one.get(&[1]), Some(vec![7]));
        assert_eq!(other.get(&[1]), None);
        assert_eq!(one.take(&[1]), Some(vec![7]));
        assert_eq!(one.take(&[1]), None);
        for number in 0..=255 {
            assert!(one.put(vec![number], vec![0; 500]));
        }
        assert_eq!(one.get(&[0]), None);
        assert!(one.get(&[255]).is_some());
        let sessions = zone.sessions.lock().unwrap();
        assert!(sessions.size <= 10_000 && sessions.order.len() <= 100);
        drop(sessions);
        let (mut writer, next) = (Writer::default(), Zone::new(5000));
        zone.write(&mut writer);
        Zone::read(Some(&next), &mut Reader::new(writer.bytes())).unwrap();
        Zone::read(None, &mut Reader::new(writer.bytes())).unwrap();
        assert_eq!(cache(&next, "a", minute).get(&[255]), Some(vec![0; 500]));
        assert!(next.sessions.lock().unwrap().size <= 5000);
        assert!(!one.put(vec![1], vec![0; 20_000]));
        assert_eq!(cache(&zone, "a", Duration::ZERO).get(&[255]), None);
    }
}

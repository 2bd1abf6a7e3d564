//! The zones of `limit_conn` of this process, and the processes that it shares them with.
//!
//! While one process drains and another serves, each tells the other how many places its clients
//! hold. What is told is a number, not a change of one, so that whoever listens late is told less.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connections::ConnectionZone;
use super::elsewhere::{Elsewhere, Neighbour, News};
use crate::record::{Reader, Writer};

/// About how many bytes are told at once.
const PIECE: usize = 32 * 1024;

/// The zones of `limit_conn` that this process has, over all its configurations.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    zones: Vec<Arc<ConnectionZone>>,
    neighbours: Vec<(Neighbour, SyncSender<()>)>,
    last: u64,
}

impl Ledger {
    /// The zone of this name, key and size: the one that is there already, or a new one.
    pub fn zone(&self, name: [&str; 2], size: u64) -> Arc<ConnectionZone> {
        let mut known = self.known();
        let same = known.zones.iter().find(|old| old.is(name.map(str::as_bytes), size));
        if let Some(same) = same {
            return Arc::clone(same);
        }
        // Nobody holds a place in one that is held by nobody else.
        known.zones.retain(|old| {
            Arc::strong_count(old) > 1 || !old.places().elsewhere.iter().all(Elsewhere::knows_all)
        });
        let new = Arc::new(ConnectionZone::new(name, size));
        for (neighbour, bell) in &known.neighbours {
            let mut other = Elsewhere::new(*neighbour, bell.clone());
            other.ask();
            new.places().elsewhere.push(other);
        }
        known.zones.push(Arc::clone(&new));
        new
    }

    /// Another process shares the zones from now on. The bell is rung when there is something to
    /// tell it, and dropped by [`Ledger::part`].
    pub fn meet(&self, bell: SyncSender<()>) -> Neighbour {
        let mut known = self.known();
        known.last += 1;
        let neighbour = Neighbour(known.last);
        for zone in &known.zones {
            zone.places().elsewhere.push(Elsewhere::new(neighbour, bell.clone()));
        }
        known.neighbours.push((neighbour, bell));
        neighbour
    }

    /// Another process is gone, and with it all that it held.
    pub fn part(&self, neighbour: Neighbour) {
        let mut known = self.known();
        known.neighbours.retain(|(other, _)| *other != neighbour);
        for zone in &known.zones {
            zone.places().elsewhere.retain(|other| !other.is(neighbour));
        }
    }

    /// What another process is to be told, in pieces; it counts as told.
    pub fn news(&self, neighbour: Neighbour) -> Vec<Vec<u8>> {
        let known = self.known();
        let news = known.zones.iter().filter_map(|zone| {
            let news = zone.places().news(neighbour)?;
            Some((Arc::clone(zone), news))
        });
        let news: Vec<_> = news.collect();
        drop(known);
        let mut pieces = Vec::new();
        for (zone, news) in news {
            write(&zone, news, &mut pieces);
        }
        pieces
    }

    /// What another process is to be asked; it counts as asked. What it told of a zone before the zone
    /// was here has been passed over.
    pub fn questions(&self, neighbour: Neighbour) -> Vec<Vec<u8>> {
        let known = self.known();
        let asks = |zone: &&Arc<ConnectionZone>| {
            let mut places = zone.places();
            let mut others = places.elsewhere.iter_mut();
            others.find(|other| other.is(neighbour)).is_some_and(Elsewhere::asks)
        };
        let question = |zone: &Arc<ConnectionZone>| name(zone).bytes().to_vec();
        known.zones.iter().filter(asks).map(question).collect()
    }

    /// Takes a question of another process, which is told all of a zone next; `None` where it is
    /// nonsense. Of a zone that is not known here there is nothing to tell.
    pub fn asked(&self, neighbour: Neighbour, question: &[u8]) -> Option<()> {
        let mut reader = Reader::new(question);
        let (name, size) = ([reader.text()?, reader.text()?], reader.number()?);
        let known = self.known();
        if let Some(zone) = known.zones.iter().find(|zone| zone.is(name, size)) {
            let mut places = zone.places();
            places.elsewhere.iter_mut().find(|other| other.is(neighbour))?.asked();
        }
        Some(())
    }

    /// Takes what another process tells; `None` where it is nonsense. A zone that is not known here
    /// is passed over.
    pub fn hear(&self, neighbour: Neighbour, piece: &[u8]) -> Option<()> {
        let mut reader = Reader::new(piece);
        let (name, size) = ([reader.text()?, reader.text()?], reader.number()?);
        let all = reader.number()? == 1;
        let known = self.known();
        let Some(zone) = known.zones.iter().find(|zone| zone.is(name, size)) else {
            return Some(());
        };
        let mut places = zone.places();
        let mut others = places.elsewhere.iter_mut();
        let other = others.find(|other| other.is(neighbour))?;
        if all {
            other.forget();
        }
        for _ in 0..reader.number()? {
            let (key, count) = (reader.text()?, reader.number()?);
            other.hear(key, u32::try_from(count).unwrap_or(u32::MAX), zone.room());
        }
        Some(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down which zone it is.
fn name(zone: &ConnectionZone) -> Writer {
    let mut writer = Writer::default();
    writer.text(zone.name().as_bytes());
    writer.text(zone.key().as_bytes());
    writer.number(zone.size());
    writer
}

/// Writes down what is new in a zone.
fn write(zone: &ConnectionZone, (all, news): News, pieces: &mut Vec<Vec<u8>>) {
    let mut rest = news.as_slice();
    let mut begins = all;
    while begins || !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|(key, _)| {
            let fits = bytes < PIECE;
            bytes += key.len() + 16;
            fits
        });
        let (piece, more) = rest.split_at(fits.count());
        let mut writer = name(zone);
        writer.number(u64::from(begins));
        writer.number(piece.len() as u64);
        for (key, count) in piece {
            writer.text(key);
            writer.number(u64::from(*count));
        }
        pieces.push(writer.bytes().to_vec());
        (rest, begins) = (more, false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;

    /// A process with a zone, and another one that it tells.
    struct Process {
        ledger: Ledger,
        zone: Arc<ConnectionZone>,
        other: Neighbour,
        bell: Receiver<()>,
    }

    fn process() -> Process {
        let ledger = Ledger::default();
        let zone = ledger.zone(["one", "$arg_k"], 32768);
        let (ring, bell) = sync_channel(1);
        let other = ledger.meet(ring);
        Process { ledger, zone, other, bell }
    }

    fn tell(from: &Process, to: &Process) -> usize {
        let news = from.ledger.news(from.other);
        for piece in &news {
            to.ledger.hear(to.other, piece).unwrap();
        }
        news.len()
    }

    #[test]
    fn what_another_process_holds_counts_until_it_is_given_back_or_it_is_gone() {
        let (before, after) = (process(), process());
        let first = before.zone.hold(b"a", 3).unwrap();
        let second = before.zone.hold(b"a", 3).unwrap();
        tell(&before, &after);
        let third = after.zone.hold(b"a", 3).unwrap();
        assert!(after.zone.hold(b"a", 3).unwrap_err());
        assert!(after.zone.hold(b"b", 1).is_ok());
        tell(&after, &before);
        assert!(before.zone.hold(b"a", 3).unwrap_err());
        drop(first);
        tell(&before, &after);
        let fourth = after.zone.hold(b"a", 3).unwrap();
        drop((second, third, fourth));
        tell(&before, &after);
        let all = [(); 3].map(|()| after.zone.hold(b"a", 3).unwrap());
        tell(&after, &before);
        assert!(before.zone.hold(b"a", 3).unwrap_err());
        before.ledger.part(before.other);
        assert!(before.zone.hold(b"a", 1).is_ok());
        drop(all);
    }

    #[test]
    fn the_bell_rings_when_there_is_something_to_tell_and_ends_with_the_other() {
        let one = process();
        assert!(one.bell.try_recv().is_err());
        let held = one.zone.hold(b"a", 1).unwrap();
        assert!(one.bell.try_recv().is_ok());
        assert_eq!(one.ledger.news(one.other).len(), 1);
        assert!(one.ledger.news(one.other).is_empty());
        drop(held);
        assert!(one.bell.recv().is_ok());
        assert_eq!(one.ledger.news(one.other).len(), 1);
        one.ledger.part(one.other);
        assert!(one.bell.recv().is_err());
    }

    #[test]
    fn what_is_kept_for_one_who_does_not_listen_is_bounded_and_it_still_hears_all() {
        let (before, after) = (process(), process());
        drop(before.zone.hold(b"gone", 1).unwrap());
        tell(&before, &after);
        let held = before.zone.hold(b"a", 1).unwrap();
        tell(&before, &after);
        drop(held);
        // Each is news by itself, and nobody fetches it.
        for number in 0..10_000_u64 {
            drop(before.zone.hold(&number.to_be_bytes(), 1).unwrap());
        }
        assert!(before.zone.places().elsewhere[0].kept() < 600);
        let _b = before.zone.hold(b"b", 1).unwrap();
        assert_eq!(tell(&before, &after), 1);
        assert!(after.zone.hold(b"a", 1).is_ok());
        assert!(after.zone.hold(b"b", 1).unwrap_err());
    }

    #[test]
    fn many_clients_are_told_in_pieces() {
        let (before, after) = (process(), process());
        let key = |number: u64| [&number.to_be_bytes()[..], &[b'x'; 1000]].concat();
        let held: Vec<_> = (0..12).map(|number| before.zone.hold(&key(number), 1)).collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(tell(&before, &after), 1);
        let large = Ledger::default();
        let zone = large.zone(["one", "$arg_k"], 1 << 20);
        let held: Vec<_> = (0..100).map(|number| zone.hold(&key(number), 1)).collect();
        let (bell, _rung) = sync_channel(1);
        let other = large.meet(bell);
        let pieces = large.news(other);
        assert_eq!(pieces.len(), 4);
        drop(held);
        // What there is no room for is not believed, and what is cut short is not taken for news.
        for number in 0..100_000_u64 {
            after.zone.places().elsewhere[0].hear(&number.to_be_bytes(), 1, 20_000);
        }
        assert!(after.zone.places().elsewhere[0].known() < 400);
        let piece = &pieces[0];
        assert!(
            (0..piece.len()).step_by(101).all(|end| large.hear(other, &piece[..end]).is_none())
        );
        assert!(large.hear(other, piece).is_some());
    }

    #[test]
    fn a_zone_that_comes_later_is_shared_and_one_that_went_is_forgotten_when_all_is_told() {
        let (before, after) = (process(), process());
        let (mine, theirs) =
            [&before, &after].map(|one| one.ledger.zone(["two", ""], 32768)).into();
        let held = mine.hold(b"a", 1).unwrap();
        assert!(tell(&before, &after) > 0);
        assert!(theirs.hold(b"a", 1).unwrap_err());
        drop(mine);
        let again = before.ledger.zone(["two", ""], 32768);
        assert!(again.hold(b"a", 1).unwrap_err(), "it is the one that is held");
        drop((held, again));
        before.ledger.zone(["three", ""], 32768);
        assert!(tell(&before, &after) > 0);
        assert!(theirs.hold(b"a", 1).is_ok());
        before.ledger.zone(["four", ""], 32768);
        assert_eq!(before.ledger.known().zones.len(), 2);
    }

    #[test]
    fn a_zone_that_comes_later_hears_what_was_told_before() {
        let (before, after) = (process(), process());
        let theirs = before.ledger.zone(["two", ""], 32768);
        let _held = theirs.hold(b"a", 1).unwrap();
        // Nobody knows it there yet.
        tell(&before, &after);
        let mine = after.ledger.zone(["two", ""], 32768);
        assert!(mine.hold(b"a", 1).is_ok(), "it is not known yet");
        assert!(after.bell.try_recv().is_ok(), "there is something to ask");
        let questions = after.ledger.questions(after.other);
        assert_eq!(questions.len(), 1);
        assert!(after.ledger.questions(after.other).is_empty());
        while before.bell.try_recv().is_ok() {}
        before.ledger.asked(before.other, &questions[0]).unwrap();
        assert!(before.bell.try_recv().is_ok(), "there is something to tell");
        assert_eq!(tell(&before, &after), 1);
        assert!(mine.hold(b"a", 1).unwrap_err());
        // What is not known is not told, and nonsense is not taken for a question.
        let unknown = process();
        unknown.ledger.asked(unknown.other, &questions[0]).unwrap();
        let cut = &questions[0][..questions[0].len() - 1];
        assert!(before.ledger.asked(before.other, cut).is_none());
    }
}

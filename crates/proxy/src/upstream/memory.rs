//! What is known of servers, written down for another process of ours.

use std::time::{Duration, Instant};

use tidegate_config::http::upstream::sticky::{Learn, Sticky};
use tidegate_http::record::{Reader, Writer};

use super::Upstreams;
use super::group::Group;
use super::health::State;
use super::peer::Peer;
use super::sticky::Sessions;

/// A moment that has not been.
const NEVER: u64 = u64::MAX;

impl Upstreams {
    /// Writes down how the servers of all groups are that `upstream` blocks define: their failures,
    /// and what checks have found out.
    pub fn write(&self, writer: &mut Writer) {
        let groups: Vec<_> = self.defined().collect();
        writer.number(groups.len() as u64);
        for group in groups {
            writer.text(group.description.name.as_bytes());
            group.write(writer);
        }
    }

    /// Takes up what another process has written down of servers that are here, too.
    pub fn read(&self, reader: &mut Reader<'_>) -> Option<()> {
        for _ in 0..reader.number()? {
            let name = reader.text()?;
            let mut groups = self.defined();
            let group = groups.find(|group| group.description.name.as_bytes() == name);
            for _ in 0..reader.number()? {
                let told = Told::read(reader)?;
                if let Some(group) = group {
                    group.take_up(&told);
                }
            }
        }
        Some(())
    }

    /// Writes down what `sticky learn` has learned.
    pub fn write_sessions(&self, writer: &mut Writer) {
        let groups: Vec<_> = self.defined().filter(|group| learn(group).is_some()).collect();
        writer.number(groups.len() as u64);
        for group in groups {
            writer.text(group.description.name.as_bytes());
            group.sessions.write(writer);
        }
    }

    /// Takes up what another process has learned.
    pub fn read_sessions(&self, reader: &mut Reader<'_>) -> Option<()> {
        let nobody = Sessions::default();
        for _ in 0..reader.number()? {
            let name = reader.text()?;
            let mut groups = self.defined();
            let group = groups.find(|group| group.description.name.as_bytes() == name);
            let sessions = group.map_or(&nobody, |group| &*group.sessions);
            sessions.read(reader, group.and_then(|group| learn(group)))?;
        }
        Some(())
    }
}

fn learn(group: &Group) -> Option<&Learn> {
    match &group.description.sticky {
        Some(Sticky::Learn(learn)) => Some(learn),
        _ => None,
    }
}

/// What is told of a server.
struct Told<'a> {
    address: &'a [u8],
    fails: u64,
    accessed: Option<Instant>,
    checked: Option<Instant>,
    health: State,
}

impl<'a> Told<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let moment = |age: u64| match age {
            NEVER => None,
            age => Instant::now().checked_sub(Duration::from_millis(age)),
        };
        Some(Self {
            address: reader.text()?,
            fails: reader.number()?,
            accessed: moment(reader.number()?),
            checked: moment(reader.number()?),
            health: match reader.number()? {
                1 => State::Unhealthy,
                2 => State::Checking,
                _ => State::Up,
            },
        })
    }
}

impl Group {
    fn write(&self, writer: &mut Writer) {
        let age = |moment: Option<Instant>| {
            moment.map_or(NEVER, |moment| {
                u64::try_from(moment.elapsed().as_millis()).unwrap_or(NEVER)
            })
        };
        let state = self.state();
        writer.number(state.balancer.all().count() as u64);
        for peer in state.balancer.all() {
            writer.text(peer.address.to_string().as_bytes());
            writer.number(peer.fails.into());
            writer.number(age(peer.accessed));
            writer.number(age(peer.checked));
            writer.number(match peer.health.state() {
                State::Up => 0,
                State::Unhealthy => 1,
                State::Checking => 2,
            });
        }
    }

    fn take_up(&self, told: &Told<'_>) {
        let mut state = self.state();
        let same = |peer: &&mut Peer| peer.address.to_string().as_bytes() == told.address;
        for peer in state.balancer.all_mut().filter(same) {
            peer.fails = u32::try_from(told.fails).unwrap_or(u32::MAX);
            (peer.accessed, peer.checked) = (told.accessed, told.checked);
            peer.health.is_found(told.health);
        }
    }
}

//! Zones: what all workers share of limits, bounded by the sizes that the configuration gives.

mod connections;
mod elsewhere;
mod ledger;
mod requests;

use std::sync::Arc;

use tidegate_config::block::Http;
use tidegate_config::http::limit_conn::ConnectionZone as ConnectionZoneConfig;
use tidegate_config::names::zone::ZoneId;

use crate::phase::limit_req::now;
use crate::record::{Reader, Writer};
pub use connections::{ConnectionZone, Held};
pub use elsewhere::Neighbour;
pub use ledger::Ledger;
pub use requests::{Asked, RequestZone};

/// A page of memory, in which nginx's zones are divided.
const PAGE: u64 = 4096;

/// The zones of a configuration.
#[derive(Debug, Default)]
pub struct Zones {
    /// Those of `limit_req`, by number.
    requests: Vec<Arc<RequestZone>>,
    /// Those of `limit_conn`, by number.
    connections: Vec<Arc<ConnectionZone>>,
    /// Those and the ones before them, for other processes.
    ledger: Arc<Ledger>,
}

impl Zones {
    /// The zones of a configuration. One that was there before, with the same name, size and key,
    /// keeps what it knows; nginx refuses a reload that changes a key, here the zone begins anew.
    pub fn new(http: &Http, before: Option<&Self>) -> Self {
        let mut requests: Vec<_> = http.limit_req_zones.zones.iter().collect();
        requests.sort_by_key(|zone| zone.id.0);
        let mut connections: Vec<_> = http.limit_conn_zones.zones.iter().collect();
        connections.sort_by_key(|zone| zone.id.0);
        let old_requests = before.map_or(&[][..], |zones| &zones.requests);
        let ledger = before.map(|zones| Arc::clone(&zones.ledger)).unwrap_or_default();
        let request = |zone| Arc::new(RequestZone::new(zone, old_requests));
        let connection =
            |zone: &ConnectionZoneConfig| ledger.zone([&zone.name, &zone.key_text], zone.size);
        Self {
            requests: requests.into_iter().map(request).collect(),
            connections: connections.into_iter().map(connection).collect(),
            ledger,
        }
    }

    /// The zones of `limit_conn`, as other processes know them.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// The zone of a `limit_req`.
    pub fn requests(&self, id: ZoneId) -> Option<&Arc<RequestZone>> {
        self.requests.get(id.0)
    }

    /// The zone of a `limit_conn`.
    pub fn connections(&self, id: ZoneId) -> Option<&Arc<ConnectionZone>> {
        self.connections.get(id.0)
    }
}

impl Zones {
    /// Writes down how often clients have asked, for another process. What `limit_conn` holds changes
    /// from request to request, and is told by the [`Ledger`].
    pub fn write(&self, writer: &mut Writer) {
        writer.number(self.requests.len() as u64);
        for zone in &self.requests {
            zone.write(now(), writer);
        }
    }

    /// Takes up what another process has written down, in zones that are the same here.
    pub fn read(&self, reader: &mut Reader<'_>) -> Option<()> {
        for _ in 0..reader.number()? {
            let known = [reader.text()?, reader.text()?];
            let size = reader.number()?;
            let zone = self.requests.iter().find(|zone| zone.is(known, size));
            RequestZone::read(zone.map(|zone| &**zone), now(), reader)?;
        }
        Some(())
    }
}

/// How many bytes a zone of this size has room for: its pages but the first, each with its record
/// (nginx: `ngx_slab_init`).
fn room(size: u64) -> u64 {
    (size / (PAGE + 24)).saturating_sub(1).max(1) * PAGE
}

/// How many bytes of a zone an entry takes: powers of two up to half a page, else whole pages
/// (nginx: `ngx_slab_alloc`).
fn taken(bytes: usize) -> u64 {
    let bytes = bytes as u64;
    if bytes > PAGE / 2 { bytes.div_ceil(PAGE) * PAGE } else { bytes.next_power_of_two().max(8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_room_for_as_many_as_nginxs() {
        // "One megabyte zone can keep … about 8 thousand 128-byte states."
        assert!((7900..=8192).contains(&(room(1 << 20) / taken(84))), "{}", room(1 << 20));
        assert_eq!(taken(84), 128);
        assert_eq!(taken(129), 256);
        assert_eq!(taken(2049), 4096);
        assert_eq!(taken(5000), 8192);
    }
}

//! `hash … consistent`: servers have points on a ring, and a key asks the server of the next point.
//!
//! nginx: `ngx_http_upstream_init_chash`, which does as Perl's `Cache::Memcached::Fast` does: when
//! servers come and go, few keys move.

use crc32fast::Hasher;

/// How many points a server has for each unit of its weight.
const POINTS: u32 = 160;

/// The points of all servers. A server is the number of its line; lines that say the same are one.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// Hash and server, by hash.
    points: Vec<(u32, usize)>,
    /// The first line that says the same, of each line.
    same: Vec<usize>,
}

impl Ring {
    /// A ring of servers as written, with their weights; 0 for those that have no points.
    pub(super) fn new<'a>(servers: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let servers: Vec<_> = servers.collect();
        let mut ring = Self::default();
        for (number, (name, weight)) in servers.iter().enumerate() {
            let same = servers.iter().position(|(other, _)| other == name).unwrap_or(number);
            ring.same.push(same);
            let start = start(name);
            let mut hash = 0_u32;
            for _ in 0..weight.saturating_mul(POINTS) {
                let mut hasher = start.clone();
                hasher.update(&hash.to_le_bytes());
                hash = hasher.finalize();
                ring.points.push((hash, same));
            }
        }
        ring.points.sort_by_key(|(hash, _)| *hash);
        ring.points.dedup_by_key(|(hash, _)| *hash);
        ring
    }

    /// The point of a key.
    pub(super) fn find(&self, key: &[u8]) -> usize {
        let hash = crc32fast::hash(key);
        self.points.partition_point(|(point, _)| *point < hash)
    }

    /// The server of a point; behind the last comes the first.
    pub(super) fn server(&self, point: usize) -> Option<usize> {
        let point = point.checked_rem(self.points.len())?;
        self.points.get(point).map(|(_, server)| *server)
    }

    /// Whether a line says the same as that of the server.
    pub(super) fn is_same(&self, line: usize, server: usize) -> bool {
        self.same.get(line) == Some(&server)
    }
}

/// What the hashes of a server begin with: host, a zero byte, port.
fn start(name: &str) -> Hasher {
    let unix = name.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("unix:"));
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = match (unix, name.rsplit_once(':')) {
        (Some(scheme), _) => (name.get(scheme.len()..).unwrap_or_default(), ""),
        (None, Some((host, port))) if is_port(port) => (host, port),
        (None, _) => (name, ""),
    };
    let mut hasher = Hasher::new();
    hasher.update(host.as_bytes());
    hasher.update(b"\0");
    hasher.update(port.as_bytes());
    hasher
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVERS: [(&str, u32); 3] = [("10.0.0.1:80", 1), ("10.0.0.2:80", 2), ("unix:/a", 1)];

    fn asked(ring: &Ring) -> Vec<usize> {
        let key = |number: usize| ring.find(format!("/{number}").as_bytes());
        (0..2000).filter_map(|number| ring.server(key(number))).collect()
    }

    #[test]
    fn points_are_by_weight_and_the_ring_is_closed() {
        let ring = Ring::new(SERVERS.into_iter());
        let of = |server| ring.points.iter().filter(|point| point.1 == server).count();
        assert_eq!([of(0), of(1), of(2)], [160, 320, 160]);
        assert_eq!(ring.server(640), ring.server(0));
        assert_eq!(Ring::default().server(0), None);
    }

    #[test]
    fn keys_move_only_from_the_server_that_goes() {
        let all = asked(&Ring::new(SERVERS.into_iter()));
        let [one, two, _] = SERVERS;
        let less = asked(&Ring::new([one, two].into_iter()));
        assert!(all.iter().zip(&less).all(|(before, after)| *before == 2 || before == after));
        assert!(all.contains(&2));
    }

    #[test]
    fn lines_that_say_the_same_are_one_server() {
        let ring = Ring::new([("a:80", 1), ("b", 1), ("a:80", 1)].into_iter());
        assert!(ring.is_same(2, 0) && ring.is_same(0, 0) && !ring.is_same(1, 0));
        assert_eq!(ring.points.len(), 320);
    }
}

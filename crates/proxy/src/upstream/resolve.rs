//! Names of servers to addresses, remembered for as long as the name servers say.

mod client;
mod sockets;

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tidegate_config::http::resolver::{NameServers, Resolver};

use super::keepalive;

/// How long a failure of the resolver is believed.
pub const FAILED: Duration = Duration::from_secs(1);

/// Within these bounds an answer is believed for as long as it says.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(24);

/// How many names are remembered; names may come from requests.
const NAMES: usize = 512;

/// Who is asked, and for how long.
#[derive(Clone, Debug)]
pub struct Names(pub Resolver);

impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        self.0.servers == other.0.servers && self.0.timeout == other.0.timeout
    }
}

impl Eq for Names {}

impl Default for Names {
    fn default() -> Self {
        Self(Resolver { servers: None, timeout: Duration::from_secs(30) })
    }
}

/// An address with what its SRV record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub address: SocketAddr,
    /// Its share, where the record tells.
    pub weight: Option<u32>,
    /// Whether others come first.
    pub backup: bool,
}

/// Why a name has no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// What the resolver said, or that it was silent.
    Said(String),
    /// It is we who have nothing left to ask by, and what the system said.
    Shortage(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Said(text) | Self::Shortage(text)) = self;
        f.write_str(text)
    }
}

/// What is known of a name: its addresses or why there are none, and until when.
type Answer = (Result<Vec<Place>, Reason>, Instant);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    name: String,
    port: u16,
    service: Option<String>,
    servers: Option<NameServers>,
}

static CACHE: Mutex<Option<HashMap<Asked, Answer>>> = Mutex::new(None);

/// The places of a host, those of IPv4 first, as nginx orders them; or why there is none. And until
/// when that is believed.
pub async fn lookup(
    (host, port): (&str, u16),
    service: Option<&str>,
    resolver: &Resolver,
) -> Answer {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return (Ok(vec![plain(address, port)]), Instant::now() + LONGEST);
    }
    let asked = Asked {
        name: host.to_owned(),
        port,
        service: service.map(str::to_owned),
        servers: resolver.servers.clone(),
    };
    if let Some(answer) = remembered(&asked) {
        return answer;
    }
    let found = tokio::time::timeout(resolver.timeout, ask_by_what_is_left(&asked)).await;
    let now = Instant::now();
    let answer = match found {
        Ok(Ok((places, until))) => {
            let valid = asked.servers.as_ref().and_then(|servers| servers.valid);
            let time = valid.unwrap_or_else(|| until.saturating_duration_since(now));
            (Ok(places), now + time.clamp(SHORTEST, LONGEST))
        }
        // Nobody has been asked.
        Ok(Err(reason @ Reason::Shortage(_))) => return (Err(reason), now),
        Ok(Err(reason)) => (Err(reason), now + FAILED),
        Err(_) => (Err(Reason::Said("110: Operation timed out".to_owned())), now + FAILED),
    };
    remember(asked, &answer);
    answer
}

/// Asks; where nothing is left to do so by, an idle connection to an upstream gives way.
async fn ask_by_what_is_left(asked: &Asked) -> Result<(Vec<Place>, Instant), Reason> {
    match ask(asked).await {
        Err(Reason::Shortage(_)) if keepalive::let_go() => ask(asked).await,
        answer => answer,
    }
}

async fn ask(asked: &Asked) -> Result<(Vec<Place>, Instant), Reason> {
    let client = client::of(asked.servers.as_ref())?;
    let Some(service) = &asked.service else {
        let (addresses, until) = client.addresses(&asked.name).await?;
        let places = addresses.into_iter().map(|address| plain(address, asked.port));
        return Ok((places.collect(), until));
    };
    let name = if service.contains('.') {
        format!("{service}.{}", asked.name)
    } else {
        format!("_{service}._tcp.{}", asked.name)
    };
    let (records, mut until) = client.services(&name).await?;
    let first = records.iter().map(|record| record.priority).min();
    let (mut places, mut reason) = (Vec::new(), Reason::Said(String::new()));
    for record in records {
        match client.addresses(&record.target).await {
            Ok((addresses, valid)) => {
                until = until.min(valid);
                places.extend(addresses.into_iter().map(|address| Place {
                    address: SocketAddr::new(address, record.port),
                    weight: Some(u32::from(record.weight).max(1)),
                    backup: Some(record.priority) != first,
                }));
            }
            Err(error) => reason = error,
        }
    }
    if places.is_empty() { Err(reason) } else { Ok((places, until)) }
}

fn plain(address: IpAddr, port: u16) -> Place {
    Place { address: SocketAddr::new(address, port), weight: None, backup: false }
}

fn remembered(asked: &Asked) -> Option<Answer> {
    let cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = cache.as_ref()?.get(asked)?;
    (answer.1 > Instant::now()).then(|| answer.clone())
}

fn remember(asked: Asked, answer: &Answer) {
    let now = Instant::now();
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = cache.get_or_insert_default();
    if cache.len() >= NAMES {
        cache.retain(|_, (_, expires)| *expires > now);
    }
    if cache.len() < NAMES {
        cache.insert(asked, answer.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_need_no_resolver() {
        let resolver = Resolver { servers: None, timeout: Duration::from_secs(1) };
        let found = |host| lookup((host, 8), None, &resolver);
        let address = |answer: Answer| answer.0.unwrap()[0].address;
        assert_eq!(address(found("127.0.0.1").await), "127.0.0.1:8".parse().unwrap());
        assert_eq!(address(found("[::1]").await), "[::1]:8".parse().unwrap());
        assert!(address(found("localhost").await).ip().is_loopback());
    }
}

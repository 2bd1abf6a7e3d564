//! Names of servers to addresses, by the system's resolver, remembered for a short time.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer of the resolver is believed.
pub const FRESH: Duration = Duration::from_secs(10);

/// How long a failure of the resolver is believed.
const FAILED: Duration = Duration::from_secs(1);

/// How long the resolver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many names are remembered; names may come from requests.
const NAMES: usize = 512;

type Answer = Result<Vec<IpAddr>, String>;

static CACHE: Mutex<Option<HashMap<String, (Answer, Instant)>>> = Mutex::new(None);

/// The addresses of a host, those of IPv4 first, as nginx orders them; or why there is none.
pub async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let answer = if let Some(answer) = remembered(host) {
        answer
    } else {
        let answer = ask(host).await;
        remember(host, &answer);
        answer
    };
    Ok(answer?.into_iter().map(|address| SocketAddr::new(address, port)).collect())
}

async fn ask(host: &str) -> Answer {
    let lookup = tokio::net::lookup_host((host, 0));
    let found = tokio::time::timeout(PATIENCE, lookup).await;
    let found = found.map_err(|_| "timed out".to_owned())?.map_err(|error| error.to_string())?;
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    if addresses.is_empty() { Err("no address".to_owned()) } else { Ok(addresses) }
}

fn remembered(host: &str) -> Option<Answer> {
    let cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let (answer, expires) = cache.as_ref()?.get(host)?;
    (*expires > Instant::now()).then(|| answer.clone())
}

fn remember(host: &str, answer: &Answer) {
    let now = Instant::now();
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = cache.get_or_insert_default();
    if cache.len() >= NAMES {
        cache.retain(|_, (_, expires)| *expires > now);
    }
    if cache.len() < NAMES {
        let expires = now + if answer.is_ok() { FRESH } else { FAILED };
        cache.insert(host.to_owned(), (answer.clone(), expires));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_need_no_resolver_and_names_may_fail() {
        assert_eq!(lookup("127.0.0.1", 8).await.unwrap(), ["127.0.0.1:8".parse().unwrap()]);
        assert_eq!(lookup("[::1]", 8).await.unwrap(), ["[::1]:8".parse().unwrap()]);
        let found = lookup("localhost", 80).await.unwrap();
        assert!(found[0].ip().is_loopback() && found[0].is_ipv4());
        assert!(lookup("no-such-host.invalid", 80).await.is_err());
    }
}

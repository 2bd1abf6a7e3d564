//! Tickets: sessions that clients keep, encrypted for us alone (RFC 5077, RFC 8446).

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::{hkdf, rand};
use rustls::server::ProducesTickets;
use tidegate_http::tls::signed;

use super::chain::{Chain, this_hour};

/// How long a key's name is.
const NAME: usize = 16;

/// How many seconds a key that nobody has given encrypts; then there is a new one.
const HOUR: u64 = 3600;

/// The keys of tickets of servers of one trust: a ticket of others is none here.
pub(super) struct Tickets {
    keys: Mutex<Keys>,
    /// How long a session may be resumed.
    lifetime: Duration,
    /// What servers of one trust have in common.
    trust: Vec<u8>,
}

struct Keys {
    /// The first one encrypts, all of them decrypt.
    all: Vec<Key>,
    /// What the first one comes of, where nobody has given keys: it changes every hour.
    chain: Option<Chain>,
}

struct Key {
    name: [u8; NAME],
    key: LessSafeKey,
}

impl Key {
    /// A key out of a secret, for servers of this trust.
    fn new(secret: &[u8], trust: &[u8]) -> Option<Self> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tidegate tickets");
        let mut bytes = [0; NAME + 32];
        let info = [trust];
        salt.extract(secret).expand(&info, Length).ok()?.fill(&mut bytes).ok()?;
        let (name, key) = bytes.split_first_chunk()?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
        Some(Self { name: *name, key })
    }
}

/// As many bytes as a key and its name take.
struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        NAME + 32
    }
}

impl Tickets {
    /// With the keys of files, or, where there are none, with those of a chain.
    pub(super) fn new(
        secrets: &[Vec<u8>],
        chain: Option<Chain>,
        trust: &[u8],
        lifetime: Duration,
    ) -> Option<Self> {
        let mut all: Vec<Key> =
            secrets.iter().map(|secret| Key::new(secret, trust)).collect::<Option<_>>()?;
        let chain = if all.is_empty() { Some(chain.or_else(Chain::drawn)?) } else { None };
        if let Some(chain) = &chain {
            all.push(Key::new(chain.secret(), trust)?);
        }
        let mut keys = Keys { all, chain };
        Self::change(&mut keys, trust, lifetime);
        Some(Self { keys: Mutex::new(keys), lifetime, trust: trust.to_vec() })
    }

    /// Another key when it is time; those that tickets may still be of are kept.
    fn change(keys: &mut Keys, trust: &[u8], lifetime: Duration) {
        let Keys { all, chain: Some(chain) } = keys else { return };
        let now = this_hour();
        while chain.hour() < now {
            let Some(next) = chain.next() else { return };
            let Some(key) = Key::new(next.secret(), trust) else { return };
            all.insert(0, key);
            *chain = next;
            let hours = lifetime.as_secs() / HOUR + 2;
            all.truncate(usize::try_from(hours).unwrap_or(2));
        }
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(self.lifetime.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Self::change(&mut keys, &self.trust, self.lifetime);
        let key = keys.all.first()?;
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).ok()?;
        let mut content = now().to_be_bytes().to_vec();
        content.extend_from_slice(&signed::remembered(plain));
        let aad = Aad::from(key.name);
        let sealed = Nonce::assume_unique_for_key(nonce);
        key.key.seal_in_place_append_tag(sealed, aad, &mut content).ok()?;
        Some([key.name.as_slice(), &nonce, &content].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (name, rest) = ticket.split_first_chunk::<NAME>()?;
        let (nonce, content) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        // Another process may have come to a later hour.
        Self::change(&mut keys, &self.trust, self.lifetime);
        let key = keys.all.iter().find(|key| key.name == *name)?;
        let mut content = content.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.key.open_in_place(nonce, Aad::from(key.name), &mut content).ok()?;
        let (made, plain) = opened.split_first_chunk()?;
        let age = now().checked_sub(u64::from_be_bytes(*made))?;
        (age <= self.lifetime.as_secs()).then_some(())?;
        signed::recalled(plain).map(<[u8]>::to_vec)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// What servers of one trust have in common; sessions of others are none of theirs.
pub(super) fn trust(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    digest(&SHA256, &all).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_for_servers_of_the_same_key_and_the_same_trust() {
        let minute = Duration::from_mins(1);
        let secret = [vec![1; 48], vec![2; 48]];
        let one = Tickets::new(&secret, None, b"trust", minute).unwrap();
        let ticket = one.encrypt(b"session").unwrap();
        assert_eq!(one.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        let rotated = Tickets::new(&[vec![3; 48], vec![1; 48]], None, b"trust", minute).unwrap();
        assert_eq!(rotated.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        let other = Tickets::new(&secret, None, b"another", minute).unwrap();
        assert_eq!(other.decrypt(&ticket), None);
        let drawn = Tickets::new(&[], None, b"trust", minute).unwrap();
        assert_eq!(drawn.decrypt(&ticket), None);
        let chain = Chain::drawn();
        let [before, after] =
            [(); 2].map(|()| Tickets::new(&[], chain.clone(), b"trust", minute).unwrap());
        let handed_on = before.encrypt(b"session").unwrap();
        assert_eq!(after.decrypt(&handed_on).as_deref(), Some(&b"session"[..]));
        for length in 0..ticket.len() {
            assert_eq!(one.decrypt(&ticket[..length]), None, "{length}");
        }
    }
}

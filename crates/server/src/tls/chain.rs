//! The secrets that drawn keys of tickets come of, one for each hour: each is made of the one before,
//! and none leads back. Whoever serves next makes the same ones, and knows the tickets of before.

use std::fmt;
use std::time::SystemTime;

use aws_lc_rs::hkdf;
use rustix::rand::{GetRandomFlags, getrandom};

/// How long a secret is.
const SECRET: usize = 32;

/// How many hours a master can go back: a ticket that is older is none to who serves next.
const KEPT: u64 = 24;

/// A chain that has not been needed for longer is drawn anew, rather than followed.
const LONGEST: u64 = 24 * 365;

/// The secret of an hour, which those of later hours come of.
#[derive(Clone)]
pub(crate) struct Chain {
    secret: [u8; SECRET],
    /// Hours since 1970.
    hour: u64,
}

/// As many bytes as a secret.
struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        SECRET
    }
}

impl Chain {
    /// How many bytes [`Chain::bytes`] has.
    pub(crate) const BYTES: usize = SECRET + 8;

    /// A chain that begins by chance; `None` where the system has no random bytes.
    pub(crate) fn drawn() -> Option<Self> {
        // The system's own: aws-lc, asked first, measures for tens of milliseconds how the processor's
        // time varies, which a server without TLS need not wait for.
        let mut secret = [0; SECRET];
        let drawn = getrandom(&mut secret, GetRandomFlags::empty()).ok()?;
        (drawn == SECRET).then(|| Self { secret, hour: this_hour() })
    }

    /// What [`Chain::bytes`] said.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let (secret, hour) = bytes.split_first_chunk()?;
        Some(Self { secret: *secret, hour: u64::from_be_bytes(hour.try_into().ok()?) })
    }

    /// For another process.
    pub(crate) fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let parts = self.secret.iter().chain(&self.hour.to_be_bytes()).copied().collect::<Vec<_>>();
        bytes.copy_from_slice(&parts);
        bytes
    }

    /// The hour of the secret.
    pub(super) fn hour(&self) -> u64 {
        self.hour
    }

    /// The secret.
    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Goes on to the next hour.
    pub(super) fn next(&self) -> Option<Self> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tidegate next hour");
        let mut secret = [0; SECRET];
        salt.extract(&self.secret).expand(&[], Length).ok()?.fill(&mut secret).ok()?;
        Some(Self { secret, hour: self.hour + 1 })
    }

    /// Forgets what nobody will need any more.
    pub(crate) fn forgetting(&self) -> Option<Self> {
        let oldest = this_hour().saturating_sub(KEPT);
        if oldest.saturating_sub(self.hour) > LONGEST {
            return Self::drawn();
        }
        let mut chain = self.clone();
        while chain.hour < oldest {
            chain = chain.next()?;
        }
        Some(chain)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("hour", &self.hour).finish_non_exhaustive()
    }
}

/// Hours since 1970.
pub(super) fn this_hour() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |time| time.as_secs() / 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gets_it_comes_to_the_same_secrets_and_not_back() {
        let chain = Chain::drawn().unwrap();
        let other = Chain::of(&chain.bytes()).unwrap();
        let later = |chain: &Chain| chain.next().unwrap().next().unwrap();
        assert_eq!(later(&chain).bytes(), later(&other).bytes());
        assert_ne!(chain.secret, later(&chain).secret);
        assert!(Chain::of(&[0; 39]).is_none() && Chain::of(&[0; 41]).is_none());
        let old = Chain { hour: this_hour() - 100, ..chain.clone() };
        assert_eq!(old.forgetting().unwrap().hour, this_hour() - KEPT);
        assert_eq!(chain.forgetting().unwrap().bytes(), chain.bytes());
        let ancient = Chain { hour: 0, ..chain };
        assert_eq!(ancient.forgetting().unwrap().hour, this_hour());
    }
}

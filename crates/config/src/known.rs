//! Tables whose keys the configuration has written: found faster than what anybody may send.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table of names that the configuration knows. Clients may look for anything, but they cannot put
/// anything in, and so cannot make its places collide.
pub type KnownMap<T> = HashMap<Box<[u8]>, T, BuildHasherDefault<KnownHasher>>;

/// A quick hash: each word is multiplied, and both halves of the product count.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownHasher(u64);

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl KnownHasher {
    fn add(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ FACTOR) * u128::from(FACTOR);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Hasher for KnownHasher {
    fn write(&mut self, bytes: &[u8]) {
        // Pieces may overlap, for the length is hashed, too.
        if let Some(last) = bytes.last_chunk::<8>() {
            for word in bytes.as_chunks::<8>().0 {
                self.add(u64::from_ne_bytes(*word));
            }
            self.add(u64::from_ne_bytes(*last));
        } else if let (Some(first), Some(last)) =
            (bytes.first_chunk::<4>(), bytes.last_chunk::<4>())
        {
            let (first, last) = (u32::from_ne_bytes(*first), u32::from_ne_bytes(*last));
            self.add(u64::from(first) << 32 | u64::from(last));
        } else {
            self.add(bytes.iter().fold(1, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    #[test]
    fn names_that_differ_little_lie_apart() {
        let build = BuildHasherDefault::<KnownHasher>::default();
        let hash = |number: u32| build.hash_one(format!("site-{number}.example.com").as_bytes());
        let low: HashSet<u64> = (0..10_000).map(|number| hash(number) & 0xffff).collect();
        let high: HashSet<u64> = (0..10_000).map(|number| hash(number) >> 57).collect();
        assert!(low.len() > 8_000 && high.len() > 120, "{} {}", low.len(), high.len());
    }

    #[test]
    fn what_was_put_in_is_found() {
        let mut table: KnownMap<u32> = KnownMap::default();
        for number in 0..1000 {
            table.insert(number.to_string().into_bytes().into(), number);
        }
        let found = |number: u32| table.get(number.to_string().as_bytes()).copied();
        assert!((0..1000).all(|number| found(number) == Some(number)));
        assert_eq!(found(1000), None);
    }
}

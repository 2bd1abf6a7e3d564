//! `hash`: the same key asks the same peer.
//!
//! nginx: `ngx_http_upstream_get_hash_peer`, which does as Perl's `Cache::Memcached` does.

use bytes::Bytes;
use crc32fast::Hasher;

/// The numbers that are drawn for a key, one after the other.
#[derive(Debug)]
pub(super) struct Numbers {
    key: Bytes,
    sum: u32,
    drawn: u32,
}

impl Numbers {
    /// Begins.
    pub(super) fn new(key: Bytes) -> Self {
        Self { key, sum: 0, drawn: 0 }
    }

    /// The next number: the sum of the hashes of the key, of `1` and the key, of `2` and the key…
    pub(super) fn next(&mut self) -> u32 {
        let mut hasher = Hasher::new();
        if self.drawn > 0 {
            hasher.update(itoa::Buffer::new().format(self.drawn).as_bytes());
        }
        hasher.update(&self.key);
        self.drawn += 1;
        self.sum = self.sum.wrapping_add((hasher.finalize() >> 16) & 0x7fff);
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_the_sum_of_all_hashes_so_far() {
        let mut numbers = Numbers::new("/a".into());
        assert_eq!([numbers.next(), numbers.next(), numbers.next()], [26992, 56241, 84920]);
    }
}

//! `split_clients`: a variable whose value depends on a hash, so that clients fall into shares.

use bytes::Bytes;

use crate::value::template::Template;
use crate::variable::Slot;

/// A `split_clients` block.
#[derive(Clone, Debug)]
pub struct SplitClients {
    /// What is hashed.
    pub source: Template,
    /// The variable that gets the value.
    pub target: Slot,
    /// The shares in order.
    pub shares: Vec<Share>,
}

/// A share and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The hashes below this are in it; `None` takes all that are left.
    pub below: Option<u32>,
    /// Its value.
    pub value: Bytes,
}

impl SplitClients {
    /// The value for a text (nginx: `ngx_http_split_clients_variable`); empty where no share has it.
    pub fn get(&self, text: &[u8]) -> Bytes {
        let hash = murmur2(text);
        let mut shares = self.shares.iter();
        let share = shares.find(|share| share.below.is_none_or(|below| hash < below));
        share.map(|share| share.value.clone()).unwrap_or_default()
    }
}

/// Murmur hash 2 with 32 bits and seed 0 (nginx: `ngx_murmur_hash2`).
fn murmur2(text: &[u8]) -> u32 {
    const FACTOR: u32 = 0x5bd1_e995;
    let mut hash = text.len() as u32;
    let mut words = text.chunks_exact(4);
    for word in &mut words {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(word);
        let mut value = u32::from_le_bytes(bytes).wrapping_mul(FACTOR);
        value ^= value >> 24;
        hash = hash.wrapping_mul(FACTOR) ^ value.wrapping_mul(FACTOR);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(FACTOR);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_murmurs() {
        for (text, hash) in
            [("", 0), ("a", 0x9268_5f5e), ("test", 0x1812_752e), ("foobar", 0x6715_a92e)]
        {
            assert_eq!(murmur2(text.as_bytes()), hash, "{text}");
        }
    }
}

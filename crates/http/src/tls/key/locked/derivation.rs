//! How a password becomes a key: PBKDF2 (RFC 8018), scrypt (RFC 7914), and PKCS#12's own way (RFC
//! 7292, appendix B).

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use scrypt::Params;
use sha1::{Digest, Sha1};

use super::super::super::der::{self, INTEGER, OCTETS, OID, SEQUENCE};

/// More rounds than anybody asks for would hold up the start for minutes.
const MOST_ITERATIONS: u32 = 10_000_000;

/// The most memory that scrypt may take, in bytes, as in OpenSSL.
const MOST_MEMORY: u64 = 32 << 20;

/// The most work that scrypt may be: that of 128 bytes, so many times. It takes seconds.
const MOST_WORK: u64 = 1 << 24;

const PBKDF2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
const SCRYPT: [u8; 9] = [0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 11];
const HMAC: [u8; 7] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2];

/// The length of a block of SHA-1, in bytes.
const BLOCK: usize = 64;

/// What PKCS#12 derives (RFC 7292, appendix B.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A key.
    Key = 1,
    /// The first block of a chain.
    Iv = 2,
}

/// How a password becomes a key.
pub(super) struct Derivation<'a> {
    salt: &'a [u8],
    way: Way,
}

enum Way {
    Pbkdf2(pbkdf2::Algorithm, NonZeroU32),
    Scrypt(Params),
    Pkcs12(NonZeroU32),
}

impl<'a> Derivation<'a> {
    /// That of PBES2.
    pub(super) fn read(mut input: &'a [u8]) -> Option<Self> {
        let name = der::expect(&mut input, OID)?;
        let mut input = der::expect(&mut input, SEQUENCE)?;
        let salt = der::expect(&mut input, OCTETS)?;
        let way = if name == PBKDF2 {
            let iterations = iterations(&mut input)?;
            let mut prf = pbkdf2::PBKDF2_HMAC_SHA1;
            while let Some((tag, mut inner)) = der::next(&mut input) {
                if tag == SEQUENCE {
                    prf = digest(der::expect(&mut inner, OID)?)?;
                }
            }
            Way::Pbkdf2(prf, iterations)
        } else {
            (name == SCRYPT).then_some(())?;
            let mut number = || der::number(der::expect(&mut input, INTEGER)?);
            Way::Scrypt(params(number()?, number()?, number()?)?)
        };
        Some(Self { salt, way })
    }

    /// That of PKCS#12.
    pub(super) fn pkcs12(mut input: &'a [u8]) -> Option<Self> {
        let salt = der::expect(&mut input, OCTETS)?;
        Some(Self { salt, way: Way::Pkcs12(iterations(&mut input)?) })
    }

    /// Fills what a password becomes.
    pub(super) fn fill(&self, password: &[u8], purpose: Purpose, out: &mut [u8]) -> Option<()> {
        match &self.way {
            Way::Pbkdf2(prf, iterations) => {
                pbkdf2::derive(*prf, *iterations, self.salt, password, out);
                Some(())
            }
            Way::Scrypt(params) => scrypt::scrypt(password, self.salt, params, out).ok(),
            Way::Pkcs12(iterations) => {
                let made = pkcs12(password, self.salt, (*iterations, purpose), out.len())?;
                out.copy_from_slice(made.get(..out.len())?);
                Some(())
            }
        }
    }
}

fn iterations(input: &mut &[u8]) -> Option<NonZeroU32> {
    let iterations = der::number(der::expect(input, INTEGER)?)?;
    NonZeroU32::new(iterations.min(MOST_ITERATIONS))
}

fn digest(name: &[u8]) -> Option<pbkdf2::Algorithm> {
    Some(match name.strip_prefix(&HMAC)? {
        [7] => pbkdf2::PBKDF2_HMAC_SHA1,
        [9] => pbkdf2::PBKDF2_HMAC_SHA256,
        [10] => pbkdf2::PBKDF2_HMAC_SHA384,
        [11] => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return None,
    })
}

/// Scrypt's cost, size of blocks and parallelism, where they are bearable.
fn params(cost: u32, size: u32, parallel: u32) -> Option<Params> {
    (cost > 1 && cost.is_power_of_two()).then_some(())?;
    let [n, r, p] = [cost, size, parallel].map(u64::from);
    let memory = n.checked_add(p)?.checked_mul(r)?.checked_mul(128)?;
    let work = n.checked_mul(r)?.checked_mul(p)?;
    (memory <= MOST_MEMORY && work <= MOST_WORK).then_some(())?;
    Params::new(u8::try_from(cost.ilog2()).ok()?, size, parallel).ok()
}

/// At least so many bytes out of a password and a salt.
fn pkcs12(
    password: &[u8],
    salt: &[u8],
    (iterations, purpose): (NonZeroU32, Purpose),
    length: usize,
) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(password).ok()?;
    let units = text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes);
    let mut input = blocks(salt);
    input.extend(blocks(&units.collect::<Vec<_>>()));
    let mut made = Vec::new();
    while made.len() < length {
        let mut hash = Sha1::new().chain_update([purpose as u8; BLOCK]).chain_update(&input);
        for _ in 1..iterations.get() {
            hash = Sha1::new().chain_update(hash.finalize());
        }
        let hash = hash.finalize();
        made.extend_from_slice(&hash);
        for block in input.chunks_mut(BLOCK) {
            let mut carry = 1;
            let added = hash.iter().cycle().take(BLOCK).collect::<Vec<_>>();
            for (byte, other) in block.iter_mut().zip(added).rev() {
                carry += u16::from(*byte) + u16::from(*other);
                *byte = carry.to_be_bytes()[1];
                carry >>= 8;
            }
        }
    }
    Some(made)
}

/// The bytes over and over, up to the end of a block.
fn blocks(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().div_ceil(BLOCK) * BLOCK;
    bytes.iter().copied().cycle().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_take_too_much_memory_or_time_is_refused() {
        assert!(params(1 << 14, 8, 1).is_some());
        for (cost, size, parallel) in
            [(1 << 20, 8, 1), (3, 8, 1), (1, 8, 1), (2, 0, 1), (2, 8, 0), (1 << 14, 8, 1 << 10)]
        {
            assert!(params(cost, size, parallel).is_none(), "{cost} {size} {parallel}");
        }
        assert!(params(u32::MAX, u32::MAX, u32::MAX).is_none());
    }
}

//! DES: passwords hashed by it, the oldest form of `crypt(3)`, are still in many files, as are keys.
//!
//! No library that is kept has it, for its salt changes DES itself.

use super::password::{DIGITS, digit};

/// The hash of a password's first eight bytes with the salt of a stored hash, written as that one
/// is; `None` where that does not begin with two digits.
pub(super) fn crypt(password: &[u8], stored: &str) -> Option<String> {
    let (salt, _) = stored.split_at_checked(2)?;
    let swaps = swaps(salt.as_bytes())?;
    let letters = password.iter().copied().chain(std::iter::repeat(0)).take(8);
    let keys = schedule(letters.fold(0, |key, byte| key << 8 | u64::from(byte << 1)));
    let (mut left, mut right) = (0, 0);
    for _ in 0..25 {
        for key in keys {
            (left, right) = (right, left ^ mix(right, key, swaps));
        }
        (left, right) = (right, left);
    }
    let block = permute(u64::from(left) << 32 | u64::from(right), 64, &LAST);
    let mut text = String::from(salt);
    text.extend((0..11).rev().map(|place| digit(((u128::from(block) << 2) >> (place * 6)) as u32)));
    Some(text)
}

/// Encrypts a block as FIPS 46-3 has it.
pub(crate) fn encrypt(block: u64, key: u64) -> u64 {
    rounds(block, schedule(key))
}

/// Decrypts a block.
pub(crate) fn decrypt(block: u64, key: u64) -> u64 {
    let mut keys = schedule(key);
    keys.reverse();
    rounds(block, keys)
}

fn rounds(block: u64, keys: [u64; 16]) -> u64 {
    // The first permutation is the last one backwards.
    let places = LAST.iter().enumerate();
    let start =
        places.fold(0, |out, (to, &from)| out | (block >> (63 - to) & 1) << (64 - u32::from(from)));
    let (mut left, mut right) = ((start >> 32) as u32, start as u32);
    for key in keys {
        (left, right) = (right, left ^ mix(right, key, 0));
    }
    permute(u64::from(right) << 32 | u64::from(left), 64, &LAST)
}

/// Which bits of the halves of an expanded block the salt makes change places.
fn swaps(salt: &[u8]) -> Option<u32> {
    let value = |byte: u8| memchr::memchr(byte, DIGITS).map(|value| value as u32);
    let mut bits = 0;
    for (place, byte) in salt.iter().enumerate() {
        bits |= value(*byte)? << (6 * place);
    }
    Some(bits.reverse_bits() >> 8)
}

/// The keys of the sixteen rounds.
fn schedule(key: u64) -> [u64; 16] {
    let halves = permute(key, 64, &KEY);
    let half = 0x0fff_ffff;
    let (mut left, mut right) = (halves >> 28, halves & half);
    SHIFTS.map(|by| {
        left = (left << by | left >> (28 - by)) & half;
        right = (right << by | right >> (28 - by)) & half;
        permute(left << 28 | right, 56, &ROUND_KEY)
    })
}

/// What a round adds to the other half.
fn mix(half: u32, key: u64, swaps: u32) -> u32 {
    let wide = permute(half.into(), 32, &EXPAND);
    let swap = (wide >> 24 ^ wide) & u64::from(swaps);
    let wide = wide ^ swap << 24 ^ swap ^ key;
    let mut out = 0;
    for (place, values) in BOXES.iter().enumerate() {
        let six = wide >> (42 - 6 * place) & 0x3f;
        let at = (six & 0x20) | (six & 1) << 4 | (six >> 1 & 0xf);
        out = out << 4 | u64::from(values.get(at as usize).copied().unwrap_or_default());
    }
    permute(out, 32, &MIX) as u32
}

/// The bits of a value of so many bits in another order; bits are counted from 1, the highest.
fn permute(value: u64, bits: u32, order: &[u8]) -> u64 {
    order.iter().fold(0, |out, &from| out << 1 | (value >> (bits - u32::from(from)) & 1))
}

// The tables of FIPS 46-3, by its names.

/// PC-1
#[rustfmt::skip]
const KEY: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
];

/// PC-2
#[rustfmt::skip]
const ROUND_KEY: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

/// How far the halves of the key are turned
const SHIFTS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];

/// E
#[rustfmt::skip]
const EXPAND: [u8; 48] = [
    32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17,
    16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
];

/// P
#[rustfmt::skip]
const MIX: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];

/// The inverse of IP
#[rustfmt::skip]
const LAST: [u8; 64] = [
    40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31,
    38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21, 61, 29,
    36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27,
    34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
];

/// S1 to S8, four rows of sixteen each
#[rustfmt::skip]
const BOXES: [[u8; 64]; 8] = [
    [
        14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, 0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8,
        4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, 15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13,
    ],
    [
        15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, 3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5,
        0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, 13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9,
    ],
    [
        10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, 13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1,
        13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, 1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12,
    ],
    [
        7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, 13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9,
        10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, 3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14,
    ],
    [
        2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, 14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6,
        4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, 11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3,
    ],
    [
        12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, 10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8,
        9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, 4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13,
    ],
    [
        4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, 13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6,
        1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, 6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12,
    ],
    [
        13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, 1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2,
        7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, 2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_and_comes_back() {
        let (key, block) = (0x1334_5779_9bbc_dff1, 0x0123_4567_89ab_cdef);
        assert_eq!(encrypt(block, key), 0x85e8_1354_0f0a_b405);
        assert_eq!(decrypt(encrypt(block, key), key), block);
    }
}

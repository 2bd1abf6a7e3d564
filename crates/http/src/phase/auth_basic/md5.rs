//! Passwords hashed with MD5: `$1$` of `crypt(3)`, and Apache's `$apr1$`.

use md5::{Digest, Md5};

use super::password::digit;

/// The longest salt, in bytes; more of it is not looked at.
const LONGEST_SALT: usize = 8;

/// How often the digest is hashed again.
const ROUNDS: u32 = 1000;

/// The hash of a password with the salt of a stored hash, written as that one is; `None` where that
/// does not begin with `magic` (nginx: `ngx_crypt_apr1`, which says the same with another magic
/// word than `crypt(3)`).
pub(super) fn crypt(password: &[u8], magic: &str, stored: &str) -> Option<String> {
    let rest = stored.strip_prefix(magic)?;
    let salt = rest.split('$').next()?;
    let salt = salt.get(..LONGEST_SALT.min(salt.len()))?;
    let digest = stretch(password, salt.as_bytes(), first(password, magic, salt.as_bytes()));
    Some(format!("{magic}{salt}${}", encode(&digest)))
}

fn first(password: &[u8], magic: &str, salt: &[u8]) -> [u8; 16] {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password);
    let inner: [u8; 16] = inner.finalize().into();
    let mut outer = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    for (_, byte) in password.iter().zip(inner.iter().cycle()) {
        outer.update([*byte]);
    }
    let mut bits = password.len();
    while bits > 0 {
        let start = password.first().copied().unwrap_or_default();
        outer.update([if bits & 1 == 1 { 0 } else { start }]);
        bits >>= 1;
    }
    outer.finalize().into()
}

fn stretch(password: &[u8], salt: &[u8], mut digest: [u8; 16]) -> [u8; 16] {
    for round in 0..ROUNDS {
        let odd = round & 1 == 1;
        let mut hash = Md5::new();
        hash.update(if odd { password } else { &digest });
        if round % 3 != 0 {
            hash.update(salt);
        }
        if round % 7 != 0 {
            hash.update(password);
        }
        hash.update(if odd { &digest } else { password });
        digest = hash.finalize().into();
    }
    digest
}

/// Three bytes to four digits, the lowest bits first, in an order of its own.
fn encode(d: &[u8; 16]) -> String {
    let groups = [
        [d[0], d[6], d[12]],
        [d[1], d[7], d[13]],
        [d[2], d[8], d[14]],
        [d[3], d[9], d[15]],
        [d[4], d[10], d[5]],
    ];
    let mut text = String::with_capacity(22);
    for [high, middle, low] in groups {
        let bits = u32::from_be_bytes([0, high, middle, low]);
        text.extend([bits, bits >> 6, bits >> 12, bits >> 18].map(digit));
    }
    let last = u32::from(d[11]);
    text.extend([last, last >> 6].map(digit));
    text
}

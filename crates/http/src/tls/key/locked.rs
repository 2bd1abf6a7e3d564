//! Keys that a password opens: PKCS#8 with PBES2 (RFC 8018), and OpenSSL's older form (RFC 1421).

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use md5::{Digest, Md5};

use super::super::der::{self, INTEGER, OCTETS, OID, SEQUENCE};
use super::Fault;
use crate::phase::auth_basic::des;

/// How the key is encrypted; all in blocks that are chained (CBC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    /// AES with a key of so many bytes.
    Aes(usize),
    /// DES, three times.
    TripleDes,
}

impl Cipher {
    fn key_length(self) -> usize {
        match self {
            Self::Aes(length) => length,
            Self::TripleDes => 24,
        }
    }

    /// What was encrypted; `None` where the key does not open it.
    fn open(self, key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
        let algorithm = match self {
            Self::TripleDes => return triple_des(key, iv, content),
            Self::Aes(16) => &AES_128,
            Self::Aes(24) => &AES_192,
            Self::Aes(_) => &AES_256,
        };
        let key = UnboundCipherKey::new(algorithm, key).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let iv: [u8; 16] = iv.try_into().ok()?;
        let mut plain = content.to_vec();
        let opened =
            key.decrypt(&mut plain, DecryptionContext::Iv128(FixedLength::from(iv))).ok()?;
        Some(opened.to_vec())
    }
}

fn triple_des(key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    let word = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
    let keys = [word(key.get(..8)?)?, word(key.get(8..16)?)?, word(key.get(16..24)?)?];
    let mut before = word(iv)?;
    let mut plain = Vec::with_capacity(content.len());
    for block in content.chunks(8) {
        let block = word(block)?;
        let [first, second, third] = keys;
        let opened = des::decrypt(des::encrypt(des::decrypt(block, third), second), first);
        plain.extend_from_slice(&(opened ^ before).to_be_bytes());
        before = block;
    }
    let padding = usize::from(*plain.last()?);
    let length = plain.len().checked_sub(padding).filter(|_| (1..=8).contains(&padding))?;
    let good = plain.get(length..)?.iter().all(|byte| usize::from(*byte) == padding);
    plain.truncate(length);
    good.then_some(plain)
}

/// The content of `ENCRYPTED PRIVATE KEY`, opened by one of the passwords.
pub(super) fn pkcs8(content: &[u8], passwords: &[Vec<u8>]) -> Result<Vec<u8>, Fault> {
    let unknown =
        || Fault::Lock("its encryption is not known: PBES2 with AES or 3DES is".to_owned());
    let lock = Lock::read(content).ok_or_else(unknown)?;
    let mut key = vec![0; lock.cipher.key_length()];
    passwords
        .iter()
        .find_map(|password| {
            pbkdf2::derive(lock.prf, lock.iterations, lock.salt, password, &mut key);
            // A wrong password may leave good padding by chance, but hardly a key.
            lock.cipher.open(&key, lock.iv, lock.content).filter(|plain| is_whole(plain))
        })
        .ok_or(Fault::Locked)
}

/// Whether it is one DER sequence and no more.
fn is_whole(plain: &[u8]) -> bool {
    let mut rest = plain;
    der::expect(&mut rest, SEQUENCE).is_some() && rest.is_empty()
}

struct Lock<'a> {
    cipher: Cipher,
    iv: &'a [u8],
    prf: pbkdf2::Algorithm,
    iterations: std::num::NonZeroU32,
    salt: &'a [u8],
    content: &'a [u8],
}

/// More rounds than anybody asks for would hold up the start for minutes.
const MOST_ITERATIONS: u32 = 10_000_000;

const PBES2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const PBKDF2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
const TRIPLE_DES: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];
const AES: [u8; 8] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1];
const HMAC: [u8; 7] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2];

impl<'a> Lock<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let mut outer = der::expect(&mut &*content, SEQUENCE)?;
        let mut algorithm = der::expect(&mut outer, SEQUENCE)?;
        let content = der::expect(&mut outer, OCTETS)?;
        (der::expect(&mut algorithm, OID)? == PBES2).then_some(())?;
        let mut parameters = der::expect(&mut algorithm, SEQUENCE)?;
        let mut derivation = der::expect(&mut parameters, SEQUENCE)?;
        let mut encryption = der::expect(&mut parameters, SEQUENCE)?;
        (der::expect(&mut derivation, OID)? == PBKDF2).then_some(())?;
        let mut derivation = der::expect(&mut derivation, SEQUENCE)?;
        let salt = der::expect(&mut derivation, OCTETS)?;
        let iterations = der::number(der::expect(&mut derivation, INTEGER)?)?;
        let iterations = std::num::NonZeroU32::new(iterations.min(MOST_ITERATIONS))?;
        let mut prf = pbkdf2::PBKDF2_HMAC_SHA1;
        while let Some((tag, mut inner)) = der::next(&mut derivation) {
            if tag == SEQUENCE {
                prf = digest(der::expect(&mut inner, OID)?)?;
            }
        }
        let cipher = match der::expect(&mut encryption, OID)? {
            name if name == TRIPLE_DES => Cipher::TripleDes,
            name => match name.strip_prefix(&AES)? {
                [2] => Cipher::Aes(16),
                [22] => Cipher::Aes(24),
                [42] => Cipher::Aes(32),
                _ => return None,
            },
        };
        let iv = der::expect(&mut encryption, OCTETS)?;
        Some(Self { cipher, iv, prf, iterations, salt, content })
    }
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

/// The content of a section with `DEK-Info`, opened by one of the passwords.
pub(super) fn traditional(
    how: &str,
    content: &[u8],
    passwords: &[Vec<u8>],
) -> Result<Vec<u8>, Fault> {
    let unknown =
        || Fault::Lock(format!("its encryption \"{how}\" is not known: AES and 3DES are"));
    let (name, iv) = how.split_once(',').ok_or_else(unknown)?;
    let cipher = match name {
        "AES-128-CBC" => Cipher::Aes(16),
        "AES-192-CBC" => Cipher::Aes(24),
        "AES-256-CBC" => Cipher::Aes(32),
        "DES-EDE3-CBC" => Cipher::TripleDes,
        _ => return Err(unknown()),
    };
    let iv = hexadecimal(iv).ok_or_else(unknown)?;
    let salt = iv.get(..8).ok_or_else(unknown)?;
    let open = |password: &Vec<u8>| {
        cipher.open(&stretched(password, salt, cipher.key_length()), &iv, content)
    };
    passwords.iter().filter_map(open).find(|plain| is_whole(plain)).ok_or(Fault::Locked)
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn stretched(password: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let mut key: Vec<u8> = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    while key.len() < length {
        last = Md5::new()
            .chain_update(&last)
            .chain_update(password)
            .chain_update(salt)
            .finalize()
            .to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.trim().as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests;

//! Keys that a password opens: PKCS#8 with PBES2 (RFC 8018) or PKCS#12's older way (RFC 7292), and
//! OpenSSL's own form (RFC 1421).

mod derivation;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use md5::{Digest, Md5};

use super::super::der::{self, OCTETS, OID, SEQUENCE};
use super::Fault;
use crate::phase::auth_basic::des;
use derivation::{Derivation, Purpose};

/// How the key is encrypted; all in blocks that are chained (CBC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    /// AES with a key of so many bytes.
    Aes(usize),
    /// DES, three times.
    TripleDes,
    /// The same with two keys, of which the first one is also the last.
    DoubleDes,
}

impl Cipher {
    fn key_length(self) -> usize {
        match self {
            Self::Aes(length) => length,
            Self::TripleDes => 24,
            Self::DoubleDes => 16,
        }
    }

    /// What was encrypted; `None` where the key does not open it.
    fn open(self, key: &[u8], iv: &[u8], content: &[u8]) -> Option<Vec<u8>> {
        let algorithm = match self {
            Self::TripleDes => return triple_des(key, iv, content),
            Self::DoubleDes => {
                return triple_des(&[key, key.get(..8)?].concat(), iv, content);
            }
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
    let unknown = || {
        let known = "PBES2 with AES or 3DES is, and PKCS#12's with 3DES";
        Fault::Lock(format!("its encryption is not known: {known}"))
    };
    let lock = Lock::read(content).ok_or_else(unknown)?;
    // A wrong password may leave good padding by chance, but hardly a key.
    let open = |password: &Vec<u8>| lock.open(password).filter(|plain| is_whole(plain));
    passwords.iter().find_map(open).ok_or(Fault::Locked)
}

/// Whether it is one DER sequence and no more.
fn is_whole(plain: &[u8]) -> bool {
    let mut rest = plain;
    der::expect(&mut rest, SEQUENCE).is_some() && rest.is_empty()
}

struct Lock<'a> {
    cipher: Cipher,
    /// `None` where it comes of the password, too.
    iv: Option<&'a [u8]>,
    derivation: Derivation<'a>,
    content: &'a [u8],
}

const PBES2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const TRIPLE_DES: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7];
const AES: [u8; 8] = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1];
/// PKCS#12's ways, all with SHA-1.
const PKCS12: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1];

impl<'a> Lock<'a> {
    fn read(content: &'a [u8]) -> Option<Self> {
        let mut outer = der::expect(&mut &*content, SEQUENCE)?;
        let mut algorithm = der::expect(&mut outer, SEQUENCE)?;
        let content = der::expect(&mut outer, OCTETS)?;
        let name = der::expect(&mut algorithm, OID)?;
        let mut parameters = der::expect(&mut algorithm, SEQUENCE)?;
        if let Some(way) = name.strip_prefix(&PKCS12) {
            let cipher = match way {
                [3] => Cipher::TripleDes,
                [4] => Cipher::DoubleDes,
                _ => return None,
            };
            let derivation = Derivation::pkcs12(parameters)?;
            return Some(Self { cipher, iv: None, derivation, content });
        }
        (name == PBES2).then_some(())?;
        let derivation = Derivation::read(der::expect(&mut parameters, SEQUENCE)?)?;
        let mut encryption = der::expect(&mut parameters, SEQUENCE)?;
        let cipher = match der::expect(&mut encryption, OID)? {
            name if name == TRIPLE_DES => Cipher::TripleDes,
            name => match name.strip_prefix(&AES)? {
                [2] => Cipher::Aes(16),
                [22] => Cipher::Aes(24),
                [42] => Cipher::Aes(32),
                _ => return None,
            },
        };
        let iv = Some(der::expect(&mut encryption, OCTETS)?);
        Some(Self { cipher, iv, derivation, content })
    }

    /// What was encrypted; `None` where this is not the password.
    fn open(&self, password: &[u8]) -> Option<Vec<u8>> {
        let mut key = vec![0; self.cipher.key_length()];
        self.derivation.fill(password, Purpose::Key, &mut key)?;
        let mut derived = [0; 8];
        let iv = if let Some(iv) = self.iv {
            iv
        } else {
            self.derivation.fill(password, Purpose::Iv, &mut derived)?;
            &derived
        };
        self.cipher.open(&key, iv, self.content)
    }
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

//! What an authority has answered, taken apart (RFC 6960, section 4.2).

use super::super::der::{self, OCTETS, OID, SEQUENCE};
use super::Status;

/// ENUMERATED, BIT STRING, `GeneralizedTime`; and what is tagged 0, 1 or 2.
const ENUMERATED: u8 = 0x0a;
const BITS: u8 = 0x03;
const TIME: u8 = 0x18;
const ZERO: u8 = 0xa0;
const ONE: u8 = 0xa1;

/// `id-pkix-ocsp-basic`
const BASIC: [u8; 9] = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];

/// How many certificates an answer may speak of, and come with.
const MOST: usize = 100;

/// An answer, its signature not yet checked.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    /// What is signed.
    pub(super) signed: &'a [u8],
    /// How, the content of an `AlgorithmIdentifier`.
    pub(super) algorithm: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
    /// The certificates that come with it.
    pub(super) certificates: Vec<&'a [u8]>,
    singles: Vec<(&'a [u8], Single)>,
}

/// What is said of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Single {
    pub(super) status: Status,
    /// Since when, in seconds since 1970.
    pub(super) since: u64,
    /// Until when.
    pub(super) until: Option<u64>,
}

impl Answer<'_> {
    /// What is said of the certificate of this name, a `CertID`.
    pub(super) fn about(&self, id: &[u8]) -> Option<Single> {
        self.singles.iter().find(|(of, _)| *of == id).map(|(_, single)| *single)
    }
}

/// Whether these bytes are an answer, whatever it says (nginx: `d2i_OCSP_RESPONSE_bio()`).
pub(super) fn is_one(mut bytes: &[u8]) -> bool {
    let mut outer = der::expect(&mut bytes, SEQUENCE).unwrap_or_default();
    bytes.is_empty() && der::expect(&mut outer, ENUMERATED).is_some_and(|code| code.len() == 1)
}

/// Reads an answer; a refusal is told in nginx's words.
pub(super) fn read(bytes: &[u8]) -> Result<Answer<'_>, String> {
    let mut input = bytes;
    let mut outer = der::expect(&mut input, SEQUENCE).ok_or("d2i_OCSP_RESPONSE() failed")?;
    let status = der::expect(&mut outer, ENUMERATED).ok_or("d2i_OCSP_RESPONSE() failed")?;
    let words = match status {
        [0] => return basic(outer).ok_or_else(|| "OCSP_response_get1_basic() failed".to_owned()),
        [1] => "malformedrequest",
        [2] => "internalerror",
        [3] => "trylater",
        [5] => "sigrequired",
        [6] => "unauthorized",
        _ => "(UNKNOWN)",
    };
    let number = status.first().copied().unwrap_or_default();
    Err(format!("OCSP response not successful ({number}: {words})"))
}

fn basic(mut input: &[u8]) -> Option<Answer<'_>> {
    let mut wrapped = der::expect(&mut input, ZERO)?;
    let mut typed = der::expect(&mut wrapped, SEQUENCE)?;
    if der::expect(&mut typed, OID)? != BASIC {
        return None;
    }
    let mut basic = der::expect(&mut typed, OCTETS)?;
    let mut basic = der::expect(&mut basic, SEQUENCE)?;
    let signed = whole(&mut basic)?;
    let algorithm = der::expect(&mut basic, SEQUENCE)?;
    // No bit is unused.
    let signature = der::expect(&mut basic, BITS)?.strip_prefix(&[0])?;
    let mut certificates = Vec::new();
    if let Some(mut list) = der::expect(&mut basic, ZERO) {
        let mut list = der::expect(&mut list, SEQUENCE)?;
        while !list.is_empty() && certificates.len() < MOST {
            certificates.push(whole(&mut list)?);
        }
    }
    Some(Answer { signed, algorithm, signature, certificates, singles: singles(signed)? })
}

fn singles(mut signed: &[u8]) -> Option<Vec<(&[u8], Single)>> {
    let mut data = der::expect(&mut signed, SEQUENCE)?;
    let (mut tag, _) = der::next(&mut data)?;
    if tag == ZERO {
        // A version; who answers comes behind it.
        tag = der::next(&mut data)?.0;
    }
    matches!(tag, ONE | 0xa2).then_some(())?;
    der::expect(&mut data, TIME)?;
    let mut list = der::expect(&mut data, SEQUENCE)?;
    let mut singles = Vec::new();
    while !list.is_empty() && singles.len() < MOST {
        let mut one = der::expect(&mut list, SEQUENCE)?;
        let id = whole(&mut one)?;
        let status = match der::next(&mut one)?.0 {
            0x80 => Status::Good,
            ONE => Status::Revoked,
            _ => Status::Unknown,
        };
        let since = time(der::expect(&mut one, TIME)?)?;
        let until = match one.first() {
            Some(&ZERO) => {
                let mut wrapped = der::expect(&mut one, ZERO)?;
                Some(time(der::expect(&mut wrapped, TIME)?)?)
            }
            _ => None,
        };
        singles.push((id, Single { status, since, until }));
    }
    Some(singles)
}

/// The next value with its tag and its length.
fn whole<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let before = *input;
    let (tag, _) = der::next(input)?;
    (tag == SEQUENCE).then_some(())?;
    before.get(..before.len() - input.len())
}

/// `20261121160000Z`, in seconds since 1970.
fn time(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    (text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?;
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let valid = (1970..=9999).contains(&year) && (1..=12).contains(&month) && day <= 31;
    (valid && hour < 24 && minute < 60 && second <= 60).then_some(())?;
    // Years that begin in March, so that a day that is leapt is the last one.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_since_1970() {
        assert_eq!(time(b"19700101000000Z"), Some(0));
        assert_eq!(time(b"20240229120000Z"), Some(1_709_208_000));
        assert_eq!(time(b"20261121160000Z"), Some(1_795_276_800));
        for bad in ["20261321160000Z", "2026112116000Z", "20261121160000", "x0261121160000Z"] {
            assert_eq!(time(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_answer_is_told_and_never_read_beyond_its_end() {
        let told = |bytes: &[u8]| read(bytes).map(|_| ()).unwrap_err();
        assert_eq!(told(b"junk"), "d2i_OCSP_RESPONSE() failed");
        assert!(
            is_one(&[SEQUENCE, 3, ENUMERATED, 1, 3])
                && !is_one(&[SEQUENCE, 3, ENUMERATED, 1, 3, 0])
        );
        assert!(!is_one(b"junk") && !is_one(b""));
        let refused = [SEQUENCE, 3, ENUMERATED, 1, 6];
        assert_eq!(told(&refused), "OCSP response not successful (6: unauthorized)");
        let empty = [SEQUENCE, 3, ENUMERATED, 1, 0];
        assert_eq!(told(&empty), "OCSP_response_get1_basic() failed");
    }
}

//! `$secure_link`: whether an address was made by who knows the secret.

use bytes::Bytes;
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use tidegate_config::value::template::Template;

use super::user::decode_base64url;
use crate::date::unix_time;
use crate::exchange::Exchange;

/// `1` for a hash that is right, `0` for one whose time is over, and nothing for others; with
/// `secure_link_secret` the link behind the hash (nginx: `ngx_http_secure_link_variable`).
pub(super) fn verdict(ex: &mut Exchange<'_>) -> Option<Bytes> {
    let settings = &ex.location.secure_link;
    if let Some(secret) = &settings.secret {
        return linked(&ex.request.target, secret.as_bytes());
    }
    let (link, made_of) = (settings.link.as_ref()?, settings.md5.as_ref()?);
    let (hash, expires) = parts(ex, link);
    let expires = match expires {
        None => None,
        Some(text) => Some(time(&text)?),
    };
    if hash.len() > 24 {
        return None;
    }
    let hash = decode_base64url(&hash).filter(|hash| hash.len() == 16)?;
    let own = Md5::digest(ex.render(made_of));
    if !bool::from(own.as_slice().ct_eq(&hash)) {
        return None;
    }
    let over = expires.is_some_and(|expires| expires < unix_time().as_secs());
    Some(Bytes::from_static(if over { b"0" } else { b"1" }))
}

/// The time that a link carries (`$secure_link_expires`).
pub(super) fn expires(ex: &mut Exchange<'_>) -> Option<Bytes> {
    let settings = &ex.location.secure_link;
    if settings.secret.is_some() || settings.md5.is_none() {
        return None;
    }
    let (_, expires) = parts(ex, settings.link.as_ref()?);
    expires.filter(|text| time(text).is_some())
}

/// What stands before the first comma, and what behind it.
fn parts(ex: &mut Exchange<'_>, link: &Template) -> (Bytes, Option<Bytes>) {
    let link = ex.render(link);
    match memchr::memchr(b',', &link) {
        Some(at) => (link.slice(..at), Some(link.slice(at + 1..))),
        None => (link, None),
    }
}

fn time(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?;
    digits.parse().ok().filter(|time| *time > 0 && i64::try_from(*time).is_ok())
}

/// The link of `/prefix/hash/link`, where its hash is right (nginx:
/// `ngx_http_secure_link_old_variable`).
fn linked(target: &Bytes, secret: &[u8]) -> Option<Bytes> {
    let mut slashes = memchr::memchr_iter(b'/', target.get(1..)?).map(|at| at + 1);
    let (first, second) = (slashes.next()?, slashes.next()?);
    let (hash, link) = (target.get(first + 1..second)?, target.slice(second + 1..));
    if hash.len() != 32 || link.is_empty() {
        return None;
    }
    let own = Md5::new().chain_update(&link).chain_update(secret).finalize();
    let mut said = [0; 16];
    for (byte, pair) in said.iter_mut().zip(hash.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    bool::from(own.as_slice().ct_eq(&said)).then_some(link)
}

//! Variables of the upstreams that were asked.

use std::time::Duration;

use bytes::Bytes;
use tidegate_config::variable::Builtin;

use super::{joined, seconds};
use crate::exchange::{Exchange, UpstreamTry};

pub(super) fn value(ex: &Exchange<'_>, builtin: Builtin) -> Option<Bytes> {
    let time = |time: Option<Duration>| {
        let text = time.map_or_else(|| Bytes::from_static(b"-"), seconds);
        String::from_utf8_lossy(&text).into_owned()
    };
    let some = |text: &[u8]| (!text.is_empty()).then(|| Bytes::copy_from_slice(text));
    match builtin {
        Builtin::ProxyAddXForwardedFor => Some(forwarded_for(ex)),
        Builtin::ProxyHost => some(&ex.proxy_host.0),
        Builtin::ProxyPort => some(&ex.proxy_host.1),
        Builtin::UpstreamAddr => list(ex, |one| one.address.to_string()),
        Builtin::UpstreamLastAddr => {
            let tries = ex.upstream.borrow();
            tries.last().map(|last| last.address.to_string().into())
        }
        Builtin::UpstreamError => {
            let tries = ex.upstream.borrow();
            let failed = tries.iter().rfind(|one| !one.error.is_empty())?;
            Some(Bytes::copy_from_slice(failed.error.as_bytes()))
        }
        Builtin::UpstreamStatus => list(ex, |one| match one.status {
            0 => "-".to_owned(),
            status => status.to_string(),
        }),
        Builtin::UpstreamConnectTime => list(ex, |one| time(one.connect_time())),
        Builtin::UpstreamHeaderTime => list(ex, |one| time(one.header_time())),
        Builtin::UpstreamResponseTime => list(ex, |one| time(one.response_time())),
        Builtin::UpstreamResponseLength => list(ex, |one| one.response_length.to_string()),
        Builtin::UpstreamBytesReceived => list(ex, |one| one.bytes_received.to_string()),
        Builtin::UpstreamBytesSent => list(ex, |one| one.bytes_sent.to_string()),
        _ => None,
    }
}

/// `$upstream_cookie_…`: a cookie that the upstream sets.
pub(super) fn cookie(ex: &Exchange<'_>, name: &str) -> Option<Bytes> {
    ex.upstream_headers.all(b"Set-Cookie").find_map(|value| {
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let pair = value.slice(..end);
        let equals = memchr::memchr(b'=', &pair)?;
        let same = pair.get(..equals)?.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        same.then(|| pair.slice(equals + 1..))
    })
}

/// One text for each try: tries of a group are set apart by commas, groups by colons.
fn list(ex: &Exchange<'_>, text: impl Fn(&UpstreamTry) -> String) -> Option<Bytes> {
    let tries = ex.upstream.borrow();
    let (last, before) = tries.split_last()?;
    let mut out = String::new();
    for one in before {
        out += &text(one);
        out += if one.redirected { " : " } else { ", " };
    }
    out += &text(last);
    Some(out.into())
}

fn forwarded_for(ex: &Exchange<'_>) -> Bytes {
    let mut out = Vec::with_capacity(32);
    put_forwarded_for(ex, &mut out);
    out.into()
}

/// Writes `$proxy_add_x_forwarded_for` behind what is there.
pub(super) fn put_forwarded_for(ex: &Exchange<'_>, out: &mut Vec<u8>) {
    if let Some(before) = joined(&ex.request.headers, "x_forwarded_for") {
        out.extend_from_slice(&before);
        out.extend_from_slice(b", ");
    }
    ex.remote.put_address(out);
}

//! Variables of the answer.

use bytes::Bytes;
use tidegate_config::variable::Builtin;

use super::{joined, number};
use crate::answer_head::{Framing, Promise};
use crate::date::http_date;
use crate::exchange::{Exchange, Sent};
use crate::response::Response;
use crate::status::on_wire;

pub(super) fn value(ex: &Exchange<'_>, builtin: Builtin) -> Option<Bytes> {
    match builtin {
        Builtin::Status => {
            // Within an error page it is already the status that the answer will have.
            let status = ex.error.status.unwrap_or(ex.sent.status);
            Some(match on_wire(status) {
                status @ 100.. => number(status),
                status => format!("{status:03}").into(),
            })
        }
        Builtin::BytesSent => Some(number(ex.sent.bytes)),
        Builtin::BodyBytesSent => Some(number(ex.sent.body_bytes)),
        Builtin::GzipRatio => ex.sent.gzip_ratio.as_ref().and_then(|counts| ratio(counts.get())),
        Builtin::LimitRate => Some(number(ex.limit_rate.unwrap_or(0))),
        Builtin::LimitReqStatus => ex.limits.requests.map(|limited| limited.word().into()),
        Builtin::LimitConnStatus => ex.limits.connections.map(|limited| limited.word().into()),
        Builtin::Pipe => Some(if ex.sent.pipelined { "p" } else { "." }.into()),
        Builtin::RequestCompletion => Some(if ex.sent.complete { "OK" } else { "" }.into()),
        _ => None,
    }
}

/// `$sent_http_…`: a field of the answer.
pub(super) fn sent_field(sent: &Sent, name: &str) -> Option<Bytes> {
    match name {
        "connection" => sent.promise.map(|promise| match promise {
            Promise { framing: Framing::Tunnel, .. } => "upgrade".into(),
            Promise { keep_alive: true, .. } => "keep-alive".into(),
            Promise { .. } => "close".into(),
        }),
        "transfer_encoding" => {
            let framing = sent.promise.map(|promise| promise.framing);
            (framing == Some(Framing::Chunked)).then(|| Bytes::from_static(b"chunked"))
        }
        _ => answer_field(sent.answer.as_deref()?, name),
    }
}

fn answer_field(answer: &Response, name: &str) -> Option<Bytes> {
    match name {
        "content_type" => {
            let content_type = answer.content_type.clone()?;
            Some(match &answer.charset {
                Some(charset) => [content_type.as_ref(), b"; charset=", charset].concat().into(),
                None => content_type,
            })
        }
        "content_length" => answer.content_length.map(number),
        "last_modified" => {
            answer.last_modified.map(http_date).or_else(|| joined(&answer.headers, name))
        }
        "location" => answer.location.clone(),
        _ => joined(&answer.headers, name),
    }
}

/// How many times smaller an answer has become, with two places.
fn ratio((before, after): (u64, u64)) -> Option<Bytes> {
    let hundredths = (before.checked_mul(1000)?.checked_div(after)? + 5) / 10;
    Some(format!("{}.{:02}", hundredths / 100, hundredths % 100).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_has_two_places() {
        assert_eq!(ratio((1000, 300)).unwrap(), "3.33");
        assert_eq!(ratio((1995, 1000)).unwrap(), "2.00");
        assert_eq!(ratio((1, 0)), None);
    }
}

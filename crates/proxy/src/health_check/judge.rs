//! What the answer to a check must be like.

use bytes::Bytes;
use tidegate_config::http::health_check::Kind;
use tidegate_config::http::health_check::expected::{Expected, FieldTest};
use tidegate_http::exchange::Exchange;
use tidegate_http::headers::Headers;

use super::{Place, grpc};

/// The answer to a check.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// Its fields, and those behind its body.
    pub(super) headers: Headers,
    /// As much of its body as is looked at.
    pub(super) body: Vec<u8>,
}

/// How much of a body is looked at, in bytes (nginx: 256 KiB).
pub(super) const MOST: usize = 256 * 1024;

/// Whether the body matters.
pub(super) fn needs_body(place: &Place<'_>) -> bool {
    matches!(place.check.kind, Kind::Grpc { .. })
        || place.expected.is_some_and(|expected| !expected.body.is_empty())
}

/// Why an answer is not good, if it is not.
pub(super) fn judge(
    ex: &mut Exchange<'_>,
    place: &Place<'_>,
    answer: &Answer,
) -> Result<(), String> {
    match (&place.check.kind, place.expected) {
        (Kind::Grpc { status, .. }, _) => serves(answer, *status),
        (_, Some(expected)) => {
            meets(answer, expected)?;
            for (name, template) in &expected.required {
                if matches!(ex.render(template).as_ref(), b"" | b"0") {
                    return Err(format!("{name} is empty or 0"));
                }
            }
            Ok(())
        }
        (_, None) if (200..400).contains(&answer.status) => Ok(()),
        (_, None) => Err(format!("status {} was sent", answer.status)),
    }
}

fn serves(answer: &Answer, wanted: u32) -> Result<(), String> {
    let said = answer.headers.get("grpc-status").map(Bytes::as_ref);
    let code = said.and_then(|said| std::str::from_utf8(said).ok()?.parse::<u32>().ok());
    match code {
        None => Err(format!("status {} was sent without a grpc-status", answer.status)),
        Some(code) if code != wanted => Err(format!("grpc-status {code} was sent")),
        Some(0) if !grpc::is_serving(&answer.body) => Err("the service is not served".to_owned()),
        Some(_) => Ok(()),
    }
}

fn meets(answer: &Answer, expected: &Expected) -> Result<(), String> {
    if !expected.statuses.iter().all(|statuses| statuses.allow(answer.status)) {
        return Err(format!("status {} was sent", answer.status));
    }
    for (name, test) in &expected.fields {
        let value = answer.headers.get(name);
        let good = match test {
            FieldTest::Present => value.is_some(),
            FieldTest::Absent => value.is_none(),
            FieldTest::Is(text) => value == Some(text),
            FieldTest::IsNot(text) => value != Some(text),
            FieldTest::Text(test) => match value {
                Some(value) => test.allows(value),
                None => test.negated,
            },
        };
        if !good {
            let (name, value) = (name.escape_ascii(), value.map(|value| value.escape_ascii()));
            return Err(match value {
                Some(value) => format!("the field \"{name}: {value}\" was sent"),
                None => format!("the field \"{name}\" was not sent"),
            });
        }
    }
    if expected.body.iter().all(|test| test.allows(&answer.body)) {
        return Ok(());
    }
    let length = answer.body.len();
    Err(format!("the body, of which {length} bytes were looked at, is not what it must be"))
}

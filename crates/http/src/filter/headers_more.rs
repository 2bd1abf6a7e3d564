//! headers-more: fields of answers, and of requests, set and taken away.

use bytes::Bytes;
use tidegate_config::http::headers_more::{Change, Field};

use super::headers::sanitise;
use crate::exchange::Exchange;
use crate::head::normalise_host;
use crate::headers::Headers;
use crate::response::Response;

/// Changes the fields of an answer (`ngx_http_headers_more_filter`).
pub(super) fn apply(ex: &mut Exchange<'_>, response: Box<Response>) -> Box<Response> {
    let location = ex.location;
    if location.headers_more.answer.is_empty() {
        return response;
    }
    // While values are made, the answer is where `$sent_http_…` looks for it.
    ex.sent.status = response.status;
    ex.sent.answer = Some(response);
    for change in &location.headers_more.answer {
        let Some(answer) = &ex.sent.answer else { break };
        let status =
            change.statuses.is_empty() || change.statuses.contains(&u32::from(answer.status));
        if !status || !fits(change, answer.content_type.as_ref()) {
            continue;
        }
        for field in &change.fields {
            let value = field.value.as_ref().map(|value| sanitise(ex.render(value)));
            let value = value.filter(|value| !value.is_empty());
            if let Some(answer) = &mut ex.sent.answer {
                put(answer, field, value, change.append);
            }
        }
    }
    ex.sent.answer.take().unwrap_or_default()
}

/// Changes the fields of a request, once what is rewritten has been.
pub fn change_request(ex: &mut Exchange<'_>) {
    let location = ex.location;
    for change in &location.headers_more.request {
        if !fits(change, ex.request.headers.get("Content-Type")) {
            continue;
        }
        for field in &change.fields {
            let there = ex.request.headers.iter().any(|header| is_meant(field, &header.name));
            if change.replace && !there {
                continue;
            }
            let value = field.value.as_ref().map(|value| sanitise(ex.render(value)));
            let value = value.filter(|value| !value.is_empty());
            if field.name.eq_ignore_ascii_case(b"Host") && !field.prefix {
                let host = value.as_ref().and_then(normalise_host);
                (ex.request.host, ex.request.port) =
                    host.map_or((None, None), |(host, port)| (Some(host), port));
            }
            put_field(&mut ex.request.headers, field, value);
        }
    }
}

fn fits(change: &Change, kind: Option<&Bytes>) -> bool {
    let kind = kind.map(AsRef::as_ref).unwrap_or_default();
    let bare = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    change.types.is_empty() || change.types.iter().any(|known| **known == *bare)
}

fn is_meant(field: &Field, name: &[u8]) -> bool {
    let begins = || name.get(..field.name.len());
    let name = if field.prefix { begins() } else { Some(name) };
    name.is_some_and(|name| name.eq_ignore_ascii_case(&field.name))
}

/// Some fields stand beside the others; a prefix means none of them.
fn put(response: &mut Response, field: &Field, value: Option<Bytes>, append: bool) {
    let name = field.name.to_ascii_lowercase();
    let gone = value.is_none();
    match name.as_slice() {
        _ if field.prefix => {}
        b"content-type" => {
            (response.content_type, response.charset) = (value, None);
            return;
        }
        b"location" => {
            response.location = value;
            return;
        }
        b"content-length" => {
            response.content_length = None;
            return;
        }
        b"last-modified" => response.last_modified = None,
        b"accept-ranges" if gone => response.allow_ranges = false,
        b"server" => response.without_server = gone,
        b"date" => response.without_date = gone,
        // `expires` comes later; its other field stays.
        b"expires" => response.without_expires = gone,
        _ => {}
    }
    if !append {
        put_field(&mut response.headers, field, value);
    } else if let Some(value) = value {
        response.headers.push(field.name.clone(), value);
    }
}

/// The first field that is meant gets the value, and the others go.
fn put_field(headers: &mut Headers, field: &Field, mut value: Option<Bytes>) {
    headers.retain_mut(|header| {
        if !is_meant(field, &header.name) {
            return true;
        }
        value.take().is_some_and(|value| {
            header.value = value;
            true
        })
    });
    if let Some(value) = value.filter(|_| !field.prefix) {
        headers.push(field.name.clone(), value);
    }
}

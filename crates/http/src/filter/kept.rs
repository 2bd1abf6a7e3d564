//! Fields of an answer that an internal redirect has led away from.

use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::response::Response;

/// Puts the kept fields in the place of fields of the same names.
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    if ex.kept_headers.is_empty() {
        return;
    }
    let mut headers = Headers::new();
    for field in &std::mem::take(&mut ex.kept_headers) {
        if field.name.eq_ignore_ascii_case(b"Content-Type") {
            response.content_type = Some(field.value.clone());
            response.charset = None;
        } else {
            response.headers.remove(&field.name);
            headers.push(field.name.clone(), field.value.clone());
        }
    }
    for field in &response.headers {
        headers.push(field.name.clone(), field.value.clone());
    }
    response.headers = headers;
}

//! charset: what `Content-Type` says of the charset.

use crate::exchange::Exchange;
use crate::response::Response;

/// Names the charset where the type has none and is among `charset_types` (nginx:
/// `ngx_http_charset_header_filter`).
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let settings = &ex.location.charset;
    let Some(charset) = &settings.charset else { return };
    let Some(content_type) = &response.content_type else { return };
    let redirect = matches!(response.status, 301 | 302);
    let encoded = response.headers.contains("Content-Encoding");
    if redirect || encoded || response.charset.is_some() || !settings.types.contains(content_type) {
        return;
    }
    let charset = ex.render(charset);
    if !charset.is_empty() {
        response.charset = Some(charset);
    }
}

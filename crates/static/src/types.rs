//! `types`, `default_type`: what a file is, by its extension.

use bytes::Bytes;
use tidegate_http::exchange::Exchange;
use tidegate_http::types;
use tidegate_http::uri::extension;

/// The type of the file that a URI names; `None` where `default_type` is empty.
///
/// Where no level of the configuration has a `types` block, the extension is looked up among those
/// that are commonly known.
pub(crate) fn content_type(ex: &Exchange<'_>) -> Option<Bytes> {
    let guessed = match &ex.location.type_map {
        Some(_) => None,
        None => guess(extension(&ex.uri)),
    };
    guessed.or_else(|| types::content_type(ex.location, &ex.uri))
}

fn guess(extension: &[u8]) -> Option<Bytes> {
    let extension = std::str::from_utf8(extension).ok().filter(|text| !text.is_empty())?;
    mime_guess::from_ext(extension).first_raw().map(|text| Bytes::from_static(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_extensions_are_known() {
        assert_eq!(guess(b"html").unwrap(), "text/html");
        assert_eq!(guess(b"PNG").unwrap(), "image/png");
        assert_eq!(guess(b"unheard-of"), None);
        assert_eq!(guess(b""), None);
    }
}

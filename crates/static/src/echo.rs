//! `echo`: text for an answer (the module echo).

use bytes::{Bytes, BytesMut};
use tidegate_http::body::Body;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::types;

/// The longest text that is made of variables, in bytes.
const LONGEST: usize = 8 << 20;

/// Answers with the texts, whatever the method; how long they are is not told beforehand.
pub fn respond(ex: &mut Exchange<'_>) -> Response {
    let echo = &ex.location.echo;
    let mut body = BytesMut::new();
    for text in &echo.texts {
        let words: Vec<Bytes> = text.words.iter().map(|word| ex.render(word)).collect();
        let words = words.join(&b' ');
        for _ in 0..text.times {
            if body.len() + words.len() <= LONGEST {
                body.extend_from_slice(&words);
            }
        }
        if text.line {
            body.extend_from_slice(b"\n");
        }
    }
    let response = Response::new(echo.status).with_body(Body::Bytes(body.freeze()));
    let content_type = types::content_type(ex.location, &ex.uri);
    Response { content_type, content_length: None, ..response }
}

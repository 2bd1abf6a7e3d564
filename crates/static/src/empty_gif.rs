//! `empty_gif`: a picture of one transparent point (nginx: `ngx_http_empty_gif_module`).

use bytes::Bytes;
use http::Method;
use tidegate_http::body::Body;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;

/// The picture.
const PICTURE: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x01\x00\x00\x00\x00\xff\xff\xff\x21\xf9\x04\x01\x00\
    \x00\x01\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x4c\x01\x00\x3b";

/// When it was made, in seconds since 1970: 28 September 1970.
const MODIFIED: i64 = 23_349_600;

/// Answers with the picture.
pub fn respond(ex: &Exchange<'_>) -> Result<Response, Stop> {
    if !matches!(ex.method, Method::GET | Method::HEAD) {
        return Err(Stop::Status(405));
    }
    let body = Body::Bytes(Bytes::from_static(PICTURE));
    let mut response = Response::new(200).with_type("image/gif").with_body(body);
    response.last_modified = Some(MODIFIED);
    Ok(response)
}

//! slice: answers in pieces.

use super::compare::alike;

#[tokio::test]
async fn answers_in_pieces() {
    let backend = crate::harness::Backend::http(|request| {
        let whole = "0123456789abcdefghij-";
        let line = request.split("\r\n").next().unwrap_or_default();
        let range = request.split("\r\n").find_map(|line| line.strip_prefix("Range: bytes="));
        let part = range.and_then(|range| {
            let (first, last) = range.split_once('-')?;
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            Some((first, last.min(whole.len() - 1)))
        });
        match part {
            Some((first, last)) if first < whole.len() && !line.contains("/plain") => {
                let etag = if line.contains("/changes") && first > 0 { "\"b\"" } else { "\"a\"" };
                let body = &whole[first..=last];
                format!(
                    "HTTP/1.1 206 Partial Content\r\nContent-Type: text/plain\r\nETag: {etag}\r\n\
                     Content-Range: bytes {first}-{last}/{}\r\nContent-Length: {}\r\n\r\n{body}",
                    whole.len(),
                    body.len()
                )
            }
            _ => format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{whole}",
                whole.len()
            ),
        }
    })
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Range $slice_range;
            location / { slice 8; proxy_pass http://127.0.0.1:8090; }
            location /whole { slice 100; proxy_pass http://127.0.0.1:8090; }
            location /none { proxy_pass http://127.0.0.1:8090; }
        }"#,
    )
    .with_backend(8090, backend)
    .without_logs()
    .every_module()
    .answers(&[
        "/",
        "HEAD /x",
        "/plain",
        "/whole",
        "/none",
        "/ | Range: bytes=0-3",
        "/ | Range: bytes=9-10",
        "/ | Range: bytes=9-17",
        "/ | Range: bytes=-3",
        "/ | Range: bytes=3-",
        "/ | Range: bytes=30-",
        "/ | Range: bytes=1-2,4-5",
        "/ | If-None-Match: \"a\"",
        "/ | Range: bytes=9-10 | If-Range: \"a\"",
        "/ | Range: bytes=9-10 | If-Range: \"z\"",
    ])
    .await;
}

//! post_action: what is asked after an answer.

use super::compare::alike;

#[tokio::test]
async fn a_request_goes_on_after_its_answer() {
    alike(
        r#"
        log_format after '$uri status=$status $request_uri [$args] bytes=$body_bytes_sent';
        server {
            listen 127.0.0.1:8080;
            root html;
            access_log logs/access.log after;
            location / { post_action /told; try_files /a =404; }
            location /named { post_action @told; return 200 "named"; }
            location /missing { post_action /told; try_files /b =404; }
            location /app { post_action /told; return 301 /x; }
            location = /told { internal; try_files /a =404; }
            location @told { try_files /b =403; }
            location /chain { post_action /link; return 200 "chain"; }
            location /link { post_action /told; return 204; }
            location /gone { post_action /nowhere/at/all; return 200 "gone"; }
        }"#,
    )
    .with_file("a", "A")
    .answers(&[
        "/a", "/a?x=y", "HEAD /a", "/named?q", "/missing", "/app", "/told", "/chain", "/gone", "/a",
    ])
    .await;
}

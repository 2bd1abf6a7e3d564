//! grpc_pass and proxy_http_version 2: what an upstream over HTTP/2 is asked, and what becomes of
//! its answers.

use super::compare::alike;
use crate::harness::Backend;

/// An upstream that answers what stands behind the first word of the request it contains.
async fn upstream(answers: &'static [(&'static str, &'static str)]) -> Backend {
    Backend::http2(move |request| {
        let scripted = answers.iter().find(|(word, _)| request.contains(word));
        let usual = "200\ncontent-type: application/grpc\n\nhello\n\ngrpc-status: 0";
        scripted.map_or(usual, |(_, answer)| answer).to_owned()
    })
    .await
}

#[tokio::test]
async fn requests() {
    alike(
        r#"
        upstream app { server 127.0.0.1:8090; }
        server {
            listen 127.0.0.1:8080;
            location / { grpc_pass grpc://127.0.0.1:8090; }
            location /bare { grpc_pass app; }
            location /variable { set $to grpc://127.0.0.1:8090; grpc_pass $to; }
            location /set { grpc_set_header Host own.host; grpc_set_header X-A "$remote_addr"; grpc_set_header X-B ""; grpc_set_header TE ""; grpc_pass 127.0.0.1:8090; }
            location /rewritten { rewrite ^/rewritten(.*)$ /new$1?a=b break; grpc_pass 127.0.0.1:8090; }
            location /v2 { proxy_http_version 2; proxy_pass http://127.0.0.1:8090; }
            location /v2/uri/ { proxy_http_version 2; proxy_pass http://app/base/; }
            location /v2/set { proxy_http_version 2; proxy_set_header Host own; proxy_set_header X-A 1; proxy_set_body "body $request_method"; proxy_method PUT; proxy_pass http://app; }
            location /v2/streamed { proxy_http_version 2; proxy_request_buffering off; proxy_pass http://app; }
        }"#,
    )
    .with_backend(8090, upstream(&[]).await)
    .mainline()
    .answers(&[
        "POST /a.B/C | Content-Type: application/grpc | TE: trailers || abc", "/", "/x?y=z%20", "/a%20b/../c", "POST /bare || abc",
        "/variable?x", "POST /set | X-A: theirs | X-B: theirs | TE: trailers || abc", "/rewritten/x?c",
        "POST /bare | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
        "/ | Connection: keep-alive, x | Keep-Alive: 1 | Upgrade: y | Proxy-Connection: z | X-One: 1 | X-One: 2 | Cookie: a=b",
        "/v2?a=b | X-A: 1 | TE: trailers", "POST /v2 || abc", "/v2/uri/x%20y?z", "POST /v2/set || abc", "HEAD /v2",
        "POST /v2/streamed || abc", "POST /v2 | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
        "/ HTTP/1.0", "/v2 HTTP/1.0 | Host: -", "OPTIONS /bare",
    ])
    .await;
}

#[tokio::test]
async fn answers() {
    let backend = upstream(&[
        ("/status", "404\ncontent-type: text/plain\nx-a: 1\nx-a: 2\n\nnot here"),
        ("/length", "200\ncontent-length: 3\n\nabc"),
        ("/empty", "204\nx-a: 1"),
        (
            "/only",
            "200\ncontent-type: application/grpc\ngrpc-status: 12\ngrpc-message: no such method",
        ),
        (
            "/trailers",
            "200\ncontent-type: application/grpc\n\nabc\n\ngrpc-status: 5\ngrpc-message: gone",
        ),
        ("/hidden", "200\nserver: app\ndate: x\nx-hide: 1\nx-accel-expires: 1\n\nx"),
        ("/accel", "200\nx-accel-redirect: /file.txt\n\n"),
        ("/moved", "302\nlocation: http://127.0.0.1:8090/x\n\n"),
        ("/refused", "reset 7"),
        ("/internal", "reset 2"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            grpc_hide_header X-Hide;
            location / { grpc_pass 127.0.0.1:8090; }
            location = /file.txt { }
            location /i/ { rewrite ^/i(.*)$ $1 break; grpc_intercept_errors on; error_page 404 502 /file.txt; grpc_pass 127.0.0.1:8090; }
            location /v2/ { proxy_http_version 2; proxy_pass http://127.0.0.1:8090/; }
            location /t/ { proxy_http_version 2; proxy_pass_trailers on; proxy_pass http://127.0.0.1:8090/; }
            location /dead { grpc_pass 127.0.0.1:8098; }
            location = /page { internal; default_type application/grpc; add_header grpc-status 14 always; return 204; }
            location /mapped { error_page 502 = /page; grpc_pass 127.0.0.1:8098; }
        }"#,
    )
    .with_file("file.txt", "a file")
    .with_backend(8090, backend)
    .mainline()
    .without_logs()
    .answers(&[
        "/status", "/length", "/empty", "/only", "/trailers | TE: trailers", "/hidden", "/accel", "/moved", "/refused",
        "/internal", "/i/status", "/i/internal", "/v2/status", "/v2/length", "/v2/empty", "/v2/trailers", "/v2/hidden",
        "/v2/moved", "/v2/internal", "/t/trailers | TE: trailers", "/dead", "/mapped", "HEAD /length", "HEAD /v2/length",
    ])
    .await;
}

//! Request bodies: how large, how framed, and where they go.

use super::compare::{alike, echo};

#[tokio::test]
async fn sizes() {
    let backend = echo(&[]).await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            client_max_body_size 10;
            root html;
            location / { return 200 "unread"; }
            location /file { }
            location /proxy { proxy_pass http://127.0.0.1:8090; }
            location /unlimited { client_max_body_size 0; proxy_pass http://127.0.0.1:8090; }
            location /streamed { proxy_request_buffering off; proxy_pass http://127.0.0.1:8090; }
            location /page { error_page 413 /413.html; proxy_pass http://127.0.0.1:8090; }
            location /413.html { }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("413.html", "too much")
    .mainline()
    // How much of a refused body was read ($request_length) is nobody's business.
    .without_logs()
    .answers(&[
        "POST /proxy || 0123456789",
        "POST /proxy || 0123456789a",
        "POST / || 0123456789a",
        "POST / | Expect: 100-continue | Connection: close || 0123456789a",
        "POST /file || 0123456789a",
        "POST /unlimited || 0123456789a",
        "POST /page || 0123456789a",
        "POST /proxy | Transfer-Encoding: chunked || a\\r\\n0123456789\\r\\n0\\r\\n\\r\\n",
        "POST /proxy | Transfer-Encoding: chunked || b\\r\\n0123456789a\\r\\n0\\r\\n\\r\\n",
        "POST /proxy | Transfer-Encoding: chunked || 5\\r\\n01234\\r\\n6\\r\\n567890\\r\\n0\\r\\n\\r\\n",
        "POST /streamed || 0123456789",
        "POST /streamed | Transfer-Encoding: chunked || 5\\r\\n01234\\r\\n0\\r\\n\\r\\n",
        "PUT /proxy || x",
        "GET /proxy || body",
        "DELETE /proxy || body",
        "POST /proxy || ",
        "POST /proxy",
        "GET /proxy",
    ])
    .await;
}

#[tokio::test]
async fn files_and_variables() {
    let backend = echo(&[]).await;
    alike(
        r#"log_format body '$request_uri $request_body $request_body_file';
        access_log logs/access.log body;
        server {
            listen 127.0.0.1:8080;
            client_body_temp_path bodies 1 2;
            proxy_set_header X-File $request_body_file;
            proxy_set_header X-Body $request_body;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /unread { return 200 "[$request_body] [$request_body_file]"; }
            location /on { client_body_in_file_only on; proxy_pass http://127.0.0.1:8090; }
            location /clean { client_body_in_file_only clean; proxy_pass http://127.0.0.1:8090; }
            location /name { client_body_in_file_only clean; proxy_set_body "at $request_body_file"; proxy_pass http://127.0.0.1:8090; }
            location /nobody { client_body_in_file_only clean; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass http://127.0.0.1:8090; }
            location /again { client_body_in_file_only clean; proxy_intercept_errors on; error_page 404 = /second; proxy_pass http://127.0.0.1:8090; }
            location /second { proxy_pass http://127.0.0.1:8090; }
            location /single { client_body_in_single_buffer on; proxy_set_body "<$request_body>"; proxy_pass http://127.0.0.1:8090; }
            location /streamed { client_body_in_file_only on; proxy_request_buffering off; proxy_set_header X-File ""; proxy_pass http://127.0.0.1:8090; }
        }"#,
    )
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "POST / || small", "GET /", "POST /unread || x", "POST /on || small", "POST /on || another", "GET /on",
        "POST /on || ", "POST /on | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
        "POST /on | Transfer-Encoding: chunked || 0\\r\\n\\r\\n", "POST /clean || small", "GET /clean",
        "POST /name || small", "POST /nobody || small", "POST /single || small",
        "POST / | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
    ])
    .await;
}

#[tokio::test]
async fn chunks() {
    let backend = echo(&[]).await;
    let post = |body: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        )
    };
    let asks = [
        post("3\r\nabc\r\n0\r\n\r\n"),
        post("03\r\nabc\r\n00\r\n\r\n"),
        post("3;ext=1\r\nabc\r\n0;x\r\n\r\n"),
        post("3 \r\nabc\r\n0\r\n\r\n"),
        post("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
        post("3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"),
        post("x\r\nabc\r\n0\r\n\r\n"),
        post("-1\r\nabc\r\n0\r\n\r\n"),
        post("0x3\r\nabc\r\n0\r\n\r\n"),
        post("\r\n\r\n"),
        post("3\r\nabcd\r\n0\r\n\r\n"),
        post("3\r\nabc0\r\n\r\n"),
        post("ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        post("10000000000000000\r\nabc\r\n0\r\n\r\n"),
        post("3\nabc\r\n0\r\n\r\n"),
        post("3\r\nabc\n0\r\n\r\n"),
        post("3\r\nabc\r\n0\r\n\n"),
        post("0\r\n\r\n"),
    ];
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike("server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; } }")
        .with_backend(8090, backend)
        .mainline()
        .without_logs()
        .answers(&asks)
        .await;
}

#[tokio::test]
async fn expectations() {
    let backend = echo(&[]).await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            client_max_body_size 10;
            location / { return 200 "unread"; }
            location /proxy { proxy_pass http://127.0.0.1:8090; }
        }"#,
    )
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "POST /proxy HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "POST /proxy HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc",
        "POST /proxy HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: something\r\nContent-Length: 3\r\n\r\nabc",
        "POST /proxy HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "POST /proxy HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n01234567890",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        "GET /proxy HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n",
    ])
    .await;
}

//! add_header, add_trailer and expires.

use super::compare::alike;

#[tokio::test]
async fn added_fields() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            add_header X-Server server;
            location /inherit { return 200 "x"; }
            location /replace { add_header X-Location $uri; return 200 "x"; }
            location /always { add_header X-Always yes always; return 404; }
            location /notfound { add_header X-Plain yes; return 404; }
            location /codes/200 { add_header X-C 1; return 200 x; }
            location /codes/201 { add_header X-C 1; return 201 x; }
            location /codes/202 { add_header X-C 1; return 202 x; }
            location /codes/204 { add_header X-C 1; return 204; }
            location /codes/301 { add_header X-C 1; return 301 /x; }
            location /codes/302 { add_header X-C 1; return 302 /x; }
            location /codes/303 { add_header X-C 1; return 303 /x; }
            location /codes/307 { add_header X-C 1; return 307 /x; }
            location /codes/308 { add_header X-C 1; return 308 /x; }
            location /codes/400 { add_header X-C 1; return 400; }
            location /codes/500 { add_header X-C 1; return 500; }
            location /twice { add_header X-A 1; add_header X-A 2; add_header x-a 3; return 200 "x"; }
            location /empty { add_header X-Empty ""; add_header X-Var $arg_v; return 200 "x"; }
            location /type { add_header Content-Type text/plain; return 200 "x"; }
            location /modified { add_header Last-Modified "Mon, 01 Jan 2024 00:00:00 GMT"; }
            location /nomodified { add_header Last-Modified ""; }
            location /etag { add_header ETag '"own"'; }
            location /cc { add_header Cache-Control no-cache; add_header Cache-Control private; return 200 "x"; }
            location /link { add_header Link "</a.css>; rel=preload"; return 200 "x"; }
            location /quotes { add_header X-Q 'say "hi"; please'; return 200 "x"; }
            location /server { add_header Server other; return 200 "x"; }
            location /location { add_header Location /there; return 200 "x"; }
            location /page { add_header X-First 1; error_page 404 /errorpage; return 404; }
            location /errorpage { add_header X-Second 2; return 200 "x"; }
            location /sent { add_header X-A 1; add_header X-Sent "$sent_http_x_a $sent_http_content_type $status"; return 200 "x"; }
        }"#,
    )
    .with_file("modified/a.txt", "a")
    .with_file("nomodified/a.txt", "a")
    .with_file("etag/a.txt", "a")
    .with_file("a.txt", "a")
    .answers(&[
        "/a.txt", "/inherit", "/replace", "/always", "/notfound", "/codes/200", "/codes/201",
        "/codes/202", "/codes/204", "/codes/301", "/codes/302", "/codes/303", "/codes/307",
        "/codes/308", "/codes/400", "/codes/500", "/twice", "/empty", "/empty?v=1", "/type",
        "/modified/a.txt", "/nomodified/a.txt", "/etag/a.txt", "/cc", "/link", "/quotes", "/server",
        "/location", "/page", "/sent", "/missing",
        "/a.txt | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
        "/a.txt | Range: bytes=5-9",
    ])
    .await;
}

#[tokio::test]
async fn expiry() {
    alike(
        r#"
        map $sent_http_content_type $by_type { default off; text/css max; ~image/ epoch; }
        server {
            listen 127.0.0.1:8080;
            root html;
            location /epoch { expires epoch; return 200 "x"; }
            location /max { expires max; return 200 "x"; }
            location /off { expires off; return 200 "x"; }
            location /error { expires max; return 404; }
            location /redirect { expires max; return 302 /x; }
            location /both { expires max; add_header Cache-Control public; return 200 "x"; }
            location /inherited/ { expires epoch; location /inherited/x { return 200 "x"; } }
            location / { expires $by_type; }
        }"#,
    )
    .with_file("a.css", "c")
    .with_file("a.png", "p")
    .with_file("a.html", "h")
    .answers(&[
        "/epoch",
        "/max",
        "/off",
        "/error",
        "/redirect",
        "/both",
        "/inherited/x",
        "/a.css",
        "/a.png",
        "/a.html",
    ])
    .await;
}

#[tokio::test]
async fn fields_behind_a_body() {
    alike(
        r#"add_header X-Http http; add_trailer T-Http http;
        server {
            listen 127.0.0.1:8080;
            root html;
            add_header X-Server server;
            add_trailer T-Server server;
            location /file/ { add_trailer X-Sum "$body_bytes_sent $status $sent_http_content_type"; }
            location /always { add_trailer X-T always always; return 404 "x"; }
            location /unsafe { add_trailer X-T no; return 404 "x"; }
            location /empty { add_trailer X-T $arg_t; add_trailer X-U $sent_trailer_x_t; return 200 "x"; }
            location /off { chunked_transfer_encoding off; add_trailer X-T t; return 200 "x"; }
            location /nothing { add_trailer X-T t; return 204; }
            location /merge { add_header_inherit merge; add_header X-Own own; return 200 "x";
                location /merge/deep { add_header X-Deep deep; return 200 "x"; }
                location /merge/on { add_header_inherit on; add_header X-Deep deep; return 200 "x"; }
                location /merge/none { return 200 "x"; } }
            location /drop { add_header_inherit off; add_trailer_inherit off; return 200 "x";
                location /drop/deep { add_header X-Deep deep; return 200 "x";
                    location /drop/deep/er { return 200 "x"; } } }
            location /trailers { add_trailer_inherit merge; add_trailer T-Own own; return 200 "x"; }
        }"#,
    )
    .with_file("file/a.txt", "0123456789")
    .without_logs()
    .mainline()
    .answers(&[
        "GET /file/a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /file/a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=2-3\r\n\r\n",
        "GET /file/a.txt HTTP/1.0\r\nHost: a\r\n\r\n",
        "HEAD /file/a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /always HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /unsafe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /empty?t=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /off HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /merge HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /merge/deep HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /merge/on HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /merge/none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /drop HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /drop/deep HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /drop/deep/er HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /trailers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "/merge",
        "/merge/none",
    ])
    .await;
}

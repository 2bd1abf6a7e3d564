//! Over HTTP/2 all nouns answer as nginx's do.

use super::compare::{alike, echo};

#[tokio::test]
async fn files_and_filters() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            charset utf-8;
            location / { etag on; }
            location /zip/ { gzip on; gzip_min_length 1; gzip_types text/plain; alias html/; }
            location /old/ { expires 1h; add_header X-A "$uri $http2 $server_protocol" always; alias html/; }
            location /list/ { autoindex on; autoindex_format json; alias html/folder/; }
            location /try/ { try_files $uri /a.txt; }
            location /none/ { try_files $uri =404; }
            location /behind/ { add_trailer X-T "$uri" always; alias html/; }
            error_page 404 /missing.html;
            location /own { error_page 403 =200 /a.txt; return 403; }
            http2_chunk_size 100;
        }"#,
    )
    .with_file("a.txt", "hello, hello, hello, hello")
    .with_file("large.txt", "0123456789".repeat(3000))
    .with_file("folder/index.html", "<p>")
    .with_file("folder/b.html", "b")
    .with_file("missing.html", "not here")
    .over_http2()
    .answers(&[
        "/a.txt", "HEAD /a.txt", "/large.txt", "/a.txt | Range: bytes=2-4",
        "/a.txt | Range: bytes=0-1,3-4", "/a.txt | Range: bytes=100-",
        "/a.txt | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
        "/a.txt | If-None-Match: \"x\"", 
        "/zip/a.txt | Accept-Encoding: gzip", "HEAD /zip/a.txt | Accept-Encoding: gzip",
        "/zip/a.txt", "/old/a.txt", "/old/nothing", "/list/", "/folder/", "/folder", "HEAD /folder",
        "/try/x", "/none/x", "/nothing", "/own", "/behind/a.txt", "HEAD /behind/a.txt", "/behind/none", "POST /a.txt || body", "DELETE /a.txt", "OPTIONS /",
        "/a%2etxt", "/folder/../a.txt", "/folder//b.html", "/../a.txt", "/a.txt?x=1", "/%zz",
    ])
    .await;
}

#[tokio::test]
async fn phases_and_variables() {
    alike(
        r#"
        map $http_x_a $mapped { default none; ~^b(?<rest>.*) "b:$rest"; }
        server {
            listen 127.0.0.1:8080;
            server_name _;
            location / { return 200 "$request|$request_uri|$uri|$args|$host|$http_host|$server_protocol|$http2|$scheme|$request_method|$http_cookie|$cookie_b|$mapped|$content_length|$content_type|$request_length|$is_request_port$request_port|$sent_http_x|$https|"; }
            location /r { rewrite ^/r/(.*)$ /to/$1?more last; }
            location /m { return 301 /elsewhere; }
            location /t { return 307 https://other/$request_uri; }
            location /if { if ($http_x_a = b) { return 403; } return 204; }
            location /auth { auth_basic closed; auth_basic_user_file users; return 200 in; }
            location /deny { deny all; }
            location /only { limit_except GET { deny all; } return 200 x; }
            location /close { return 444; }
            location /body { client_max_body_size 5; return 200 x; }
        }
        server { listen 127.0.0.1:8080; server_name b.test *.c.test; return 200 "b $host"; }
        "#,
    )
    .with_prefix_file("users", "u:{PLAIN}p\n")
    .over_http2()
    .answers(&[
        "/", "/p?q=1&r", "/ | Host: A.test:81", "/ | Host: b.test", "/ | Host: x.C.test:8",
        "/ | Cookie: a=1; b=2 | X-A: bcd", "/ | X-A: q", "POST / | Content-Type: a/b || body",
        "/r/one?two", "/m", "/t?x", "/if", "/if | X-A: b", "/auth",
        "/auth | Authorization: Basic dTpw", "/auth | Authorization: Basic eDp5", "/deny",
        "HEAD /deny", "POST /only || x", "/only", "/close", "/ | Under_score: x",
        "POST /body || 123456", "POST /body || 12345", "PUT / || x", "FOO /", "TRACE /",
        "/ | TE: trailers", "/ | Host: a..b", "/ | Authorization: x | Authorization: x",
    ])
    .await;
}

#[tokio::test]
async fn upstreams() {
    let backend = echo(&[
        ("/fields", "HTTP/1.1 200 Fine\r\nX-One: 1\r\nX-one: 2\r\nConnection: x-gone\r\nKeep-Alive: timeout=3\r\nSet-Cookie: a=b\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"),
        ("/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        ("/until-the-end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"),
        ("/away", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:8090/there\r\nContent-Length: 0\r\n\r\n"),
        ("/accel", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /file.txt\r\nContent-Length: 0\r\n\r\n"),
        ("/204", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("/304", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /set { proxy_pass http://127.0.0.1:8090/to; proxy_set_header Host $host; proxy_set_header X-F $proxy_add_x_forwarded_for; }
            location /direct { proxy_pass http://127.0.0.1:8090; proxy_request_buffering off; proxy_http_version 1.1; }
            location = /file.txt { internal; }
            location /down { proxy_pass http://127.0.0.1:8091; }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("file.txt", "a file")
    .mainline()
    .over_http2()
    .answers(&[
        "/a?b", "HEAD /a", "POST /a || body", "PUT /direct || body", "/set/x | Cookie: a=1",
        "/a | X-A: 1 | x-a: 2 | TE: trailers | Accept: */*", "/fields", "HEAD /fields", "/chunked",
        "/until-the-end", "/away", "/accel", "/204", "/304", "/down", "DELETE /a",
    ])
    .await;
}

//! error_page: what is answered instead.

use super::compare::{alike, echo};

#[tokio::test]
async fn pages_for_codes() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            error_page 404 /404.html;
            error_page 500 502 503 504 /50x.html;
            error_page 403 http://example.com/forbidden;
            location /inherit { }
            location /same { error_page 404 /other.html; }
            location /changed { error_page 404 =200 /404.html; }
            location /taken { error_page 404 = /dynamic; }
            location /dynamic { return 202 "dynamic $uri $request_method"; }
            location /named { error_page 404 = @named; }
            location /namedcode { error_page 404 =201 @named; }
            location /namedkeep { error_page 404 @named; }
            location @named { return 200 "named $uri $request_uri"; }
            location /goto { error_page 418 = @named; return 418; }
            location /500 { return 500; }
            location /503 { return 503; }
            location /403 { return 403; }
            location /301 { error_page 404 =301 /moved; }
            location /301url { error_page 404 =301 http://example.com/$uri; }
            location /url { error_page 404 http://example.com/; }
            location /missingpage { error_page 404 /no/such/page; }
            location /query { error_page 404 /dynamicq?code=404; }
            location /dynamicq { return 200 "args: $args"; }
            location /405 { error_page 405 =200 /404.html; }
            location /text { error_page 404 /404.html; return 404 "own text"; }
            location /nested { error_page 404 /nested2; }
            location /nested2 { error_page 403 /404.html; return 403; }
            location /recursive { recursive_error_pages on; error_page 404 /recursive2; }
            location /recursive2 { recursive_error_pages on; error_page 403 /404.html; return 403; }
            location /variable { error_page 404 /$arg_page.html; }
            location /status { error_page 404 = /showstatus; }
            location /showstatus { return 200 "status $status"; }
        }"#,
    )
    .with_file("404.html", "our 404")
    .with_file("other.html", "other 404")
    .with_file("50x.html", "our 50x")
    .answers(&[
        "/nothing",
        "HEAD /nothing",
        "POST /nothing || abc",
        "/inherit/x",
        "/same/x",
        "/changed/x",
        "/taken/x",
        "POST /taken/x || abc",
        "/named/x",
        "/namedcode/x",
        "/namedkeep/x",
        "/goto",
        "POST /goto || abc",
        "/500",
        "/503",
        "/403",
        "/301/x",
        "/301url/x",
        "/url/x",
        "/missingpage/x",
        "/query/x?a=b",
        "POST /405.html || x",
        "/text",
        "/nested/x",
        "/recursive/x",
        "/variable/x?page=other",
        "/variable/x?page=no",
        "/status/x",
        "/404.html",
        "/nothing HTTP/1.0",
    ])
    .await;
}

#[tokio::test]
async fn chains_of_named_locations() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            error_page 400 =202 /sorry;
            error_page 403 = @first;
            error_page 404 @second;
            error_page 410 =418 @third;
            location = /sorry { return 200 "$uri $request_method $status [$request]"; }
            location /deny { deny all; }
            location /gone { return 410; }
            location @first { recursive_error_pages on; error_page 404 @second; return 404; }
            location @second { return 200 "second $uri $status"; }
            location @third { error_page 503 @second; return 503 "third"; }
            location /recursive {
                recursive_error_pages on;
                error_page 403 @once;
                return 403;
            }
            location @once { error_page 404 @second; return 404; }
            location /often { recursive_error_pages on; error_page 403 @again; return 403; }
            location @again { recursive_error_pages on; error_page 404 @twice; return 404; }
            location @twice { error_page 405 @second; return 405; }
            location /own { recursive_error_pages on; error_page 404 /own; return 404; }
            location /elsewhere { error_page 500 /sorry; return 404; }
        }"#,
    )
    .with_file("index.html", "index")
    .answers(&[
        "/deny",
        "/gone",
        "/recursive",
        "/often",
        "/own",
        "/elsewhere",
        "/missing",
        "HEAD /deny",
        "POST /often || abc",
        "GET /\x1b[31m HTTP/1.1\r\nHost: a\r\n\r\n",
        "get / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    ])
    .await;
}

#[tokio::test]
async fn upstream_errors_are_taken_over_where_told() {
    let backend = echo(&[
        ("/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX-App: 1\r\n\r\nfrom app"),
        ("/broken", "HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\nown"),
        (
            "/auth",
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
        ),
        ("/teapot", "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 3\r\n\r\ntea"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            error_page 404 /404.html;
            error_page 500 /50x.html;
            location = /404.html { }
            location = /50x.html { }
            location / { proxy_pass http://127.0.0.1:8090; }
            location /i/ { proxy_pass http://127.0.0.1:8090/; proxy_intercept_errors on; }
            location /to/ { proxy_pass http://127.0.0.1:8090/; proxy_intercept_errors on; error_page 404 = @next; }
            location /auth/ { proxy_pass http://127.0.0.1:8090/; proxy_intercept_errors on; error_page 401 /404.html; }
            location @next { return 200 "next for $uri, upstream said $upstream_status"; }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("404.html", "our 404")
    .with_file("50x.html", "our 50x")
    .mainline()
    .answers(&[
        "/missing", "/broken", "/auth", "/i/missing", "/i/broken", "/i/teapot", "/to/missing",
        "/auth/auth", "HEAD /i/missing",
    ])
    .await;
}

#[tokio::test]
async fn pages_for_some_browsers() {
    let agents = [
        "Mozilla/4.0 (compatible; MSIE 8.0; Windows)",
        "Mozilla/4.0 (compatible; MSIE 6.0) Opera 9",
        "Mozilla/5.0 Gecko/20100101 Firefox/1",
        "Mozilla/5.0 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Mac OS X) Version/17 Safari/605",
        "curl/8",
        "MSIE 8",
    ];
    let paths = [
        "/missing",
        "/off/missing",
        "/error",
        "/moved",
        "/refresh",
        "/refresh/plain",
        "/kept",
        "/moved HTTP/1.0",
        "/missing HTTP/1.0",
    ];
    let mut asks = Vec::new();
    for agent in agents {
        for path in paths {
            asks.push(format!("{path} | User-Agent: {agent} | Connection: keep-alive"));
            asks.push(format!("HEAD {path} | User-Agent: {agent}"));
        }
        asks.push(format!("POST /kept | User-Agent: {agent} || x"));
        asks.push(format!("POST /missing | User-Agent: {agent} || x"));
    }
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location / { }
            location /off { msie_padding off; }
            location /error { return 502; }
            location /moved { return 301 "/to?a=b c"; }
            location /refresh { msie_refresh on; return 302 "/to?a=b c'<d>#[%]{|}~^\\"; }
            location /refresh/plain { msie_refresh on; return 307 /to; }
            location /kept { keepalive_disable safari msie6; return 200 "kept"; }
        }"#,
    )
    .answers(&asks)
    .await;
}

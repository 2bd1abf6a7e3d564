//! proxy_pass: what is sent on, and what is let back.

use super::compare::{alike, echo};

#[tokio::test]
async fn uris() {
    alike(
        r#"
        upstream named { server 127.0.0.1:8090; }
        server {
            listen 127.0.0.1:8080;
            set $target 127.0.0.1:8090;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /slash/ { proxy_pass http://127.0.0.1:8090/; }
            location /path/ { proxy_pass http://127.0.0.1:8090/other/; }
            location /noslash { proxy_pass http://127.0.0.1:8090/other; }
            location /half/ { proxy_pass http://127.0.0.1:8090/other; }
            location = /exact { proxy_pass http://127.0.0.1:8090/elsewhere?x=1; }
            location /named/ { proxy_pass http://named/n/; }
            location /plain/ { proxy_pass http://named; }
            location ~ ^/regex/(.*)$ { proxy_pass http://127.0.0.1:8090; }
            location ~ ^/capture/(.*)$ { proxy_pass http://127.0.0.1:8090/to/$1; }
            location ~ ^/captureargs/(.*)$ { proxy_pass http://127.0.0.1:8090/to/$1$is_args$args; }
            location /variable/ { proxy_pass http://$target; }
            location /variableuri/ { proxy_pass http://$target/fixed/; }
            location /requesturi/ { proxy_pass http://$target$request_uri; }
            location /uri/ { proxy_pass http://$target$uri; }
            location /upstreamvariable/ { set $u named; proxy_pass http://$u; }
            location /break/ { rewrite ^/break/(.*)$ /new/$1 break; proxy_pass http://127.0.0.1:8090; }
            location /breakuri/ { rewrite ^/breakuri/(.*)$ /new/$1 break; proxy_pass http://127.0.0.1:8090/ignored/; }
            location /breakargs/ { rewrite ^/breakargs/(.*)$ /new/$1?a=1 break; proxy_pass http://127.0.0.1:8090; }
            location /last/ { rewrite ^/last/(.*)$ /slash/$1 last; }
            location /argsin/ { proxy_pass http://127.0.0.1:8090/x?fixed=1; }
            location /if/ { if ($arg_x) { proxy_pass http://127.0.0.1:8090; } proxy_pass http://127.0.0.1:8090; }
            location /try/ { try_files /nothing @app; }
            location @app { proxy_pass http://127.0.0.1:8090; }
            location /limited/ { limit_except GET { proxy_pass http://127.0.0.1:8090; } return 204; }
        }"#,
    )
    .with_backend(8090, echo(&[]).await)
    .mainline()
    .answers(&[
        "/", "/a/../b", "/a%20b?c=%20d", "//a//b", "/%2e%2e/x", "/ä", "/a%2fb", "/x?", "/x?a?b",
        "/slash/", "/slash/a/b?c", "/slash/a%20b", "/slash/a%2fb", "/slash//x", "/slash/%3fa%25b",
        "/slash/ä", "/slash/%0d%0aX:1", "/slash/a+b", "/slash/a%2bb;c", "/slash/../slash/x",
        "/path/x", "/path/", "/path", "/noslash/x", "/noslashx", "/half/x", "/exact", "/exact?y=2",
        "/named/x", "/plain/x%20y", "/regex/a%20b", "/capture/a%20b?q=1", "/captureargs/a?q=1",
        "/variable/a%20b?c", "/variableuri/a?b", "/requesturi/a%20b?c", "/uri/a%20b?c", "/uri/ab",
        "/upstreamvariable/x", "/break/a%20b?q=1", "/breakuri/a", "/breakargs/a?b=2", "/last/a%20b",
        "/argsin/a?b=1", "/if/a%20b?x=1", "/try/a%20b/../c?q",
        "GET http://localhost/a%20b/../c?d HTTP/1.1", "GET http://localhost/slash/a%20b?d HTTP/1.1",
        "OPTIONS * HTTP/1.1", "GET /%zz", "HEAD /x", "PUT /slash/x || body",
    ])
    .await;
}

#[tokio::test]
async fn request_fields() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /usual/ {
                proxy_set_header Host $host;
                proxy_set_header X-Real-IP $remote_addr;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_set_header X-Forwarded-Proto $scheme;
                proxy_pass http://127.0.0.1:8090;
            }
            location /httphost/ { proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:8090; }
            location /proxyhost/ { proxy_set_header Host $proxy_host:$proxy_port; proxy_pass http://127.0.0.1:8090; }
            location /empty/ { proxy_set_header Accept-Encoding ""; proxy_set_header X-None $arg_none; proxy_pass http://127.0.0.1:8090; }
            location /twice/ { proxy_set_header X-A 1; proxy_set_header X-A 2; proxy_set_header Host one; proxy_set_header Host two; proxy_pass http://127.0.0.1:8090; }
            location /over/ { proxy_set_header user-agent mine; proxy_pass http://127.0.0.1:8090; }
            location /old/ { proxy_http_version 1.0; proxy_pass http://127.0.0.1:8090; }
            location /old11/ { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://127.0.0.1:8090; }
            location /keep/ { proxy_set_header Connection keep-alive; proxy_pass http://127.0.0.1:8090; }
            location /nobody/ { proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass http://127.0.0.1:8090; }
            location /noheaders/ { proxy_pass_request_headers off; proxy_pass http://127.0.0.1:8090; }
            location /method/ { proxy_method POST; proxy_pass http://127.0.0.1:8090; }
            location /body/ { proxy_set_body "fixed $request_method"; proxy_pass http://127.0.0.1:8090; }
            location /outer/ { proxy_set_header X-Outer 1; location /outer/inner/ { proxy_set_header X-Inner 1; proxy_pass http://127.0.0.1:8090; } location /outer/same/ { proxy_pass http://127.0.0.1:8090; } }
        }"#,
    )
    .with_backend(8090, echo(&[]).await)
    .mainline()
    .answers(&[
        "/ | Host: example.com:81 | User-Agent: ua | Accept: */* | X-Own: 1",
        "/ | X-A: 1 | X-A: 2 | Cookie: a=b | Cookie: c=d",
        "/ | Connection: keep-alive, X-Hop | X-Hop: 1 | Keep-Alive: 5 | TE: trailers | Upgrade: x",
        "/ | Expect: 100-continue | Connection: close",
        "/ | X_Under: 1 | Proxy: evil | Range: bytes=0-1 | If-Modified-Since: x | If-None-Match: y",
        "/ HTTP/1.0", "/ HTTP/1.0 | Host: -", "POST / | Content-Type: text/x || abc",
        "/usual/ | Host: Example.com:99", "/usual/ | X-Forwarded-For: 1.1.1.1 | X-Real-IP: spoofed | X-Forwarded-Proto: spoofed",
        "/usual/ HTTP/1.0 | Host: -",
        "/httphost/ | Host: Example.com:99", "/httphost/ HTTP/1.0 | Host: -", "/proxyhost/",
        "/empty/ | Accept-Encoding: gzip | X-None: x", "/empty/?none=1", "/twice/ | X-A: client",
        "/over/ | User-Agent: theirs", "/old/ | Connection: keep-alive", "/old11/", "/keep/",
        "POST /nobody/ || abc", "POST /noheaders/ | X-A: 1 || abc", "/method/", "/body/", "POST /body/ || x",
        "/outer/inner/", "/outer/same/",
    ])
    .await;
}

#[tokio::test]
async fn response_fields() {
    let backend = echo(&[
        ("/all", "HTTP/1.1 200 OK\r\nServer: app\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 1\r\nX-Pad: x\r\nX-Accel-Foo: 1\r\nX-Own: 1\r\nX-Own: 2\r\nset-cookie: a=b; Path=/; Domain=app\r\nETag: \"e\"\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nVary: x\r\nCache-Control: no-cache\r\nExpires: 0\r\nAccept-Ranges: bytes\r\nWWW-Authenticate: Basic\r\nLink: <x>\r\n\r\nx"),
        ("/reason", "HTTP/1.1 299 Very Fine\r\nContent-Length: 0\r\n\r\n"),
        ("/noreason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
        ("/old", "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end"),
        ("/close", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end"),
        ("/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n"),
        ("/204", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"),
        ("/304", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
        ("/early", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ("/100", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ("/charset", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Length: 1\r\n\r\nx"),
        ("/notype", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
        ("/short", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"),
        ("/lf", "HTTP/1.1 200 OK\nContent-Length: 1\nX-A: lf\n\nx"),
        ("/ranges", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nAccept-Ranges: bytes\r\nETag: \"r\"\r\n\r\n0123456789"),
        ("/header", "HTTP/1.1 200 OK\r\nX-Under_score: 1\r\nX-Empty:\r\nx-LOWER: 1\r\nContent-Length: 0\r\n\r\n"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /hide/ { proxy_hide_header X-Own; proxy_hide_header set-cookie; proxy_pass http://127.0.0.1:8090/; }
            location /pass/ { proxy_pass_header Server; proxy_pass_header Date; proxy_pass_header X-Pad; proxy_pass http://127.0.0.1:8090/; }
            location /add/ { add_header X-Own 3; add_header Cache-Control public; expires max; proxy_pass http://127.0.0.1:8090/; }
            location /charset/ { charset utf-8; proxy_pass http://127.0.0.1:8090/; }
            location /off/ { proxy_buffering off; proxy_pass http://127.0.0.1:8090/; }
            location /v10/ { proxy_http_version 1.0; proxy_pass http://127.0.0.1:8090/; }
            location /force/ { proxy_force_ranges on; proxy_pass http://127.0.0.1:8090/; }
        }"#,
    )
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "/all", "HEAD /all", "/hide/all", "/pass/all", "/add/all", "/charset/all", "/reason", "/noreason",
        "/old", "/close", "/chunked", "/chunked HTTP/1.0", "/204", "/304", "/100",
        "/charset", "/charset/charset", "/charset/notype", "/notype", "/short", "/lf", "/off/all",
        "/off/chunked", "/off/old", "/v10/all", "/v10/old", "/ranges | Range: bytes=0-1",
        "/force/all | Range: bytes=0-0", "/force/ranges | Range: bytes=0-0,2-2", "/header",
        "HEAD /chunked", "HEAD /old", "/ranges | If-None-Match: \"r\"", "/all | If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT",
    ])
    .await;
}

#[tokio::test]
async fn what_cannot_be_an_answer_is_a_502() {
    let backend = echo(&[
        ("/none", ""),
        ("/badlength", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        ("/twolengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"),
        (
            "/both",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("/coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx"),
        ("/badheader", "HTTP/1.1 200 OK\r\nBad Header\r\n\r\n"),
        ("/nul", "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 0\r\n\r\n"),
        ("/half", "HTTP/1.1 200 OK\r\nX-A: a"),
        ("/folded", "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
        ("/space", "HTTP/1.1 200 OK\r\nX-A : a\r\nContent-Length: 0\r\n\r\n"),
        ("/crcrlf", "HTTP/1.1 200 OK\r\nX-A: a\r\n\r\r\nContent-Length: 5\r\n\r\nhello"),
        ("/crcr", "HTTP/1.1 200 OK\r\nX-A: a\r\r\nContent-Length: 0\r\n\r\n"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /page/ { error_page 502 =200 /sorry; proxy_pass http://127.0.0.1:8090/; }
            location = /sorry { return 200 "sorry $upstream_status"; }
            location /dead { proxy_pass http://127.0.0.1:8098; }
        }"#,
    )
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "/none",
        "/page/none",
        "POST /none || abc",
        "HEAD /none",
        "/badlength",
        "/twolengths",
        "/both",
        "/coding",
        "/badheader",
        "/nul",
        "/half",
        "/folded",
        "/space",
        "/crcrlf",
        "/crcr",
        "/dead",
    ])
    .await;
}

#[tokio::test]
async fn redirects_and_cookies() {
    let backend = echo(&[
        ("/own", "HTTP/1.1 302 Found\r\nLocation: http://{host}/other/x\r\nContent-Length: 0\r\n\r\n"),
        ("/named", "HTTP/1.1 302 Found\r\nLocation: http://app.local:9000/two/x?y\r\nContent-Length: 0\r\n\r\n"),
        ("/root", "HTTP/1.1 301 Moved\r\nLocation: /two/x\r\nContent-Length: 0\r\n\r\n"),
        ("/relative", "HTTP/1.1 302 Found\r\nLocation: x/y\r\nContent-Length: 0\r\n\r\n"),
        ("/refresh", "HTTP/1.1 200 OK\r\nRefresh: 5; url=http://app.local:9000/two/x\r\nContent-Length: 0\r\n\r\n"),
        ("/created", "HTTP/1.1 201 Made\r\nLocation: http://app.local:9000/two/x\r\nContent-Length: 0\r\n\r\n"),
        ("/cookie", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/app/x; Domain=app.local; HttpOnly\r\nSet-Cookie: c=d; path=/other\r\nSet-Cookie: e=f; domain=.APP.local; secure\r\nSet-Cookie: plain\r\nContent-Length: 0\r\n\r\n"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            server_name front.local;
            location / { proxy_pass http://127.0.0.1:8090; }
            location /default/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect default; }
            location /off/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect off; }
            location /two/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect http://app.local:9000/two/ /two/; }
            location /slash/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect http://app.local:9000/two/ /; }
            location /absolute/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect http://app.local:9000/ http://$host:$server_port/; }
            location /regex/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect ~^(http://)([^:]+):\d+(/.+)$ $1$2$3; }
            location /iregex/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect ~*APP\.(?<rest>.*)$ http://new.$rest; }
            location /prefix/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect / /prefix/; }
            location /many/ { proxy_pass http://127.0.0.1:8090/; proxy_redirect http://no/ /1/; proxy_redirect http://app.local:9000/ /2/; }
            location /cookies/ { proxy_pass http://127.0.0.1:8090/; proxy_cookie_path /app/ /; proxy_cookie_domain app.local front.local; }
            location /cookies2/ { proxy_pass http://127.0.0.1:8090/; proxy_cookie_path ~^/(.+)$ "/new/$1; SameSite=Lax"; proxy_cookie_domain .app.local $host; }
            location /said/ { proxy_pass http://127.0.0.1:8090/; proxy_cookie_flags a $arg_one HttpOnly $arg_two; }
            location /flags/ { proxy_pass http://127.0.0.1:8090/; proxy_cookie_flags a secure samesite=strict; proxy_cookie_flags ~^[ce]$ httponly nosecure; }
        }"#,
    )
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "/own", "/named", "/root", "/relative", "/refresh", "/default/own", "/default/named", "/off/own",
        "/two/named | Host: front.local", "/two/refresh", "/two/created", "/slash/named", "/absolute/named | Host: front.local",
        "/regex/named", "/iregex/named", "/prefix/root", "/prefix/relative", "/many/named", "/cookie",
        "/cookies/cookie", "/cookies2/cookie | Host: x.local", "/flags/cookie",
        "/said/cookie?one=Secure&two=samesite=lax", "/said/cookie?one=nonsense",
    ])
    .await;
}

//! sub_filter and addition: text that is replaced, and what stands around a page.

use super::compare::{alike, echo};

#[tokio::test]
async fn replaced_texts() {
    let page = "<html><head></head><body>Hello hello HELLO world</body></html>";
    let long = format!("{}needle{}", "hay ".repeat(40_000), " hay".repeat(40_000));
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /once/ { sub_filter hello Bye; }
            location /all/ { sub_filter hello Bye; sub_filter_once off; }
            location /two/ { sub_filter Hello 1; sub_filter world 2; sub_filter o 3; sub_filter_once off; }
            location /order/ { sub_filter hel X; sub_filter hello Y; sub_filter_once off; }
            location /twice/ { sub_filter hello A; sub_filter hello B; }
            location /variable/ { sub_filter $arg_from "[$uri]"; sub_filter </body> "<!-- $args --></body>"; }
            location /delete/ { sub_filter hello ""; sub_filter_once off; }
            location /modified/ { sub_filter hello Bye; sub_filter_last_modified on; }
            location /types/ { sub_filter hello Bye; sub_filter_types text/plain; }
            location /any/ { sub_filter hello Bye; sub_filter_types *; }
            location /gzip/ { sub_filter hello Bye; gzip on; }
            location /long/ { sub_filter needle PIN; }
            location /inherit/ { sub_filter_once off; sub_filter hello Bye;
                location /inherit/own/ { sub_filter world Mars; } }
            location /return { default_type text/html; sub_filter hello Bye; return 200 "hello"; }
            location /error { sub_filter nginx other; sub_filter tidegate other; sub_filter_once off; return 404; }
            location /none { default_type text/html; sub_filter hello Bye; return 204; }
        }"#,
    )
    .with_file("once/a.html", page)
    .with_file("once/a.txt", page)
    .with_file("once/empty.html", "")
    .with_file("all/a.html", page)
    .with_file("two/a.html", page)
    .with_file("order/a.html", page)
    .with_file("twice/a.html", page)
    .with_file("variable/a.html", page)
    .with_file("delete/a.html", page)
    .with_file("delete/b.html", "hello")
    .with_file("modified/a.html", page)
    .with_file("types/a.txt", page)
    .with_file("types/a.html", page)
    .with_file("any/a.png", page)
    .with_file("gzip/a.html", page)
    .with_file("long/a.html", &long)
    .with_file("inherit/a.html", page)
    .with_file("inherit/own/a.html", page)
    .without_logs()
    .every_module()
    .answers(&[
        "/once/a.html", "/once/a.txt", "/once/empty.html", "HEAD /once/a.html",
        "/once/a.html HTTP/1.0", "/once/a.html | Range: bytes=0-3",
        "/once/a.html | If-None-Match: *",
        "/once/a.html | If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT",
        "/all/a.html", "/two/a.html", "/order/a.html", "/twice/a.html",
        "/variable/a.html", "/variable/a.html?from=hello", "/variable/a.html?from=WORLD",
        "/delete/a.html", "/delete/b.html", "/modified/a.html", "HEAD /modified/a.html",
        "/types/a.txt", "/types/a.html", "/any/a.png", "/gzip/a.html | Accept-Encoding: gzip",
        "/gzip/a.html", "/long/a.html", "/inherit/a.html", "/inherit/own/a.html", "/return", "/none",
    ])
    .await;
}

#[tokio::test]
async fn replaced_in_answers_of_upstreams() {
    let backend = echo(&[
        ("/cut", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxne\r\n3\r\need\r\n4\r\nle y\r\n2\r\nne\r\n0\r\n\r\n"),
        ("/length", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nETag: \"a\"\r\nLast-Modified: Tue, 02 Jan 2024 03:04:05 GMT\r\nAccept-Ranges: bytes\r\n\r\nneedle"),
        ("/encoded", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br\r\nContent-Length: 6\r\n\r\nneedle"),
        ("/charset", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\r\nneedle"),
        ("/broken", "HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nneedle"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            sub_filter needle PIN;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            location / { proxy_pass http://127.0.0.1:8090; }
        }"#,
    )
    .with_backend(8090, backend)
    .without_logs()
    .every_module()
    .answers(&["/cut?HTTP/1.0", "/length", "/encoded", "/charset", "/broken"])
    .await;
}

#[tokio::test]
async fn added_around_a_page() {
    let backend = echo(&[
        ("/header", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<up>h>\n"),
        ("/page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nETag: \"x\"\r\nAccept-Ranges: bytes\r\n\r\npage"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            location /both/ { add_before_body /before.txt; add_after_body /after.txt; }
            location /before/ { add_before_body /before.txt; }
            location /after/ { add_after_body /after.txt; addition_types text/plain; }
            location /empty/ { add_before_body ""; add_after_body /after.txt; }
            location /missing/ { add_before_body /no.txt; error_page 404 =200 /sorry.txt; }
            location /missing-plain/ { add_before_body /empty.txt; }
            location /upstream/ { add_before_body /proxied/header; add_after_body /return; proxy_pass http://127.0.0.1:8090/page; }
            location /proxied/ { internal; proxy_pass http://127.0.0.1:8090/; }
            location /return { return 200 "method $request_method uri $uri request $request_uri\n"; }
            location /gzip/ { gzip on; add_after_body /after.txt; }
            location /sub/ { sub_filter page PAGE; sub_filter_once off; sub_filter_types *; add_after_body /sub/after.txt; }
            location /not-ok { default_type text/html; add_after_body /after.txt; return 404 "gone"; }
            location /own { default_type text/html; add_after_body /after.txt; return 200 "text"; }
            location /loop/ { add_after_body /loop/a.html; }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("before.txt", "before\n")
    .with_file("after.txt", "after page\n")
    .with_file("empty.txt", "")
    .with_file("sorry.txt", "sorry\n")
    .with_file("both/a.html", "page\n")
    .with_file("both/a.txt", "page\n")
    .with_file("before/a.html", "page\n")
    .with_file("after/a.html", "page\n")
    .with_file("after/a.txt", "page\n")
    .with_file("empty/a.html", "page\n")
    .with_file("missing/a.html", "page\n")
    .with_file("missing-plain/a.html", "page\n")
    .with_file("gzip/a.html", "page page page page page page\n")
    .with_file("sub/a.html", "page\n")
    .with_file("sub/after.txt", "after page\n")
    .with_file("loop/a.html", "page\n")
    .without_logs()
    .every_module()
    .answers(&[
        "/both/a.html", "/both/a.txt", "HEAD /both/a.html", "/both/a.html HTTP/1.0",
        "/both/a.html | Range: bytes=0-3", "/both/a.html | If-None-Match: *", "/before/a.html",
        "/after/a.html", "/after/a.txt", "/empty/a.html", "/missing/a.html", "/missing-plain/a.html",
        "/upstream/", "/gzip/a.html | Accept-Encoding: gzip", "/sub/a.html", "/not-ok", "/own",
        "/own?a=b", "/loop/a.html",
    ])
    .await;
}

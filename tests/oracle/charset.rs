//! charset: names that are added, and what is converted.

use super::compare::{alike, echo};

const MAPS: &str = r#"
    charset_map koi8-r windows-1251 { C1 E0; D1 FF; A3 B8; }
    charset_map koi8-r utf-8 { C1 D0B0; D1 D18F; A3 D191; 80 E282AC; }
    map $arg_cs $cs { koi koi8-r; win windows-1251; utf utf-8; default ""; }
"#;

#[tokio::test]
async fn conversions() {
    let koi: &[u8] = b"<p>\xc1\xd1\xa3\x80\xff plain";
    let utf = "<p>аяё€😀ж plain".as_bytes();
    let backend = echo(&[
        ("/named", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Length: 5\r\n\r\nplain"),
        ("/quoted", "HTTP/1.1 200 OK\r\nContent-Type: text/html; a=b; charset=\"utf-8\"\r\nContent-Length: 8\r\n\r\nплюс"),
        ("/cut", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nа\r\n2\r\nя\r\n0\r\n\r\n"),
        ("/unknown", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=big5\r\nContent-Length: 5\r\n\r\nplain"),
        ("/encoded", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nplain"),
        ("/bare", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nplain"),
        ("/typeless", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"),
    ])
    .await;
    alike(&format!(
        r#"{MAPS} server {{
            listen 127.0.0.1:8080;
            root html;
            location /same/ {{ charset koi8-r; source_charset koi8-r; }}
            location /win/ {{ charset windows-1251; source_charset koi8-r; }}
            location /back/ {{ charset koi8-r; source_charset windows-1251; }}
            location /utf/ {{ charset utf-8; source_charset koi8-r; }}
            location /from/ {{ charset koi8-r; source_charset utf-8; }}
            location /off/ {{ charset off; source_charset koi8-r; }}
            location /only/ {{ charset koi8-r; charset_types text/css; }}
            location /up/ {{ charset utf-8; proxy_pass http://127.0.0.1:8090/; }}
            location /override/ {{ charset utf-8; override_charset on; proxy_pass http://127.0.0.1:8090/; }}
            location /koi/ {{ charset koi8-r; override_charset on; proxy_pass http://127.0.0.1:8090/; }}
            location /redirect {{ charset utf-8; source_charset koi8-r; return 301 /x; }}
            location /text {{ charset utf-8; source_charset koi8-r; return 200 "plain"; }}
            location /dynamic/ {{ charset $cs; source_charset koi8-r; }}
        }}"#
    ))
    .with_backend(8090, backend)
    .with_file("same/a.html", koi)
    .with_file("win/a.html", koi)
    .with_file("win/a.png", koi)
    .with_file("back/a.html", b"\xe0\xff\xb8")
    .with_file("utf/a.html", koi)
    .with_file("utf/empty.html", "")
    .with_file("from/a.html", utf)
    .with_file("from/bad.html", b"a\xd0b\xff\xd1\x8fc\xd1")
    .with_file("off/a.html", koi)
    .with_file("only/a.html", koi)
    .with_file("only/a.css", koi)
    .with_file("dynamic/a.html", koi)
    .without_logs()
    .answers(&[
        "/same/a.html", "/win/a.html", "/win/a.png", "HEAD /win/a.html", "/back/a.html", "/utf/a.html",
        "HEAD /utf/a.html", "/utf/a.html HTTP/1.0", "/utf/empty.html", "/utf/a.html | Range: bytes=0-3",
        "/from/a.html", "/from/bad.html", "/off/a.html", "/only/a.html", "/only/a.css",
        "/up/named", "/up/quoted", "/up/unknown", "/up/encoded", "/up/bare", "/up/typeless",
        "/override/named", "/override/quoted", "/override/unknown", "/override/encoded",
        "/override/bare", "/override/cut", "/koi/cut", "/koi/named", "/koi/quoted", "/redirect", "/text",
        "/dynamic/a.html?cs=koi", "/dynamic/a.html?cs=win", "/dynamic/a.html?cs=utf",
        "/missing",
    ])
    .await;
}

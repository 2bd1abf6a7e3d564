//! URIs: decoded, normalised, and put together again.

use super::compare::alike;

#[tokio::test]
async fn decoding_and_normalising() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location / { return 200 "$uri|$args|$request_uri|$is_args"; }
            location /a/b { return 200 "a b: $uri"; }
        }"#,
    )
    .answers(&[
        "/a/./b",
        "/a/x/../b",
        "/a//b",
        "/a///b//",
        "/./a/b",
        "/a/b/.",
        "/a/b/..",
        "/a/b/../..",
        "/..",
        "/../x",
        "/a/../../x",
        "/%2e%2e/x",
        "/a/%2e%2e/b",
        "/a%2fb",
        "/a%2Fb/../c",
        "/a/.%2e/b",
        "/...",
        "/a/.../b",
        "/.hidden",
        "/a/..b",
        "/a/b..",
        "/%41%42",
        "/%zz",
        "/%",
        "/%4",
        "/%00",
        "/a%00b",
        "/%0a",
        "/%0d%0a",
        "/%20",
        "/a+b",
        "/a%2bb",
        "/%C3%A4",
        "/%ff",
        "/a%25b",
        "/a%2525b",
        "/a%3fb?c=d",
        "/a%23b",
        "/a?b=%20c&d",
        "/a?",
        "/?",
        "/a??b",
        "/a?b?c",
        "/a#b",
        "/a?x#y",
        "/a%5cb",
        "/a\\b",
        "/a;b=c",
        "/a:b",
        "//a",
        "///",
        "/a/b;x/../c",
        "/a?%",
        "/a?%zz",
        "/a?../x",
        "/~user/",
        "/a%7e",
        "/\"quoted\"",
        "/<tag>",
        "/a|b",
        "/{}",
        "GET http://localhost/a/../b?c HTTP/1.1",
        "GET http://localhost HTTP/1.1",
        "GET http://localhost?x=1 HTTP/1.1",
        "GET https://localhost/x HTTP/1.1",
        "GET HTTP://LOCALHOST/x HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET * HTTP/1.1",
        "GET localhost/x HTTP/1.1",
        "GET x HTTP/1.1",
        "GET ?x HTTP/1.1",
        "GET http:/x HTTP/1.1",
        "GET ftp://localhost/x HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://local_host:80/x HTTP/1.1",
        "GET http://localhost:/x HTTP/1.1",
        "GET http://user@localhost/x HTTP/1.1",
        "GET http://[::1]/x HTTP/1.1",
    ])
    .await;
}

#[tokio::test]
async fn slashes_are_kept_where_told() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            merge_slashes off;
            location / { return 200 "$uri"; }
            location /a/b { return 200 "a b: $uri"; }
        }"#,
    )
    .answers(&["/a//b", "/a/b//", "//a/b", "/a/.//b", "/a//../b", "/a/b"])
    .await;
}

#[tokio::test]
async fn arguments_and_captures() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location /args { return 200 "$arg_a|$arg_A|$arg_b|$arg_long_name|$args|$query_string|$is_args"; }
            location ~ ^/capture/(?<first>[^/]*)/(?P<second>[^/]*)/?(.*)$ { return 200 "$first|$second|$1|$2|$3|$4"; }
            location ~ "^/braces/\d{2,3}$" { return 200 "braces"; }
            location ~* ^/UPPER/(?:x|y)(?=z) { return 200 "look ahead"; }
            location ~ ^/behind/.*(?<!no)$ { return 200 "look behind"; }
            location ~ \/escaped\/slash { return 200 "escaped"; }
            location ~ ^/utf/(.)$ { return 200 "one byte: $1"; }
            location ~ ^/utf/(..)$ { return 200 "two bytes: $1"; }
            location /setargs { set $args "new=1"; return 200 "$args|$arg_new|$arg_a|$request_uri"; }
            location / { return 200 "none: $1 $uri"; }
        }"#,
    )
    .answers(&[
        "/args?a=1&b=2", "/args?A=1", "/args?b=2&a=1&a=3", "/args?xa=1&a=2", "/args?a", "/args?a=",
        "/args?&&a=1", "/args?long_name=%20x", "/args", "/args?", "/args?a=1;b=2", "/args?b=a=1",
        "/capture/a/b", "/capture/a/b/c/d", "/capture/%20/%2F/x", "/braces/12", "/braces/1234",
        "/upper/xz", "/upper/zz", "/behind/yes", "/behind/no", "/escaped/slash", "/utf/%C3%A4",
        "/utf/a", "/setargs?a=1", "/x",
    ])
    .await;
}

/// Every tail behind every prefix.
fn behind(prefixes: &[&str], tails: &[&str]) -> Vec<String> {
    prefixes
        .iter()
        .flat_map(|prefix| tails.iter().map(move |tail| format!("{prefix}{tail}")))
        .collect()
}

#[tokio::test]
async fn every_shape_in_every_kind_of_location() {
    let backend = super::compare::echo(&[]).await;
    let prefixes = [
        "/exact",
        "/prefix/",
        "/noslash",
        "/alias/",
        "/aliasbare",
        "/regex/",
        "/Case/",
        "/nested/",
        "/strong/",
        "/app/",
        "/appbare",
        "/appuri/",
        "/try/",
        "/rewrite/",
        "/set/",
        "/capture/",
    ];
    let tails = [
        "",
        "/",
        "a",
        "a/",
        "/a",
        "a.txt",
        "./a.txt",
        "../a.txt",
        "x/../a.txt",
        "%61.txt",
        "a%2etxt",
        "a%20b",
        "%2e%2e/a",
        "a//b",
        "a?x=1&y",
        "?x",
        "a%3Fb?c",
        "a%23",
        "ä",
        "%C3%A4",
        "a;b",
        "a+b",
        "x.PHP",
        "x.php?y=z",
        "..",
        "../",
        "..;/",
        "a%00b",
        "a/%2e%2e%2f",
        "%25",
        "a\\b",
        "dir",
        "dir/",
    ];
    let asks = behind(&prefixes, &tails);
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            index index.html a.txt;
            location = /exact { return 200 "exact $uri|$args"; }
            location /prefix/ { return 200 "prefix $uri|$args"; }
            location /noslash { try_files $uri =404; }
            location /alias/ { alias html/files/; }
            location /aliasbare { alias html/files; }
            location ~ ^/regex/(.*)\.php$ { return 200 "regex [$1] $uri"; }
            location ~* /case/(?<rest>.*) { return 200 "case [$rest] $uri"; }
            location /nested/ { return 200 "outer $uri"; location /nested/a { return 200 "inner $uri"; } location ~ \.txt$ { return 200 "inner regex $uri"; } }
            location ^~ /strong/ { return 200 "strong $uri"; }
            location /app/ { proxy_pass http://127.0.0.1:8090; }
            location /appbare { proxy_pass http://127.0.0.1:8090/to; }
            location /appuri/ { proxy_pass http://127.0.0.1:8090/to/; }
            location /try/ { alias html/files/; try_files $uri $uri/ /set$uri?q=$args; }
            location /rewrite/ { rewrite ^/rewrite/(.*)$ /set/$1?r=$1 last; }
            location /set/ { set $kept $uri; return 200 "$kept|$request_uri|$args|$arg_x"; }
            location ~ ^/capture/(\w*)(.*)$ { return 302 /x/$1?y=$2; }
        }"#,
    )
    .with_file("files/a.txt", "A")
    .with_file("files/a b", "space")
    .with_file("files/dir/index.html", "index")
    .with_file("noslash/a.txt", "noslash")
    .with_file("a.txt", "root")
    .with_backend(8090, backend)
    .answers(&asks)
    .await;
}

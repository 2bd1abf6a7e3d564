//! map, and allow and deny.

use super::compare::alike;

#[tokio::test]
async fn maps() {
    alike(
        r#"
        map $arg_x $plain { default "none"; a "A"; b "B $arg_y"; "" "empty"; c $arg_y; "quoted key" "quoted"; \default "the word"; }
        map $arg_x $nodefault { a 1; }
        map $http_upgrade $connection_upgrade { default upgrade; '' close; }
        map $host $by_host { hostnames; default "other"; .example.com "dotted"; *.star.org "star"; mail.* "mail"; exact.star.org "exact"; }
        map $arg_x $by_expression { default 0; ~^(?<word>[a-z]+)\d$ "word $word"; ~*^upper "any case"; "~^q(.*)$" "rest $1"; a "exact"; }
        map $arg_x$arg_y $joined { ab "joined"; }
        map $uri $chained { default $plain; }
        map $arg_x $stay { volatile; default "v"; }
        map $args $included { include rules.map; default "not included"; }
        server {
            listen 127.0.0.1:8080;
            location / { return 200 "$plain|$nodefault|$by_expression|$joined|$chained|$stay|$included"; }
            location /host { return 200 "$by_host"; }
            location /upgrade { return 200 "$connection_upgrade"; }
        }"#,
    )
    .with_prefix_file("rules.map", "x=a \"from the file\";\nx=B other;\n")
    .answers(&[
        "/?x=a", "/?x=A", "/?x=b&y=2", "/?x=c&y=3", "/", "/?x=default", "/?x=abc1", "/?x=UPPER",
        "/?x=qrs", "/?x=a&y=b", "/?x=zz", "/?x=quoted%20key", "/host | Host: example.com",
        "/host | Host: www.example.com", "/host | Host: x.star.org", "/host | Host: star.org",
        "/host | Host: exact.star.org", "/host | Host: mail.x", "/host | Host: z",
        "/upgrade", "/upgrade | Upgrade: websocket", "/upgrade | Upgrade:",
    ])
    .await;
}

#[tokio::test]
async fn access_by_address() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /allowed/ { allow 127.0.0.1; deny all; }
            location /denied/ { deny 127.0.0.1; allow all; }
            location /network/ { allow 127.0.0.0/8; deny all; }
            location /other/ { allow 10.0.0.0/8; allow 192.168.1.1; deny all; }
            location /order/ { deny all; allow 127.0.0.1; }
            location /open/ { allow 10.0.0.0/8; }
            location /outer/ { deny all; location /outer/inner/ { allow all; } location /outer/same/ { } }
            location /return/ { deny all; return 200 "return comes first"; }
            location /page/ { deny all; error_page 403 = @page; }
            location @page { allow all; return 200 "page"; }
            location /six/ { allow ::1; allow 2001:db8::/32; deny all; }
        }"#,
    )
    .with_file("allowed/a", "a")
    .with_file("denied/a", "a")
    .with_file("network/a", "a")
    .with_file("other/a", "a")
    .with_file("order/a", "a")
    .with_file("open/a", "a")
    .with_file("outer/inner/a", "a")
    .with_file("outer/same/a", "a")
    .answers(&[
        "/allowed/a", "/denied/a", "/network/a", "/other/a", "/order/a", "/open/a", "/outer/a",
        "/outer/inner/a", "/outer/same/a", "/return/a", "/page/a", "/six/a", "/allowed/missing",
        "/denied/missing",
    ])
    .await;
}

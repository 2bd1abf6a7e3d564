//! listen and server_name: which server block answers.

use super::compare::alike;

#[tokio::test]
async fn names_in_their_order_of_worth() {
    alike(
        r#"
        server { listen 127.0.0.1:8080; server_name first; return 200 "first"; }
        server { listen 127.0.0.1:8080; server_name exact.example.com; return 200 "exact"; }
        server { listen 127.0.0.1:8080; server_name *.example.com; return 200 "star in front"; }
        server { listen 127.0.0.1:8080; server_name *.deep.example.com; return 200 "longer star"; }
        server { listen 127.0.0.1:8080; server_name mail.*; return 200 "star at the end"; }
        server { listen 127.0.0.1:8080; server_name .dotted.org; return 200 "dotted"; }
        server { listen 127.0.0.1:8080; server_name ~^www\d+\.example\.net$; return 200 "expression"; }
        server { listen 127.0.0.1:8080; server_name ~^(?<user>.+)\.users\.net$; return 200 "user $user"; }
        server { listen 127.0.0.1:8080; server_name ""; return 200 "nameless"; }
        server { listen 127.0.0.1:8080; server_name one two THREE; return 200 "one of $server_name"; }
        "#,
    )
    .answers(&[
        "/ | Host: exact.example.com",
        "/ | Host: EXACT.Example.com",
        "/ | Host: exact.example.com.",
        "/ | Host: exact.example.com:8080",
        "/ | Host: exact.example.com:99",
        "/ | Host: other.example.com",
        "/ | Host: a.b.example.com",
        "/ | Host: a.deep.example.com",
        "/ | Host: deep.example.com",
        "/ | Host: example.com",
        "/ | Host: mail.example.com",
        "/ | Host: mail.ru",
        "/ | Host: mail.",
        "/ | Host: dotted.org",
        "/ | Host: x.dotted.org",
        "/ | Host: xdotted.org",
        "/ | Host: www12.example.net",
        "/ | Host: wwwx.example.net",
        "/ | Host: jo.users.net",
        "/ | Host: JO.users.net",
        "/ | Host: two",
        "/ | Host: three",
        "/ | Host: unknown",
        "/ | Host: 127.0.0.1",
        "/ | Host: [::1]:80",
        "/ HTTP/1.0 | Host: -",
        "GET http://two/ HTTP/1.1 | Host: one",
        "GET http://exact.example.com:1234/x HTTP/1.1 | Host: first",
    ])
    .await;
}

#[tokio::test]
async fn the_default_server_of_a_port() {
    alike(
        r#"
        server { listen 127.0.0.1:8080; server_name a; return 200 "a port $server_port"; }
        server { listen 127.0.0.1:8080 default_server; server_name b; return 200 "b"; }
        server { listen 127.0.0.1:8081; listen 127.0.0.1:8082; server_name c; return 200 "c port $server_port"; }
        server { listen 127.0.0.1:8081; server_name d; return 200 "d $server_addr:$server_port"; }
        server { listen 8083; server_name e; return 200 "e $server_addr"; }
        server { listen 127.0.0.1:8083; server_name f; return 200 "f $server_addr"; }
        "#,
    )
    .answers(&[
        "/ | Host: a",
        "/ | Host: z",
        "@8081 / | Host: z",
        "@8081 / | Host: d",
        "@8082 / | Host: d",
        "@8083 / | Host: e",
        "@8083 / | Host: z",
    ])
    .await;
}

#[tokio::test]
async fn the_name_in_variables_and_redirects() {
    alike(
        r#"
        server {
            listen 127.0.0.1:8080;
            server_name main.example.com alias.example.com;
            root html;
            location /name { return 200 "$server_name $host $http_host"; }
            location /redirect { return 301 /elsewhere; }
            location /named/ { server_name_in_redirect on; }
            location /portless/ { port_in_redirect off; }
            location /relative/ { absolute_redirect off; }
        }
        server {
            listen 127.0.0.1:8080;
            server_name ~^(www\.)?(?<domain>.+)\.de$;
            location / { return 200 "$domain $1 $2 $server_name"; }
        }
        "#,
    )
    .with_file("dir/file", "x")
    .with_file("named/dir/file", "x")
    .with_file("portless/dir/file", "x")
    .with_file("relative/dir/file", "x")
    .answers(&[
        "/name | Host: ALIAS.example.com:8080",
        "/name | Host: nobody",
        "/redirect | Host: alias.example.com",
        "/redirect | Host: Alias.Example.com:7",
        "/dir",
        "/dir?a=b",
        "/named/dir | Host: alias.example.com",
        "/portless/dir",
        "/relative/dir",
        "/relative/dir?x",
        "/dir HTTP/1.0 | Host: -",
        "/ | Host: www.example.de",
        "/ | Host: example.de",
    ])
    .await;
}

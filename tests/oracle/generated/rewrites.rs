//! Configurations of chance: `rewrite`, `if`, `set`, `return`, `try_files`, `error_page` in any order.

use super::{Seed, texts};
use crate::oracle::compare::alike;

const PATTERNS: &[&str] = &[
    "^/l(\\d+)/(.*)$",
    "^",
    "(.*)",
    "/a$",
    "^/l\\d+/a",
    "x",
    "/(a|b)/",
    "^/(?<name>l\\d)",
    "\\.html$",
    "b",
];

const TARGETS: &[&str] = &[
    "/to/$1",
    "/to?$args",
    "/to/$2?",
    "/to/$1?x=$2",
    "/file.html",
    "/folder",
    "/folder/",
    "/missing",
    "/l1/a",
    "/l2/b",
    "/to/$uri",
    "/to/$name",
    "/l3/a?",
    "http://localhost/$1",
    "/to/%20/$1",
    "$scheme://h/$uri",
];

const CONDITIONS: &[&str] = &[
    "$args",
    "$arg_x = 1",
    "$arg_x != 1",
    "$uri ~ a$",
    "$uri !~ a",
    "$uri ~* \"/(A)\"",
    "$http_none",
    "$v",
    "$v = one",
    "-f $request_filename",
    "!-f $request_filename",
    "-d html/folder",
    "-e html/file.html",
    "$request_method = GET",
    "$v ~ ^o",
    "$uri ~ ^/l(\\d+)/(.)",
    "-e $document_root/a",
    "!-e html$uri",
];

fn inner(seed: &mut Seed) -> String {
    match seed.below(9) {
        0 | 1 => format!(
            "rewrite {} {} {};",
            seed.one(PATTERNS),
            seed.one(TARGETS),
            seed.one(&["", "", "last", "break", "redirect", "permanent"])
        ),
        2 | 3 => format!(
            "set $v {};",
            seed.one(&["one", "$1", "\"$v-$1\"", "$arg_x", "\"\"", "0", "$uri"])
        ),
        4 => returned(seed),
        5 => "break;".to_owned(),
        6 => format!("add_header X-In \"{} $v\" always;", seed.below(9)),
        7 => format!("set $w \"${{w}}{}\";", seed.below(9)),
        _ => format!("root {};", seed.one(&["html", "html/folder"])),
    }
}

fn returned(seed: &mut Seed) -> String {
    seed.one(&[
        "return 200 \"$uri|$args|$v|$w|$1|$2|$name\";",
        "return 200 \"$uri|$args|$v|$w\";",
        "return 403;",
        "return 404;",
        "return 301 /to/$v;",
        "return 302 http://h/$1;",
        "return 204;",
        "return 418 \"tea $v\";",
        "return 200;",
        "return 307 /to?$args;",
    ])
    .to_owned()
}

fn statement(seed: &mut Seed) -> String {
    match seed.below(6) {
        0 => {
            let body: String = (0..=seed.below(3)).map(|_| inner(seed)).collect();
            // Some statements stand once in a block.
            if body.matches("root ").count() > 1 {
                return "break;".to_owned();
            }
            format!("if ({}) {{ {body} }}", seed.one(CONDITIONS))
        }
        1..=3 => loop {
            let made = inner(seed);
            if !made.starts_with("root") {
                break made;
            }
        },
        4 => returned(seed),
        _ => String::new(),
    }
}

fn location(seed: &mut Seed, number: usize) -> String {
    let mut body: String = (0..=seed.below(5)).map(|_| statement(seed)).collect();
    body += seed.one(&[
        "",
        "",
        "try_files $uri /file.html;",
        "try_files $uri $uri/ =404;",
        "try_files /none @named;",
        "try_files /x/$v /y =403;",
        "try_files /folder/ /missing;",
        "try_files $uri /to?$args;",
    ]);
    body += seed.one(&[
        "",
        "",
        "error_page 404 /to/error;",
        "error_page 403 404 =200 /file.html;",
        "error_page 404 = @named;",
        "error_page 404 =302 http://h/$v;",
        "error_page 403 =410 /missing;",
        "error_page 418 404 = /to; recursive_error_pages on;",
    ]);
    format!("location /l{number}/ {{ {body} }}\n")
}

/// A configuration with so many locations, and what is asked of each.
async fn compared(seed: u64, locations: usize) {
    let mut seed = Seed(seed);
    let made: String = (0..locations).map(|number| location(&mut seed, number)).collect();
    let server = seed.one(&["", "set $v server;", "rewrite ^/outer/(.*)$ /l1/$1;"]);
    let mut asks = Vec::new();
    for number in 0..locations {
        for path in ["a", "b/a?x=1", "", "a.html?x=2&y", "folder"] {
            asks.push(format!("/l{number}/{path}"));
        }
        asks.push(format!("POST /l{number}/a || body"));
    }
    assert_eq!(asks.len(), locations * 6);
    alike(&format!(
        r#"map $uri $name0 {{ default ""; }}
        server {{
            listen 127.0.0.1:8080;
            root html;
            {server}
            {made}
            location /to {{ return 200 "to $uri|$args|$v|$w|$1|$2|$name|$status"; }}
            location @named {{ return 200 "named $uri|$args|$v|$w|$1"; }}
        }}
        server {{ listen 127.0.0.1:8081; set $v 1; set $w 1; location ~ (?<name>x) {{ return 200; }} }}"#
    ))
    .with_file("file.html", "FILE")
    .with_file("folder/index.html", "INDEX")
    .with_file("a", "A")
    .without_logs()
    .answers(&texts(&asks))
    .await;
}

#[tokio::test]
async fn the_first_forty_locations() {
    compared(11, 40).await;
}

#[tokio::test]
async fn forty_more() {
    compared(12, 40).await;
}

#[tokio::test]
async fn and_forty_more() {
    compared(13, 40).await;
}

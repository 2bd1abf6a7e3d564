//! Many expressions, of which the first that matches counts: locations, maps, names of servers.

use super::{Seed, texts};
use crate::oracle::compare::alike;

/// Of a subject. Each expression holds some; what is rare comes from these.
const TEXTS: &[&str] =
    &["/", "/a", "/b", ".php", ".css", ".js", "x", "ab", "c5", "y", "p", "rr", "s", "z-u", "q."];

/// Of an expression.
const PARTS: &[&str] = &[
    "/a",
    "/b",
    "^/",
    "$",
    r"\.php",
    r"\.(css|js)",
    r"\.(?:PHP|CSS)",
    "(?i)Q",
    "x",
    "(ab|c)",
    "[0-9]",
    "[xy]+",
    "(?!z)",
    "(?=.)",
    "(?<!u)",
    "(?<=/)",
    "(?>a|b)",
    "p?",
    "q*",
    "r+",
    "r{2}",
    ".",
    ".*",
    r"(s)\.?",
    r"\b",
    "(.)",
    r"(?:ab|x)+",
    "(y|zz)?",
    "[^/]",
];

/// So many expressions.
fn expressions(seed: u64, count: usize) -> Vec<String> {
    Seed(seed).asks(count, |seed| seed.some(PARTS, 3))
}

/// Requests for paths that some expressions match and others nearly do.
fn asks(seed: u64, form: impl Fn(&str) -> String) -> Vec<String> {
    Seed(seed).asks(150, |seed| {
        let text = seed.some(TEXTS, 4);
        let text = if seed.below(3) == 0 { text.to_uppercase() } else { text };
        let end = seed.one(&["", "", "", "%0A"]);
        form(&format!("{text}{end}"))
    })
}

#[tokio::test]
async fn of_locations() {
    for (round, count) in [(31, 12), (32, 90), (33, 90)] {
        let location = |(number, expression): (usize, &String)| {
            let sign = if number % 3 == 0 { "~*" } else { "~" };
            format!("location {sign} \"{expression}\" {{ return 200 \"{number}: $1\"; }}\n")
        };
        let locations: String =
            expressions(round, count).iter().enumerate().map(location).collect();
        let conf = format!(
            "server {{ listen 127.0.0.1:8080; {locations} location / {{ return 200 none; }} }}"
        );
        alike(&conf).answers(&texts(&asks(round, |text| format!("/{text}")))).await;
    }
}

#[tokio::test]
async fn of_maps() {
    let pair = |(number, expression): (usize, &String)| {
        let sign = if number % 3 == 0 { "~*" } else { "~" };
        format!("\"{sign}{expression}\" \"{number}: $1\";\n")
    };
    let pairs: String = expressions(41, 90).iter().enumerate().map(pair).collect();
    let conf = format!(
        "map $http_x $found {{ default none; {pairs} }}
         server {{ listen 127.0.0.1:8080; return 200 $found; }}"
    );
    alike(&conf).answers(&texts(&asks(41, |text| format!("/ | X: {text}")))).await;
}

#[tokio::test]
async fn of_names() {
    let server = |(number, expression): (usize, &String)| {
        format!(
            "server {{ listen 127.0.0.1:8080; server_name \"~{expression}\"; return 200 {number}; }}\n"
        )
    };
    let servers: String = expressions(51, 90).iter().enumerate().map(server).collect();
    let conf = format!("server {{ listen 127.0.0.1:8080; return 200 none; }} {servers}");
    alike(&conf)
        .answers(&texts(&asks(51, |text| format!("/ | Host: h{}", text.replace('/', "-")))))
        .await;
}

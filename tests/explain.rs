//! `tidegate explain URL`: what would become of a request, and by which lines.

mod alike;

use std::process::Command;

use serde_json::Value;

use crate::harness::backend::{self, Backend};
use crate::harness::{Tidegate, process};

/// Explains a request to a server's configuration: how it ended, and what it printed.
fn explain(server: &Tidegate, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(process::binary());
    command.arg("explain").arg("-p").arg(server.folder()).args(["-c", "nginx.conf"]).args(words);
    let output = command.current_dir(server.folder()).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code(), server.anonymous(&text))
}

fn explain_json(server: &Tidegate, words: &[&str]) -> Value {
    let (code, text) = explain(server, &[words, &["--format", "json"]].concat());
    assert_eq!(code, Some(0), "{words:?}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn options_may_stand_before_the_word() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start("server { listen 127.0.0.1:8080; return 200 $http_x; }").await;
    let url = format!("http://127.0.0.1:{}/", server.port(8080));
    let folder = server.folder().to_str().unwrap();
    let said = |words: &[&str]| {
        let output = Command::new(process::binary()).args(words).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let place = ["-p", folder, "-c", "nginx.conf", "-g", "worker_processes 1;"];
    for command in
        [&["explain", &*url, "-H", "X: y"][..], &["lint"], &["explain", "--format", "json", &url]]
    {
        let behind = said(&[command, &place].concat());
        assert_eq!(behind.0, Some(0), "{behind:?}");
        assert_eq!(said(&[&place, command].concat()), behind);
        // The options may be parted by the word, and glued to their values.
        let glued = format!("-p{folder}");
        let glued = [&[&*glued], command, &place[2..]].concat();
        assert_eq!(said(&glued), behind);
    }
    let (code, _) = said(&["-p", folder, "-g", "nonsense;", "explain", &url]);
    assert_eq!(code, Some(2), "what -g says is read");
    let output = server.command(&["explain", &url]);
    assert!(output.status.success(), "-e concerns the error log of a server alone: {output:?}");
    // As with the words that ask a running server.
    assert_eq!(said(&["-p", folder, "-c", "nginx.conf", "status"]).0, Some(0));
}

#[tokio::test]
async fn the_way_of_a_request_is_told_line_by_line() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "gzip on;
        add_header X outer;
        upstream app { server 127.0.0.1:8001; server 127.0.0.1:8002 backup; }
        server { listen 127.0.0.1:8080; server_name a.test;
        location / { try_files $uri @app; }
        location /old/ { rewrite ^/old/(.*)$ /new/$1 last; }
        location /new/ { add_header X inner; proxy_pass http://app; }
        location ~ \\.php$ { deny all; }
        location @app { proxy_pass http://app; }
        }",
    )
    .await;
    let port = server.port(8080);
    let (code, text) = explain(&server, &[&format!("http://a.test:{port}/old/x?q")]);
    assert_eq!(code, Some(0), "{text}");
    for piece in [
        "GET http://a.test:8080/old/x?q from 127.0.0.1",
        "server     a.test: its name `a.test` matches the host \"a.test\"  (PREFIX/nginx.conf:",
        "matches: the URI is /new/x?q now",
        "location   /new/: its name is the longest that the URI begins with",
        "what http://app/new/x?q says",
        "server 127.0.0.1:8002",
        "location   ~ \\.php$: the URI does not match",
        "add_header X inner",
        "from http",
    ] {
        assert!(text.contains(piece), "no {piece:?} in\n{text}");
    }
    assert!(!text.contains("add_header X outer"), "{text}");
    let told = explain_json(&server, &[&format!("a.test:{port}/none")]);
    let steps = told["steps"].as_array().unwrap();
    let tried = steps.iter().find(|step| step["what"] == "try_files").unwrap();
    assert!(tried["name"].as_str().unwrap().ends_with("html/none"), "{tried}");
    assert_eq!(tried["told"], "is not there");
    assert_eq!(told["location"]["name"], "location @app");
    assert_eq!(told["answer"]["upstream"]["name"], "app");
    let held = told["directives"].as_array().unwrap();
    let held = |name: &str| held.iter().find(|held| held["directive"] == name);
    assert_eq!(held("add_header X outer").unwrap()["level"], "http");
    assert_eq!(held("proxy_pass http://app").unwrap()["inherited"], false);
    assert!(held("try_files $uri @app").is_none(), "{told:#}");
}

#[tokio::test]
async fn nothing_is_sent_changed_or_waited_for() {
    if !process::is_ours() {
        return;
    }
    let app = Backend::http(|_| backend::ok("")).await;
    let server = Tidegate::start(&format!(
        "limit_req_zone $server_name zone=one:1m rate=1r/m;
        server {{ listen 127.0.0.1:8080;
        location / {{ proxy_pass http://127.0.0.1:{}; mirror /copy; auth_request /gate; limit_req zone=one; }}
        location /copy {{ proxy_pass http://127.0.0.1:{}; }}
        location /gate {{ proxy_pass http://127.0.0.1:{}; }}
        location /files/ {{ dav_methods PUT DELETE; }}
        location /slow/ {{ auth_basic x; auth_basic_user_file users; auth_delay 60s; }}
        }}",
        app.port(),
        app.port(),
        app.port()
    ))
    .with_file("files/kept", "kept")
    .with_file("../users", "")
    .await;
    let port = server.port(8080);
    // What the start says comes when it comes, and so does what a busy machine has told.
    let is_chance = |line: &str| line.contains("[notice]") || line.contains(" stood still for ");
    let said = || {
        let errors = server.error_log();
        let errors = errors.lines().filter(|line| !is_chance(line)).map(str::to_owned);
        (errors.collect::<Vec<_>>(), server.read("logs/access.log"))
    };
    let before = said();
    for (method, path, status, by) in [
        ("GET", "/x", None, "upstream"),
        ("DELETE", "/files/kept", None, "dav_methods"),
        ("GET", "/files/kept", Some(200), "file"),
        ("GET", "/slow/x", Some(401), "phase"),
    ] {
        let told = explain_json(&server, &["-X", method, &format!("http://a:{port}{path}")]);
        assert_eq!(told["answer"]["by"], by, "{told:#}");
        assert_eq!(told["answer"]["status"].as_u64(), status, "{told:#}");
    }
    assert_eq!(app.connections(), 0);
    assert_eq!(server.read("html/files/kept"), "kept");
    assert_eq!(said(), before);
}

#[tokio::test]
async fn addresses_and_tls_are_chosen_as_connections_are() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "ssl_certificate cert.pem; ssl_certificate_key key.pem;
        server { listen 127.0.0.1:8443 ssl; server_name a.test; return 200 \"a $scheme [$ssl_server_name]\"; }
        server { listen 127.0.0.1:8443 ssl; server_name b.test; return 200 b; }
        server { listen 127.0.0.1:8080; return 200 plain; }",
    )
    .with_certificate(&["a.test"])
    .await;
    let (tls, plain) = (server.port(8443), server.port(8080));
    let told = explain_json(&server, &[&format!("https://a.test:{tls}/")]);
    assert_eq!(told["answer"]["body"], "a https [a.test]");
    server.over_tls("a.test").ask("/ | Host: a.test").await.is(200).says("a https [a.test]");
    assert_eq!(explain_json(&server, &[&format!("https://b.test:{tls}/")])["answer"]["body"], "b");
    let told = explain_json(&server, &[&format!("http://127.0.0.1:{tls}/")]);
    assert_eq!(told["answer"]["status"], 400);
    server.get("/").await.is(400);
    for (url, piece) in [
        (format!("https://a.test:{plain}/"), "nothing speaks TLS on 127.0.0.1:8080"),
        (
            "http://a.test:1/".to_owned(),
            "nothing listens on port 1 for a.test; there is 127.0.0.1:8443",
        ),
        (format!("http://192.0.2.1:{plain}/"), "nothing listens on port 8080 for 192.0.2.1"),
        ("ftp://a.test/".to_owned(), "neither http nor https"),
        ("/only".to_owned(), "names no host"),
        ("http://a.test:99999/".to_owned(), "\"99999\" is no port"),
    ] {
        let (code, text) = explain(&server, &[&url]);
        assert!(code == Some(2) && text.contains(piece), "{url}: {text}");
    }
    let (code, text) = explain(&server, &[]);
    assert!(code == Some(2) && text.contains("explain needs a URL"), "{text}");
    let (code, text) = explain(&server, &["--from", "nowhere", "a.test"]);
    assert!(code == Some(2) && text.contains("--from nowhere is no address"), "{text}");
}

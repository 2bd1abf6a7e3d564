//! What `-t` says: all that is wrong, in one run, with its mend.

use crate::harness::{Tidegate, process};

/// What is printed for a configuration that is refused.
fn refused(conf: &str) -> String {
    let (accepted, text) = Tidegate::start(conf).check(&["-t"]);
    assert!(!accepted, "{text}");
    text
}

#[tokio::test]
async fn the_first_line_is_the_one_of_nginx() {
    let cases = [
        ("server { listn 80; }", "unknown directive \"listn\""),
        (
            "server { listen 127.0.0.1:8080; root; }",
            "invalid number of arguments in \"root\" directive",
        ),
        ("worker_processes 1;", "\"worker_processes\" directive is not allowed here"),
        (
            "server { listen 127.0.0.1:8080; sendfile maybe; }",
            "invalid value \"maybe\" in \"sendfile\" directive, it must be \"on\" or \"off\"",
        ),
        ("server { listen 127.0.0.1:8080; root a; root b; }", "\"root\" directive is duplicate"),
        (
            "server { listen 127.0.0.1:8080; location / { proxy_pass 127.0.0.1; } }",
            "invalid URL prefix",
        ),
        (
            "server { listen 127.0.0.1:8080; location / { return 200 $nosuch; } }",
            "unknown \"nosuch\" variable",
        ),
        ("server { listen 127.0.0.1:8080; location ~ ( { } }", "pcre"),
        (
            "server { listen 127.0.0.1:99999; }",
            "invalid port in \"127.0.0.1:99999\" of the \"listen\" directive",
        ),
        (
            "server { listen 127.0.0.1:8080; client_max_body_size 10x; }",
            "\"client_max_body_size\" directive invalid value",
        ),
        (
            "server { listen 127.0.0.1:8080; keepalive_timeout ever; }",
            "\"keepalive_timeout\" directive invalid value",
        ),
        (
            "server { listen 127.0.0.1:8080; location /a { } location /a { } }",
            "duplicate location \"/a\"",
        ),
        ("upstream a { }", "no servers are inside upstream"),
        (
            "upstream a { server 127.0.0.1:8080; } upstream a { server 127.0.0.1:8080; }",
            "duplicate upstream \"a\"",
        ),
        (
            "server { listen 127.0.0.1:8080; error_page 404; }",
            "invalid number of arguments in \"error_page\" directive",
        ),
        (
            "server { listen 127.0.0.1:8080; access_log logs/a.log nosuch; }",
            "unknown log format \"nosuch\"",
        ),
        (
            "include nosuch.conf;",
            "open() \"PREFIX/nosuch.conf\" failed (2: No such file or directory)",
        ),
        (
            "server { listen 127.0.0.1:8080; if ($host) return 403; }",
            "directive \"if\" has no opening \"{\"",
        ),
    ];
    for (conf, words) in cases {
        let text = refused(conf);
        let first = text.lines().find(|line| line.contains("[emerg]")).unwrap_or_default();
        assert!(first.contains(words), "{words}\nis not said of\n{conf}\nbut\n{text}");
        let placed = first.contains("PREFIX/nginx.conf:") || words.contains("variable");
        assert!(placed, "{text}");
    }
}

#[tokio::test]
async fn all_faults_are_told_in_one_run() {
    if !process::is_ours() {
        return;
    }
    let text = refused(
        "upstream uwsgiapi { server 127.0.0.1:8090; }
         server {
             listen 127.0.0.1:8080;
             listn 80;
             sendfile maybe;
             location / { uwsgi_pass miniapi; }
             location /x { proxy_pass http://uwsgiap; root; }
         }",
    );
    for words in ["\"listn\"", "\"maybe\"", "miniapi", "\"root\""] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(text.contains("did you mean `listen`?"), "{text}");
    assert!(text.contains("did you mean `uwsgiapi`?"), "{text}");
}

#[tokio::test]
async fn a_misplaced_directive_is_sent_where_it_belongs() {
    if !process::is_ours() {
        return;
    }
    let text =
        refused("events { keepalive_timeout 65; } http { server { listen 127.0.0.1:8080; } }");
    assert!(text.contains("\"keepalive_timeout\" directive is not allowed here"), "{text}");
    assert!(text.contains("http, server, location"), "{text}");
}

#[tokio::test]
async fn a_block_that_is_never_closed_is_shown() {
    if !process::is_ours() {
        return;
    }
    let text = refused("events { } http { server { listen 127.0.0.1:8080; location / { root x; }");
    assert!(text.contains("unexpected end of file, expecting \"}\""), "{text}");
    assert!(text.contains("never closed"), "{text}");
}

#[tokio::test]
async fn what_does_nothing_is_a_warning() {
    if !process::is_ours() {
        return;
    }
    let (accepted, text) = Tidegate::start(
        "server {
             listen 127.0.0.1:8080;
             location / { uwsgi_pass 127.0.0.1:8090; proxy_set_header Host $host; }
         }",
    )
    .check(&["-t"]);
    assert!(accepted, "{text}");
    assert!(text.contains("[warn]") && text.contains("proxy_set_header"), "{text}");
}

#[tokio::test]
async fn shipped_files_need_not_be_there() {
    if !process::is_ours() {
        return;
    }
    let (accepted, text) = Tidegate::start(
        "include /etc/nosuch/mime.types;
         server {
             listen 127.0.0.1:8080;
             location / { include uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
             location /p { include proxy_params; proxy_pass http://127.0.0.1:8090; }
         }",
    )
    .check(&["-t"]);
    assert!(accepted, "{text}");
    assert!(text.contains("[notice]") && text.contains("uwsgi_params"), "{text}");
}

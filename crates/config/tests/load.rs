//! Whole configurations: what they resolve to, and what is said of their faults.
#![allow(clippy::unwrap_used)] // a test may

use std::path::{Path, PathBuf};

use tidegate_config::{Loaded, Options, load};

fn read(text: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, text).unwrap();
    load(&path, &Options { prefix: folder.path().to_path_buf(), ..Options::default() })
}

#[test]
fn a_level_that_says_nothing_shares_what_is_around_it() {
    let loaded = read(
        "events {} http { gzip on; gzip_comp_level 5; server { listen 8080; server_name a .b.example;
         location /x { gzip_comp_level 7; } location = /y { return 204; } location @named { return 204; } location ~ \\.php$ { gzip off; }
         location / { proxy_pass http://backend/; if ($arg_a) { set $z 1; } } }
         upstream backend { server 127.0.0.1:1 weight=2; server unix:/x backup; } }",
    );
    println!("{}", loaded.messages());
    let http = loaded.config.unwrap().http;
    let server = http.servers.first().unwrap();
    let tree = &server.location.locations;
    let x = tree.longest_prefix(b"/xyz").unwrap();
    assert_eq!((x.gzip.enabled, x.gzip.level), (true, 7));
    assert_eq!(tree.longest_prefix(b"/").unwrap().gzip.level, 5);
    assert!(tree.exact(b"/y").is_some());
    assert_eq!(http.upstreams.first().unwrap().servers.servers.len(), 2);
    assert!(Path::new("/").is_absolute());
}

#[test]
fn all_faults_are_told_in_one_run() {
    let loaded = read(
        "events { keepalive_timeout 60; } http { gzzip on; server { listen 80; access_log x main;
         location / { uwsgi_pass miniapi; proxy_set_header A b; root; gzip maybe; } } }",
    );
    let text = loaded.messages();
    println!("{text}");
    assert!(loaded.config.is_none());
    assert!(text.contains("\"keepalive_timeout\" directive is not allowed here"));
    assert!(text.contains("unknown directive \"gzzip\""));
    assert!(text.contains("unknown log format \"main\""));
    assert!(text.contains("invalid number of arguments in \"root\" directive"));
    assert!(text.contains("invalid value \"maybe\" in \"gzip\" directive"));
}

#[test]
fn every_default_can_be_read() {
    assert!(read("events {} http { server { } }").config.is_some());
}

#[test]
fn an_upstream_by_a_wrong_name_is_told_with_the_right_one() {
    let upstream = "upstream uwsgiapi { server 127.0.0.1:7000; }";
    let of = |pass: &str| {
        read(&format!("events {{}} http {{ {upstream} server {{ location / {{ {pass} }} }} }}"))
    };
    let text = of("uwsgi_pass miniapi;").messages();
    assert!(text.contains("[emerg] no port in upstream \"miniapi\""), "{text}");
    assert!(text.contains("no upstream is called `miniapi`; did you mean `uwsgiapi`?"), "{text}");
    let loaded = of("proxy_pass http://uwsgi_api;");
    assert!(loaded.config.is_some());
    assert!(loaded.messages().contains("did you mean `uwsgiapi`?"), "{}", loaded.messages());
    for fine in
        ["uwsgi_pass uwsgiapi", "uwsgi_pass 10.0.0.1:1", "uwsgi_pass unix:/x", "uwsgi_pass a:1"]
    {
        let loaded = of(&format!("{fine};"));
        assert!(loaded.diagnostics.is_empty(), "{}", loaded.messages());
    }
}

#[test]
fn only_log_files_that_something_is_written_to_are_opened() {
    let files = |http: &str, error_log: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, format!("events {{}} {http}")).unwrap();
        let options = Options {
            prefix: folder.path().to_path_buf(),
            error_log: error_log.map(Into::into),
            ..Options::default()
        };
        let config = load(&path, &options).config.unwrap();
        let relative = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().to_path_buf();
        config.http.files.iter().map(relative).collect::<Vec<_>>()
    };
    let own = "http { server { access_log a.log; } server { access_log off; } }";
    assert_eq!(files(own, None), [Path::new("a.log"), Path::new("logs/error.log")]);
    assert_eq!(files(own, Some("stderr")), [Path::new("a.log")]);
    let some = "http { error_log e.log; server { access_log off; location /x { access_log off; } }
        server { access_log a.log; if ($args) { return 204; } } server { } }";
    let all = ["e.log", "a.log", "other.log", "logs/access.log"].map(Path::new);
    assert_eq!(files(some, Some("other.log")), all);
    assert_eq!(files("", None), [Path::new("logs/error.log")]);
}

#[test]
fn of_two_named_locations_the_first_one_answers() {
    let loaded =
        read("events {} http { server { location @x { gzip on; } location @x { gzip off; } } }");
    assert!(loaded.messages().contains("duplicate location \"@x\""), "{}", loaded.messages());
    let config = loaded.config.unwrap();
    let server = config.http.servers.first().unwrap();
    assert!(server.location.locations.named("@x").unwrap().gzip.enabled);
}

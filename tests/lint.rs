//! `tidegate lint`: what is legal and hardly meant, for people and for CI.

use std::process::Command;

use crate::harness::{Tidegate, process};

/// Lints a configuration of this server: how it ended, and what it printed.
fn lint(server: &str, words: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("nginx.conf");
    std::fs::write(&conf, format!("events {{}} http {{ {server} }}")).unwrap();
    let output =
        Command::new(process::binary()).arg("lint").args(words).arg(&conf).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code(), text.replace(&folder.path().display().to_string(), "PREFIX"))
}

const TRAP: &str = "server {
    listen 127.0.0.1:8080;
    location /static { alias /srv/static/; }
}";

#[tokio::test]
async fn findings_are_told_with_their_rule_and_fail_a_build() {
    if !process::is_ours() {
        return;
    }
    let (code, text) = lint(TRAP, &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("leads out of the alias"), "{text}");
    assert!(text.contains("= lint: alias-slash"), "{text}");
    assert!(text.contains("PREFIX/nginx.conf: 0 faults, 1 findings by "), "{text}");
    let (accepted, text) = Tidegate::start(TRAP).check(&["-t"]);
    assert!(accepted && text.contains("= lint: alias-slash"), "{text}");
}

#[tokio::test]
async fn nothing_found_and_all_refused_are_told_apart() {
    if !process::is_ours() {
        return;
    }
    let (code, text) = lint("server { listen 127.0.0.1:8080; }", &[]);
    assert_eq!(code, Some(0), "{text}");
    let allowed = TRAP.replace("static/; }", "static/; } # tidegate: allow alias-slash");
    let (code, text) = lint(&allowed, &[]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = lint("server { nonsense; }", &[]);
    assert_eq!(code, Some(2), "{text}");
    let (code, text) = lint(TRAP, &["--format", "yaml"]);
    assert_eq!(code, Some(2), "{text}");
}

#[tokio::test]
async fn tools_get_json() {
    if !process::is_ours() {
        return;
    }
    let (code, text) = lint(TRAP, &["--format", "json"]);
    assert_eq!(code, Some(1), "{text}");
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all["accepted"], true);
    let found = &all["findings"][0];
    assert_eq!(found["rule"], "alias-slash");
    assert_eq!(found["severity"], "warn");
    assert_eq!(found["file"], "PREFIX/nginx.conf");
    assert!(found["line"].as_u64().is_some_and(|line| line >= 3), "{text}");
    assert!(found["hints"][0].as_str().is_some_and(|hint| hint.contains("slash")), "{text}");
}

//! `tidegate fmt`, `help`, `completions` and `man`: what is made of the files and declarations.

use std::process::Command;

use crate::harness::{Tidegate, process};

/// What a command prints, and how it ends, in a folder.
fn run(folder: &std::path::Path, words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(process::binary()).args(words).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn files_are_printed_checked_or_written() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.conf");
    std::fs::write(&file, "server{listen 80;# here\n}").unwrap();
    let formatted = "server {\n    listen 80;  # here\n}\n";
    assert_eq!(run(folder.path(), &["fmt", "a.conf"]), (Some(0), formatted.to_owned()));
    assert_eq!(run(folder.path(), &["fmt", "--check", "a.conf"]), (Some(1), "a.conf\n".to_owned()));
    assert_eq!(run(folder.path(), &["fmt", "--write", "a.conf"]), (Some(0), String::new()));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), formatted);
    assert_eq!(run(folder.path(), &["fmt", "--check", "a.conf"]), (Some(0), String::new()));
    std::fs::write(&file, "server { listen 80 }").unwrap();
    let (code, text) = run(folder.path(), &["fmt", "--write", "a.conf"]);
    assert!(code == Some(2) && text.contains("a.conf is left as it is"), "{text}");
}

#[tokio::test]
async fn entries_come_from_the_declarations() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = run(folder.path(), &["help", "gzip_comp_level"]);
    assert_eq!(code, Some(0));
    assert!(
        text.contains("gzip_comp_level VALUE;") && text.contains("default:  gzip_comp_level 1;")
    );
    assert!(text.contains("where:    http, server, location"), "{text}");
    let (code, text) = run(folder.path(), &["help", "alias-slash"]);
    assert!(code == Some(0) && text.contains("danger:"), "{text}");
    let (code, text) = run(folder.path(), &["help", "gzip_comp_levl"]);
    assert!(code == Some(2) && text.contains("did you mean `gzip_comp_level`?"), "{text}");
    let (_, text) = run(folder.path(), &["man"]);
    assert!(text.starts_with(".TH TIDEGATE 8") && text.contains("gzip_comp_level VALUE"), "{text}");
}

#[tokio::test]
async fn shells_take_their_completions() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let (code, text) = run(folder.path(), &["completions", shell]);
        assert!(code == Some(0) && text.contains("lint"), "{text}");
        let script = folder.path().join(shell);
        std::fs::write(&script, text).unwrap();
        let Ok(output) = Command::new(shell).arg("-n").arg(&script).output() else { continue };
        assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let (code, _) = run(folder.path(), &["completions", "cmd"]);
    assert_eq!(code, Some(2));
    let (accepted, text) = Tidegate::start("server { listen 127.0.0.1:8080; }").check(&["-V"]);
    assert!(accepted && text.contains("nginx version: nginx/1.31"), "{text}");
    assert!(
        text.contains("configure arguments:") && text.contains("--with-http_ssl_module"),
        "{text}"
    );
}

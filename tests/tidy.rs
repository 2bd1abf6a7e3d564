//! House rules that a compiler does not check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Tidegate, process};

/// Files of over 300 production lines, and why.
const LONG: &[(&str, &str)] = &[
    ("crates/config/src/directive.rs", "the traits that the derive fills in, told at length"),
    (
        "crates/config/src/directive/absent/others.rs",
        "a table: what each module is and what to do instead",
    ),
    ("crates/config/src/http/rewrite.rs", "rewrite, return, set, if and break share one list"),
];

/// Where the project is.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project")
}

/// Every file of the project that git knows, or is about to: relative paths.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .current_dir(project())
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output();
    match listed {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let there = |path: &&str| project().join(path).is_file();
            text.lines().filter(there).map(str::to_owned).collect()
        }
        _ => walk(&project()),
    }
}

/// The same, where there is no git: all but hidden folders and what is built.
fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            found.extend(walk(&path));
        } else if let Ok(relative) = path.strip_prefix(project()) {
            found.push(relative.display().to_string());
        }
    }
    found
}

/// The project's Rust files and their text.
fn sources() -> Vec<(String, String)> {
    let rust =
        files().into_iter().filter(|path| Path::new(path).extension() == Some("rs".as_ref()));
    rust.map(|path| (path.clone(), fs::read_to_string(project().join(&path)).expect("a text")))
        .collect()
}

/// Fails with every line, if there are any.
#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// The lines before the tests at the end of a file.
fn production_lines(path: &str, text: &str) -> usize {
    if path.ends_with("/tests.rs") {
        return 0;
    }
    text.split("\n#[cfg(test)]\n").next().unwrap_or_default().lines().count()
}

#[test]
fn files_are_short() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let lines = production_lines(&path, &text);
        let listed = LONG.iter().any(|(name, _)| *name == path);
        if path.starts_with("tests/") && lines > 300 || lines > 500 || lines > 300 && !listed {
            found.push(format!("{path}: {lines} lines"));
        }
        if lines <= 300 && listed {
            found.push(format!("{path}: no longer long, but listed"));
        }
    }
    none("too long (over 300 wants a reason in the list, over 500 none is enough)", &found);
}

#[test]
fn files_say_what_they_are() {
    let silent = sources().into_iter().filter(|(_, text)| !text.starts_with("//! "));
    let silent: Vec<String> = silent.map(|(path, _)| path).collect();
    none("without a sentence at the top", &silent);
}

#[test]
fn names_say_something() {
    let vague = ["mod", "util", "utils", "helper", "helpers", "common", "misc"];
    let is_vague = |path: &String| {
        let parts = Path::new(path).with_extension("");
        parts.iter().any(|part| vague.iter().any(|word| part == *word))
    };
    let found: Vec<String> = files().into_iter().filter(is_vague).collect();
    none("named for anything", &found);
}

#[test]
fn nothing_is_left_to_do() {
    // Written apart, so that this file does not find itself.
    let marks =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("HA", "CK")];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("left to do", &found);
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let machine = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("CORPUS", ".md"),
    ];
    let texts = ["rs", "md", "toml", "conf", "sh", "yml", ""];
    let mut found = Vec::new();
    for path in files() {
        let extension =
            Path::new(&path).extension().unwrap_or_default().to_string_lossy().into_owned();
        let is_case = path.contains("/cases/") || path.contains("/corpus/");
        if !texts.contains(&extension.as_str()) || is_case {
            continue;
        }
        let Ok(text) = fs::read_to_string(project().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if machine.iter().any(|word| line.contains(word)) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("paths of somebody's machine", &found);
}

#[test]
fn crates_are_safe() {
    for name in ["config", "http", "static", "proxy"] {
        let path = project().join("crates").join(name).join("src/lib.rs");
        let text = fs::read_to_string(&path).expect("a crate");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{}", path.display());
    }
}

#[test]
fn crates_know_only_those_below() {
    let above = [
        ("config", ["tidegate-http", "tidegate-static", "tidegate-proxy", "tidegate\""]),
        ("http", ["tidegate-static", "tidegate-proxy", "tidegate\"", "-"]),
        ("static", ["tidegate-proxy", "tidegate\"", "-", "-"]),
        ("proxy", ["tidegate-static", "tidegate\"", "-", "-"]),
    ];
    for (name, forbidden) in above {
        let path = project().join("crates").join(name).join("Cargo.toml");
        let text = fs::read_to_string(path).expect("a manifest");
        let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for word in forbidden.iter().filter(|word| **word != "-") {
            assert!(!dependencies.contains(word), "{name} depends on {word}");
        }
    }
}

#[test]
fn tests_are_named_as_sentences() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.starts_with("#[ignore"));
        while let Some(line) = lines.next() {
            // The oracle's tests are tables, named as what they hold.
            if path.starts_with("tests/oracle/") {
                break;
            }
            if line == "#[test]" || line.starts_with("#[tokio::test") {
                let name = lines.next().unwrap_or_default();
                if name.contains("fn test_") || !name.contains('_') {
                    found.push(format!("{path}: {name}"));
                }
            }
        }
    }
    none("no sentence", &found);
}

#[test]
fn samples_are_accepted() {
    if !process::is_ours() {
        return;
    }
    let samples = files().into_iter().filter(|path| {
        let whole = Path::new(path).extension() == Some("conf".as_ref());
        path.starts_with("conf/") && whole && path != "conf/fastcgi.conf"
    });
    for sample in samples {
        let output = Command::new(process::binary())
            .args(["-t", "-p", ".", "-c"])
            .arg(&sample)
            .current_dir(project())
            .output()
            .expect("the binary can be run");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let accepted = output.status.success() || process::is_forbidden(&text);
        assert!(accepted, "{sample}:\n{text}");
    }
    for params in [
        "mime.types",
        "uwsgi_params",
        "fastcgi.conf",
        "fastcgi_params",
        "scgi_params",
        "proxy_params",
    ] {
        let path = project().join("conf").join(params);
        let text = fs::read_to_string(&path).expect(params);
        let inside = match params {
            "mime.types" => "include given;",
            _ => "server { listen 127.0.0.1:8080; location / { include given; } }",
        };
        let start = Tidegate::start(inside).with_prefix_file("given", text);
        let (accepted, said) = start.check(&["-t"]);
        assert!(accepted, "{params}:\n{said}");
    }
}

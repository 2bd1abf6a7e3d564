//! Golden cases: a configuration, a line of dashes, and what comes of it.
//!
//! Behind the dashes stands either what `-t` says (`nginx: […`, or `accepted` where it says
//! nothing), or what some fields hold: `place: path = value`, the place being `server 0`, a
//! location's name in the first server (`/x`, `/x if 0`), or `http`. `UPDATE=1` writes what came.
//! With `TIDEGATE_ORACLE` naming an nginx, or one at hand, its first fault must be among ours.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "nginx/oracle.rs"]
mod oracle;

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use tidegate_config::block::Location;
use tidegate_config::{Config, Loaded, Options, load};

const DASHES: &str = "\n----------\n";

#[test]
fn every_case_comes_out_as_written() {
    let mut wrong = Vec::new();
    for case in cases() {
        let text = std::fs::read_to_string(&case).unwrap();
        let (written, expected) = text.split_once(DASHES).expect("a line of dashes");
        let actual = outcome(written, expected);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&case, format!("{written}{DASHES}{actual}")).unwrap();
        } else if actual != expected {
            wrong.push(format!("{}:\n--- expected\n{expected}--- came\n{actual}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\n(`UPDATE=1` writes what came)", wrong.join("\n"));
}

#[test]
fn nginxs_first_fault_is_among_ours() {
    // The other test writes the files then.
    if std::env::var_os("UPDATE").is_some() {
        return;
    }
    let Some(nginx) = oracle::nginx() else {
        println!("skipped: no nginx 1.31 to compare with (tests/setup.sh installs it)");
        return;
    };
    let wrong = oracle::each(&cases(), |case| {
        let text = std::fs::read_to_string(case).unwrap();
        let (written, _) = text.split_once(DASHES).expect("a line of dashes");
        let unlike = written.lines().any(|line| line.starts_with("# unlike nginx:"));
        let folder = tempfile::tempdir().unwrap();
        let theirs = oracle::fault(&nginx, folder.path(), &whole(written));
        let ours = first_lines(written);
        let found = theirs.as_ref().map_or(ours.is_empty(), |theirs| ours.contains(theirs));
        let name = case.file_name().unwrap().display();
        (found == unlike).then(|| format!("{name}:\n  nginx: {theirs:?}\n  ours: {ours:?}"))
    });
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "conf")).collect();
    cases.sort();
    assert!(cases.len() >= 40, "only {} cases", cases.len());
    cases
}

/// A whole configuration of one that may be a part of `http`, or of a server.
fn whole(written: &str) -> String {
    let begins =
        |word: &str| written.lines().any(|line| line.split([' ', '{']).next() == Some(word));
    if begins("events") || begins("http") || written.starts_with("# whole") {
        written.to_owned()
    } else if begins("server") {
        format!("events {{}} http {{ {written}\n}}")
    } else {
        format!("events {{}} http {{ server {{ {written}\n}} }}")
    }
}

fn read(written: &str) -> (tempfile::TempDir, Loaded) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, whole(written)).unwrap();
    let options = Options { prefix: folder.path().to_path_buf(), ..Options::default() };
    let loaded = load(&path, &options);
    (folder, loaded)
}

fn outcome(written: &str, expected: &str) -> String {
    let (folder, loaded) = read(written);
    let asked = expected.starts_with("server ")
        || expected.starts_with(['/', '@', '~'])
        || expected.starts_with("http: ")
        || expected.starts_with("main: ");
    let folder = folder.path().display().to_string();
    let neutral = |text: String| text.replace(&folder, "");
    if !asked {
        let messages = neutral(loaded.messages());
        return if messages.is_empty() { "accepted\n".to_owned() } else { messages };
    }
    let messages = loaded.messages();
    let config = loaded.config.unwrap_or_else(|| panic!("{written}\n{messages}"));
    let value = |line: &str| {
        let (question, _) = line.split_once(" =").unwrap_or((line, ""));
        let (place, path) = question.split_once(": ").unwrap();
        format!("{question} = {}\n", neutral(answer(&config, place, path)))
    };
    expected.lines().map(value).collect()
}

/// What a field of a place holds, in one line.
fn answer(config: &Config, place: &str, path: &str) -> String {
    if place == "main" {
        return field(&config.main, path);
    }
    if place == "http" {
        return field(&*config.http, path);
    }
    if let Some(number) = place.strip_prefix("server ") {
        let server: usize = number.parse().unwrap();
        return field(config.http.servers.get(server).unwrap(), path);
    }
    let (name, condition) = place.split_once(" if ").unwrap_or((place, ""));
    let server = config.http.servers.first().unwrap();
    let location = find(&server.location, name).unwrap_or_else(|| panic!("no location {name}"));
    match condition.parse::<usize>() {
        Ok(number) => field(location.conditions.get(number).unwrap(), path),
        Err(_) => field(location, path),
    }
}

fn find<'a>(level: &'a Location, name: &str) -> Option<&'a Location> {
    let shown = |location: &Location| {
        let text = format!("{:?}", location.name);
        text.contains(&format!("\"{name}\"")) || text.contains(&format!("({name})"))
    };
    let all = || level.locations.all().iter();
    all().find(|location| shown(location)).or_else(|| all().find_map(|inner| find(inner, name)))
}

/// The field at a path like `gzip.level` as `Debug` shows it, in one line.
fn field(of: &impl Debug, path: &str) -> String {
    let shown = format!("{of:#?}");
    let mut lines: Vec<&str> = shown.lines().collect();
    for name in path.split('.') {
        let indent = lines.get(1).map_or(0, |line| line.len() - line.trim_start().len());
        let head = format!("{}{name}: ", " ".repeat(indent));
        let start = lines.iter().position(|line| line.starts_with(&head));
        let start = start.unwrap_or_else(|| panic!("no {name} of {path} in\n{shown}"));
        let end = lines[start + 1..]
            .iter()
            .position(|line| line.len() - line.trim_start().len() <= indent)
            .map_or(lines.len(), |end| start + 1 + end);
        let closes = lines.get(end).is_some_and(|line| line.trim().starts_with(['}', ']', ')']));
        lines = lines[start..end + usize::from(closes && lines[start].ends_with(['{', '[', '(']))]
            .to_vec();
    }
    let joined = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let (_, value) = joined.split_once(": ").unwrap();
    let value = value.trim().trim_end_matches(',').replace("( ", "(").replace("[ ", "[");
    value.replace(", )", ")").replace(", ]", "]").replace(", }", " }")
}

/// Our faults without places.
fn first_lines(written: &str) -> Vec<String> {
    let (folder, loaded) = read(written);
    let emerg = loaded.diagnostics.iter().filter(|found| found.severity.word() == "emerg");
    let folder = folder.path().display().to_string();
    emerg.map(|found| found.message.replace(&folder, "")).collect()
}

//! Every directive and every message has a golden case.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tidegate_config::directive::Effect;
use tidegate_config::directive::reference::declarations;

/// Messages that no file of a test can bring about, and why.
const WITHOUT_A_CASE: &[(&str, &str)] = &[
    ("directive \"\" is not allowed in ", STATE),
    ("directive of the state file", STATE),
    ("block directives are not supported in -g option", "it is about the command line"),
    ("too many nested includes", "a hundred files include one another: syntax/tests.rs"),
    ("glob() \"", "no pattern is known that the system refuses"),
    ("the regular expression takes too many steps", "it is told of a request"),
];

const STATE: &str = "it is about a further file: tests/state.rs";

/// Where a message begins in the source; its words are the next text in quotes.
const BEGINNINGS: [&str; 7] = [
    "Fault::phrase(",
    "Fault::sentence(",
    "Diagnostic::emerg(",
    "Diagnostic::warn(",
    "Diagnostic::notice(",
    "cx.warn(",
    "#[error(",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn under(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(under(&entry, extension));
        } else if entry.extension().is_some_and(|e| e == extension) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

/// The golden cases, whole.
fn golden() -> Vec<String> {
    let mut files = under(&root().join("tests/cases"), "conf");
    files.extend(under(&root().join("tests/messages"), "txt"));
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[test]
fn every_directive_has_a_case() {
    let golden = golden();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: std::collections::HashSet<&str> =
        golden.iter().flat_map(|text| text.split(|c| !is_name(c))).collect();
    let lacking: Vec<String> = declarations()
        .into_iter()
        .map(|declared| declared.name)
        .filter(|name| !words.contains(name.as_str()))
        .collect();
    assert!(lacking.is_empty(), "no golden case has {lacking:?}");
}

#[test]
fn nothing_is_passed_over_in_silence() {
    let golden = golden();
    let told: std::collections::HashSet<&str> =
        golden.iter().flat_map(|text| text.lines()).map(str::trim).collect();
    let mut idle = 0;
    for declared in declarations() {
        let Effect::Ignored(reason) = declared.effect else { continue };
        let name = &declared.name;
        let words = format!("[warn] \"{name}\" is accepted without effect: {reason}");
        assert!(told.contains(words.as_str()), "no case shows: {words}");
        assert!(reason.split(' ').count() > 2, "{name}: {reason} is no reason");
        idle += 1;
    }
    assert!(idle > 50, "only {idle} are passed over");
}

#[test]
fn every_message_has_a_case() {
    let golden = golden();
    let told: Vec<&str> = golden.iter().flat_map(|text| text.lines()).collect();
    let mut lacking = BTreeMap::new();
    for file in under(&root().join("src"), "rs") {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        if name.ends_with("tests.rs") || name.starts_with("src/lint") {
            continue; // the rules have examples of their own
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for message in messages(text) {
            let shown = told.iter().any(|line| shows(line, &message));
            let meant = WITHOUT_A_CASE.iter().any(|(known, _)| message.concat().contains(known));
            if !shown && !meant {
                lacking.insert(message.join("…"), name.clone());
            }
        }
    }
    let lacking: Vec<String> =
        lacking.iter().map(|(message, file)| format!("{file}: {message}")).collect();
    assert!(lacking.is_empty(), "{} without a golden case:\n{}", lacking.len(), lacking.join("\n"));
}

/// Whether a line has all pieces of a message, in order.
fn shows(line: &str, message: &[String]) -> bool {
    let mut rest = line;
    message.iter().all(|piece| match rest.find(piece.as_str()) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

/// The messages of a source, each in pieces between what is put in.
fn messages(source: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for beginning in BEGINNINGS {
        for (at, _) in source.match_indices(beginning) {
            let behind = source[at + beginning.len()..].trim_start();
            if let Some(text) = quoted(behind, beginning == "#[error(") {
                found.push(text);
                continue;
            }
            // A name: what it was last given.
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let name = behind.split(|c| !is_name(c)).next().unwrap();
            let given = source[..at].rfind(&format!("let {name} = ")).filter(|_| !name.is_empty());
            let Some(given) = given else { continue };
            let (_, value) = source[given..at].split_once(" = ").unwrap();
            found.extend(quoted(value.trim_start(), false));
        }
    }
    found.retain(|pieces: &Vec<String>| {
        pieces.iter().any(|piece| piece.split(' ').any(|word| word.len() > 3))
    });
    found
}

/// A text in quotes, or one that `format!` fills, with which this begins.
fn quoted(source: &str, filled: bool) -> Option<Vec<String>> {
    let format = source.strip_prefix("format!(");
    let text = format.unwrap_or(source).trim_start();
    text.starts_with('"').then(|| pieces(text, filled || format.is_some()))
}

/// A text in quotes, cut where something is put in.
fn pieces(quoted: &str, filled: bool) -> Vec<String> {
    let (mut all, mut piece) = (Vec::new(), String::new());
    let mut chars = quoted.chars().skip(1).peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some(escaped) => piece.push(escaped),
                None => {}
            },
            '{' if filled && chars.next_if_eq(&'{').is_none() => {
                for inside in chars.by_ref() {
                    if inside == '}' {
                        break;
                    }
                }
                all.push(std::mem::take(&mut piece));
            }
            '}' if filled => {
                chars.next();
                piece.push(c);
            }
            c => piece.push(c),
        }
    }
    all.push(piece);
    all.retain(|piece| !piece.trim().is_empty());
    all
}

#[test]
fn messages_are_found_in_a_source() {
    let found = messages(
        r#"let text = format!("one \"{name}\" of \
           these"); Err(Fault::phrase(text)) cx.warn("three words", x)"#,
    );
    assert_eq!(found, [vec!["one \"", "\" of these"], vec!["three words"]]);
    assert!(shows("[emerg] one \"x\" of these", &found[0]) && !shows("one of these", &found[0]));
}

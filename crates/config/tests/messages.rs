//! What is said of one line each: every message, its mend, and what nginx says of the same.
//!
//! `messages/*.txt` hold lines of a level (`main:`, `http:`, `server:`), and indented behind each what
//! comes of it; `UPDATE=1` writes that. An nginx 1.31, where there is one, must accept and refuse the
//! same, and its fault must be among ours. Where not, a line `# unlike nginx: why` stands above, or
//! `# other words: why` where only the words differ. `TIDEGATE_LONG=1` asks it of every directive, too.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "nginx/oracle.rs"]
mod oracle;

use std::path::{Path, PathBuf};

use tidegate_config::directive::reference::declarations;
use tidegate_config::{Options, load};

/// Faults of nginx that are no differences in what a configuration says.
const ELSEWHERE: [(&str, &str); 6] = [
    ("cannot load certificate", "the server reads certificates"),
    ("cannot load CRL", "the server reads lists"),
    ("open() \"/nosuch", "the server reads keys and passwords"),
    ("BIO_new_file(", "the server reads parameters"),
    ("host not found in", "a name that does not resolve yet is no fault"),
    ("pcre_compile() failed: ", "its words are those of an older PCRE"),
];

/// One line, and what is said of it.
struct Case {
    /// What stands above it.
    notes: Vec<String>,
    line: String,
    /// What comes of it, as it is written.
    outcome: String,
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6, "only {files:?}");
    files
}

fn cases(text: &str) -> Vec<Case> {
    let block = |block: &str| {
        let mut lines = block.lines().peekable();
        let mut notes = Vec::new();
        while let Some(note) = lines.next_if(|line| line.starts_with('#')) {
            notes.push(note.to_owned());
        }
        let line = lines.next().unwrap_or_default().to_owned();
        Case { notes, line, outcome: lines.collect::<Vec<_>>().join("\n") }
    };
    text.split("\n\n")
        .map(|text| block(text.trim_end()))
        .filter(|case| !case.line.is_empty())
        .collect()
}

impl Case {
    fn whole(&self) -> String {
        let (level, line) = self.line.split_once(": ").unwrap();
        match level {
            "main" => line.to_owned(),
            "http" => format!("events {{}} http {{ {line}\n}}"),
            "server" => format!("events {{}} http {{ server {{ {line}\n}} }}"),
            other => panic!("{other} is no level: {line}"),
        }
    }

    fn noted(&self, what: &str) -> bool {
        self.notes.iter().any(|note| note.starts_with(what))
    }

    /// What we say, and our faults alone.
    fn told(&self) -> (String, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, self.whole()).unwrap();
        let options = Options { prefix: folder.path().to_path_buf(), ..Options::default() };
        let loaded = load(&path, &options);
        let folder = folder.path().display().to_string();
        let (mut outcome, mut faults) = (Vec::new(), Vec::new());
        for found in loaded.diagnostics.iter() {
            let (word, message) = (found.severity.word(), found.message.replace(&folder, ""));
            outcome.push(format!("    [{word}] {message}"));
            let hints = found.hints.iter().map(|hint| hint.replace(&folder, ""));
            outcome.extend(hints.map(|hint| format!("        {hint}")));
            if word == "emerg" {
                faults.push(message);
            }
        }
        assert_eq!(faults.is_empty(), loaded.config.is_some(), "{}", self.line);
        let accepted = || "    accepted".to_owned();
        (if outcome.is_empty() { accepted() } else { outcome.join("\n") }, faults)
    }
}

#[test]
fn every_line_is_told_of_as_written() {
    let mut wrong = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let cases = cases(&text);
        let told = oracle::each(&cases, |case| case.told().0);
        if std::env::var_os("UPDATE").is_some() {
            let block = |(case, outcome): (&Case, &String)| {
                let notes = case.notes.iter().chain([&case.line, outcome]);
                notes.map(String::as_str).collect::<Vec<_>>().join("\n")
            };
            let blocks: Vec<_> = cases.iter().zip(&told).map(block).collect();
            std::fs::write(&file, blocks.join("\n\n") + "\n").unwrap();
            continue;
        }
        for (case, told) in cases.iter().zip(told).filter(|(case, told)| case.outcome != *told) {
            wrong.push(format!("{}\n--- expected\n{}\n--- came\n{told}", case.line, case.outcome));
        }
    }
    assert!(wrong.is_empty(), "{}\n(`UPDATE=1` writes what came)", wrong.join("\n"));
}

#[test]
fn nginx_says_the_same_of_every_line() {
    let Some(nginx) = oracle::nginx() else {
        println!("skipped: no nginx 1.31 to compare with (tests/setup.sh installs it)");
        return;
    };
    // Two lines for each directive take some seconds more.
    let long = std::env::var_os("TIDEGATE_LONG").is_some();
    let asked = files().into_iter().filter(|file| long || !file.ends_with("directives.txt"));
    let read = |file: PathBuf| cases(&std::fs::read_to_string(file).unwrap());
    let all: Vec<Case> = asked.flat_map(read).collect();
    let known: Vec<String> = declarations().into_iter().map(|declared| declared.name).collect();
    let faults = oracle::each(&all, |case| case.told().1);
    let asked: Vec<(&Case, &Vec<String>)> = all.iter().zip(&faults).collect();
    // What is right everywhere is asked about in one configuration, which is much faster.
    let plain = |(case, faults): &&(&Case, &Vec<String>)| {
        faults.is_empty() && case.notes.is_empty() && case.line.starts_with("server: ")
    };
    let right: Vec<_> = asked.iter().filter(plain).copied().collect();
    let mut single: Vec<_> = asked.iter().filter(|one| !plain(one)).copied().collect();
    let groups: Vec<_> = right.chunks(20).collect();
    let good = oracle::each(&groups, |group| {
        let servers: String =
            group.iter().flat_map(|(case, _)| ["server {", &case.line[7..], "\n}\n"]).collect();
        let folder = tempfile::tempdir().unwrap();
        oracle::fault(&nginx, folder.path(), &format!("events {{}} http {{ {servers} }}")).is_none()
    });
    let doubted = groups.iter().zip(good).filter(|(_, good)| !good);
    single.extend(doubted.flat_map(|(group, _)| group.iter().copied()));
    let wrong = oracle::each(&single, |(case, ours)| disagreement(&nginx, case, ours, &known));
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// What nginx says otherwise of a line, unless its notes say so.
fn disagreement(nginx: &Path, case: &Case, ours: &[String], known: &[String]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let theirs = oracle::fault(nginx, folder.path(), &case.whole());
    // That program was built without it.
    let unknown = theirs.as_deref().and_then(|fault| fault.strip_prefix("unknown directive \""));
    let unknown = unknown.and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let elsewhere = |fault: &str| ELSEWHERE.iter().any(|(piece, _)| fault.starts_with(piece));
    if known.iter().any(|known| known == unknown) || theirs.as_deref().is_some_and(elsewhere) {
        return None;
    }
    let same = theirs.is_some() != ours.is_empty();
    let words = theirs.as_ref().is_none_or(|theirs| ours.contains(theirs));
    let (unlike, other) = (case.noted("# unlike nginx:"), case.noted("# other words:"));
    let good = match (same, words) {
        (true, true) => !unlike && !other,
        (true, false) => other && !unlike,
        (false, _) => unlike && !other,
    };
    (!good).then(|| format!("{}\n  nginx: {theirs:?}\n  ours:  {ours:?}", case.line))
}

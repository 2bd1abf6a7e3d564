//! Configurations that are changed at random: whatever stands in a file, there is a configuration or a
//! diagnosis, in time that its size bounds.
//!
//! The seed is fixed, so that a failure comes again. `TIDEGATE_MUTATIONS` is how many are tried (some
//! hundred where nothing is said; 5000, about a minute, in CI), `TIDEGATE_SEED` begins elsewhere. What
//! failed is printed.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidegate_config::{Options, load, syntax};

/// How many are tried where nothing is said.
const USUAL: u64 = 600;

/// After how long one is taken to hang; they take milliseconds.
const HANGS: Duration = Duration::from_mins(1);

/// Pieces of the language, and of what is none.
const PIECES: [&str; 27] = [
    "{",
    "}",
    ";",
    "\"",
    "'",
    "\\",
    "$",
    "${",
    "#",
    "\n",
    " ",
    "~ ",
    "~* ",
    "= ",
    "@",
    "*",
    "(",
    ")[",
    "\u{0}",
    "é",
    "include nginx.conf;",
    "include more.conf;",
    "include *;",
    "if ($a) {",
    "location / {",
    "-1",
    "99999999999999999999",
];

/// A small generator (xorshift), since `rand` would be a dependency for this alone.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

/// The configurations to begin with: the golden cases and those that are shipped.
fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = ["tests/cases", "../../conf"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let (written, _) = text.split_once("\n----------\n").unwrap_or((&text, ""));
        let whole = written.contains("http") || written.contains("events");
        let inside = if written.contains("server {") { "" } else { "server {" };
        let text = match (whole, inside) {
            (true, _) => written.to_owned(),
            (false, "") => format!("events {{}} http {{ {written}\n}}"),
            (false, _) => format!("events {{}} http {{ server {{ {written}\n}} }}"),
        };
        text.into_bytes()
    };
    paths.iter().map(read).collect()
}

/// Changes a text at one to four places.
fn mutate(text: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let at = dice.below(text.len() + 1);
        let end = (at + dice.below(40)).min(text.len());
        match dice.below(8) {
            0 => drop(text.drain(at..end)),
            1 => {
                let again = text[at..end].to_vec();
                text.splice(at..at, again);
            }
            2 => text.truncate(at),
            3 => {
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(200)).min(other.len());
                text.splice(at..end, other[from..to].iter().copied());
            }
            4 if at < text.len() => text[at] = u8::try_from(dice.below(256)).unwrap(),
            5 => {
                let piece = PIECES[dice.below(PIECES.len())].repeat(1 + dice.below(3));
                text.splice(at..at, piece.into_bytes());
            }
            6 => {
                let piece = PIECES[dice.below(PIECES.len())].repeat(dice.below(300));
                text.splice(at..at, piece.into_bytes());
            }
            _ => {
                let piece = PIECES[dice.below(PIECES.len())];
                text.splice(at..end, piece.bytes());
            }
        }
    }
}

#[test]
fn any_bytes_are_a_configuration_or_a_diagnosis() {
    let said = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = said("TIDEGATE_MUTATIONS").unwrap_or(USUAL);
    let mut dice = Dice(said("TIDEGATE_SEED").unwrap_or(0x7469_6465).max(1));
    let current = Arc::new(Mutex::new(String::new()));
    let (tell, told) = mpsc::channel();
    let shown = Arc::clone(&current);
    let worker = std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nginx.conf");
        let seeds = seeds();
        assert!(seeds.len() > 50, "only {} to begin with", seeds.len());
        for number in 0..count {
            let mut text = seeds[dice.below(seeds.len())].clone();
            let mut other = seeds[dice.below(seeds.len())].clone();
            mutate(&mut text, &other, &mut dice);
            // Another file, that may include the first one.
            mutate(&mut other, &text, &mut dice);
            std::fs::write(folder.path().join("more.conf"), &other).unwrap();
            let lossy = String::from_utf8_lossy;
            *shown.lock().unwrap() = format!("{}\n--- more.conf\n{}", lossy(&text), lossy(&other));
            std::fs::write(&path, &text).unwrap();
            let options = Options { prefix: folder.path().to_path_buf(), ..Options::default() };
            let loaded = load(&path, &options);
            let told = loaded.messages();
            assert!(loaded.config.is_some() || told.contains("[emerg]"), "refused in silence");
            // What is said of a file is bounded by its length, however it is included.
            let bound = 1000 + 100 * (text.len() + other.len());
            assert!(loaded.diagnostics.len() < bound, "{} findings", loaded.diagnostics.len());
            drop(syntax::format(&String::from_utf8_lossy(&text)));
            tell.send(number).unwrap();
        }
    });
    let mut done = 0;
    while told.recv_timeout(HANGS).is_ok() {
        done += 1;
    }
    assert!(done == count, "number {done} failed:\n{}\n", current.lock().unwrap());
    worker.join().unwrap();
}

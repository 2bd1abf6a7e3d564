//! What every command ends with is what the table of the README says, and the manual page.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::process::Signal;

use crate::harness::{Tidegate, eventually, process};

/// A server that runs, with a configuration that can be broken, and a folder where none does.
struct Both {
    server: Tidegate,
    nobody: tempfile::TempDir,
}

const GOOD: &str = "pid nginx.pid; events {} http { access_log off;
     upstream app { server 127.0.0.1:8090; server 127.0.0.1:8091; }
     server { listen 127.0.0.1:8080; location / { return 200 ok; } } }";

/// Not read when the test runs, which may be by one who cannot.
const README: &str = include_str!("../README.md");

const BROKEN: &str = "pid nginx.pid; events {} http { nonsense; }";

async fn both() -> Both {
    let nobody = tempfile::tempdir().unwrap();
    std::fs::create_dir(nobody.path().join("logs")).unwrap();
    std::fs::write(nobody.path().join("nginx.conf"), GOOD).unwrap();
    Both { server: Tidegate::start(GOOD).await, nobody }
}

/// What the binary ends with on the configuration of a folder.
fn code(folder: &Path, words: &[&str]) -> i32 {
    let output = process::command(&process::binary(), folder).args(words).output().unwrap();
    output.status.code().unwrap_or_else(|| panic!("{words:?}: {output:?}"))
}

impl Both {
    fn here(&self, words: &[&str]) -> i32 {
        code(self.server.folder(), words)
    }

    fn nowhere(&self, words: &[&str]) -> i32 {
        code(self.nobody.path(), words)
    }

    /// With a configuration that is broken for the moment.
    fn broken(&mut self, words: &[&str]) -> i32 {
        self.server.put_conf(BROKEN);
        let code = self.here(words);
        self.server.put_conf(GOOD);
        code
    }

    /// What a command ends with where it should end with this code: every way to it.
    async fn ends(&mut self, command: &str, code: i32) -> Vec<i32> {
        let odd = "events {} http { server { location /a { alias /x/; } } }";
        let files = [("plain.conf", "events {}\n"), ("dense.conf", "events{}"), ("odd.conf", odd)];
        for (name, text) in files {
            std::fs::write(self.nobody.path().join(name), text).unwrap();
        }
        match (command, code) {
            ("a start", 0) => vec![self.started_and_stopped().await, self.in_background().await],
            ("a start", 1) => {
                vec![
                    self.broken(&[]),
                    self.nowhere(&["--nonsense"]),
                    self.here(&["-g", "pid logs;"]),
                ]
            }
            ("-t, -T", 0) => vec![self.here(&["-t"]), self.here(&["-T"])],
            ("-t, -T", 1) => vec![self.broken(&["-t"]), self.broken(&["-T"])],
            ("-s", 0) => ["reload", "reopen"].map(|word| self.here(&["-s", word])).to_vec(),
            ("-s", 1) => vec![self.nowhere(&["-s", "quit"]), self.broken(&["-s", "reload"])],
            ("status" | "log", 0) => vec![self.here(&[command]), self.broken(&[command])],
            ("reload", 0) => vec![self.here(&[command])],
            ("reload" | "upgrade", 1) => vec![self.nowhere(&[command]), self.broken(&[command])],
            ("upgrade", 0) => vec![self.upgraded().await],
            ("quit", 0) => {
                let code = self.here(&["quit"]);
                self.server.ends().await;
                *self = both().await;
                vec![code]
            }
            ("status" | "log" | "quit", 1) => vec![self.nowhere(&[command])],
            ("upstream", 0) => {
                let one = format!("127.0.0.1:{}", self.server.port(8091));
                vec![
                    self.here(&["upstream"]),
                    self.here(&["upstream", "app"]),
                    self.here(&["upstream", "app", "down", &one]),
                    self.here(&["upstream", "app", "up", &one]),
                ]
            }
            ("upstream", 1) => vec![
                self.nowhere(&["upstream"]),
                self.here(&["upstream", "nobody"]),
                self.here(&["upstream", "app", "down", "127.0.0.1:1"]),
            ],
            ("lint", 0) => vec![self.nowhere(&["lint", "plain.conf"])],
            ("lint", 1) => vec![self.nowhere(&["lint", "odd.conf"])],
            ("lint", 2) => vec![self.broken(&["lint"])],
            ("fmt", 0) => vec![
                self.nowhere(&["fmt", "--check", "plain.conf"]),
                self.nowhere(&["fmt", "dense.conf"]),
            ],
            ("fmt", 1) => vec![self.nowhere(&["fmt", "--check", "dense.conf"])],
            ("fmt", 2) => vec![self.nowhere(&["fmt", "none.conf"])],
            ("explain", 0) => {
                let url = format!("http://a:{}/", self.server.port(8080));
                vec![self.here(&["explain", &url])]
            }
            ("explain", 2) => {
                ["http://a:1/", "gopher://a/"].map(|url| self.here(&["explain", url])).to_vec()
            }
            ("help", 0) => vec![self.here(&["help", "root"]), self.here(&["help", "--names"])],
            ("help", 2) => vec![self.here(&["help", "nonsense"])],
            ("completions", 0) => {
                ["bash", "fish", "zsh"].map(|shell| self.nowhere(&["completions", shell])).to_vec()
            }
            ("completions", 2) => {
                vec![self.nowhere(&["completions"]), self.nowhere(&["completions", "sh"])]
            }
            ("man", 0) => vec![self.nowhere(&["man"])],
            _ => panic!("the README says of \"{command}\" that it can end with {code}"),
        }
    }

    async fn started_and_stopped(&mut self) -> i32 {
        let mut codes = BTreeSet::new();
        for signal in [Signal::TERM, Signal::QUIT] {
            self.server.signal(signal);
            codes.insert(self.server.ends().await);
            *self = both().await;
        }
        assert_eq!(codes.len(), 1, "{codes:?}");
        codes.pop_first().flatten().unwrap()
    }

    /// Comes back when another process serves, which is then told to end.
    async fn in_background(&self) -> i32 {
        let port = self.server.port(8091);
        let conf = format!(
            "daemon on; pid back.pid; error_log back.log; events {{}} http {{ access_log off;
             server {{ listen 127.0.0.1:{port}; location / {{ return 200 back; }} }} }}"
        );
        std::fs::write(self.nobody.path().join("nginx.conf"), conf).unwrap();
        let code = self.nowhere(&[]);
        self.server.at(8091).get("/").await.is(200).says("back");
        assert_eq!(self.nowhere(&["-s", "stop"]), 0);
        let pid = self.nobody.path().join("back.pid");
        eventually("it has ended", || async { !pid.exists() }).await;
        std::fs::write(self.nobody.path().join("nginx.conf"), GOOD).unwrap();
        code
    }

    async fn upgraded(&mut self) -> i32 {
        let code = self.here(&["upgrade"]);
        self.server.ends().await;
        self.here(&["-s", "stop"]);
        *self = both().await;
        code
    }
}

/// The rows of the table: a command, and what is said of each code.
fn table(text: &str) -> Vec<(String, Vec<String>)> {
    let lines = text.lines().skip_while(|line| *line != "| command | 0 | 1 | 2 |").skip(2);
    let rows = lines.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        (cells.next().unwrap(), cells.collect())
    });
    rows.collect()
}

#[tokio::test]
async fn every_command_ends_with_what_the_readme_says() {
    if !process::is_ours() {
        return;
    }
    let rows = table(README);
    assert_eq!(rows.len(), 15, "{rows:?}");
    let mut both = both().await;
    let manual = both.server.command(&["man"]).stdout;
    let manual = String::from_utf8(manual).unwrap().replace("\\-", "-");
    let status = manual.split(".SH ").find(|part| part.starts_with("EXIT STATUS")).unwrap();
    for (command, cells) in rows {
        let told =
            status.split(".TP\n").find(|part| part.starts_with(&format!("\\fB{command}\\fR")));
        let told: Vec<&str> = told.unwrap_or_else(|| panic!("{command}")).lines().skip(1).collect();
        let mut said = Vec::new();
        for (code, when) in (0..).zip(&cells).filter(|(_, when)| !when.is_empty()) {
            said.push(format!("{code}: {when}."));
            let codes = both.ends(&command, code).await;
            assert!(codes.iter().all(|found| *found == code), "{command}, {when}: {codes:?}");
        }
        assert_eq!(told, said, "{command} in the manual page");
    }
}

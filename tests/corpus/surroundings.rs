//! What a configuration taken out of its place needs: the blocks around it, and what `-t` says is
//! missing.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::harness::process;

/// A configuration in a folder, with what has been supplied so far.
pub struct Surroundings {
    folder: TempDir,
    text: String,
    level: String,
    /// Statements of the level `http`.
    supplied: Vec<String>,
}

impl Surroundings {
    /// A fragment of this level (main, http, server, location) in a new folder.
    pub fn of(text: &str, level: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("logs")).expect("a folder");
        let (text, level) = (text.to_owned(), level.to_owned());
        Self { folder, text, level, supplied: Vec::new() }
    }

    /// Runs `-t`: whether it is accepted, and what is printed.
    pub fn check(&self) -> (bool, String) {
        let supplied = self.supplied.join("\n");
        let around = match self.level.as_str() {
            "main" => "include site.conf;".to_owned(),
            "http" => format!("events {{}} http {{ {supplied}\ninclude site.conf; }}"),
            "server" => {
                format!("events {{}} http {{ {supplied}\nserver {{ include site.conf; }} }}")
            }
            _ => format!(
                "events {{}} http {{ {supplied}\nserver {{ location / {{ include site.conf; }} }} }}"
            ),
        };
        let text = match self.level.as_str() {
            "main" => self.text.replacen("http {", &format!("http {{ {supplied}"), 1),
            _ => self.text.clone(),
        };
        std::fs::write(self.folder.path().join("nginx.conf"), around).expect("a file");
        std::fs::write(self.folder.path().join("site.conf"), text).expect("a file");
        let output = process::command(&process::binary(), self.folder.path()).arg("-t").output();
        let output = output.expect("the binary can be run");
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success() || process::is_forbidden(&printed), printed)
    }

    /// Supplies what the printed findings miss; false where they miss nothing that can be.
    pub fn supply(&mut self, printed: &str) -> bool {
        let faults = printed.lines().filter(|line| line.contains("[emerg]"));
        faults.filter(|fault| self.supply_one(fault)).count() > 0
    }

    fn supply_one(&mut self, fault: &str) -> bool {
        let quoted = |n: usize| fault.split('"').nth(n).unwrap_or_default();
        let named = quoted(1);
        if fault.contains("\" variable") {
            return self.say(format!("map '' ${named} {{ default ''; }}"));
        }
        if fault.contains("no \"ssl_certificate\" is defined") {
            return self.say("ssl_certificate c.pem; ssl_certificate_key c.pem;".to_owned());
        }
        if fault.contains("no \"events\" section") {
            self.text.push_str("\nevents {}\n");
            return true;
        }
        if fault.contains("unknown log format") {
            return self.say(format!("log_format {named} '$request';"));
        }
        if fault.contains("getpwnam(") {
            return self.replace_line("user", "user root;");
        }
        if fault.contains("host not found in upstream") {
            let host = named.split(':').next().unwrap_or_default();
            return self.replace(&format!("//{host}"), "//127.0.0.1")
                | self.replace(&format!("server {host}"), "server 127.0.0.1")
                | self.replace(&format!("_pass {host}"), "_pass 127.0.0.1");
        }
        if fault.contains("No such file or directory") {
            let content = if fault.contains("load certificate") { certificate() } else { "" };
            return self.create(named, content);
        }
        false
    }

    fn say(&mut self, statement: String) -> bool {
        let new = !self.supplied.contains(&statement);
        self.supplied.push(statement);
        new
    }

    fn replace(&mut self, from: &str, to: &str) -> bool {
        let text = self.text.replace(from, to);
        let new = text != self.text;
        self.text = text;
        new
    }

    fn replace_line(&mut self, word: &str, line: &str) -> bool {
        let of_word = |line: &&str| line.split_whitespace().next() == Some(word);
        let old = self.text.lines().find(of_word).map(str::to_owned);
        old.is_some_and(|old| self.replace(&old, line))
    }

    /// Makes a file; one outside the folder is named into it.
    fn create(&mut self, path: &str, content: &str) -> bool {
        let folder = self.folder.path().to_owned();
        let inside = if let Ok(inside) = Path::new(path).strip_prefix(&folder) {
            inside.to_owned()
        } else {
            let inside = Path::new(path.trim_start_matches('/')).to_owned();
            self.replace(path, &folder.join(&inside).display().to_string());
            inside
        };
        let path = folder.join(inside);
        let new = !path.exists();
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        new
    }
}

/// A certificate and its key in one file; empty where there is no `openssl` to make them.
fn certificate() -> &'static str {
    static CERTIFICATE: OnceLock<String> = OnceLock::new();
    CERTIFICATE.get_or_init(|| {
        let words = "req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout - -out -";
        let output = Command::new("openssl").args(words.split(' ')).output();
        output
            .map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into())
    })
}

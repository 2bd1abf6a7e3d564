//! Real configurations of public repositories: each that nginx accepts is accepted, once what it
//! speaks of exists. They are read from `../shared/corpus` beside the project, where that is.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tidegate_config::{Loaded, Options, load};

/// What modules of third parties say, which nginx's own binary does not know either.
const THIRD_PARTY: [&str; 3] =
    ["lua_package_path", "lua_shared_dict", "ssl_certificate_by_lua_block"];

#[test]
fn what_nginx_accepts_is_accepted() {
    let Some(folder) = corpus() else {
        println!("skipped: there is no ../shared/corpus beside the project");
        return;
    };
    let index = std::fs::read_to_string(folder.join("index.tsv")).unwrap();
    let mut refused = Vec::new();
    let mut count = 0;
    for line in index.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, _, _, _, level, _, verdict, fault] = columns[..] else { panic!("{line}") };
        if verdict == "refused" || THIRD_PARTY.iter().any(|word| fault.contains(word)) {
            continue;
        }
        count += 1;
        let text = std::fs::read(folder.join(name)).unwrap();
        let mut file = Surrounded::new(&String::from_utf8_lossy(&text), level);
        if let Err(why) = file.accepted() {
            refused.push(format!("{name} ({level}, {verdict}):\n{why}"));
        }
    }
    let all = refused.join("\n");
    assert!(refused.is_empty(), "{} of {count} are refused:\n{all}", refused.len());
    assert!(count > 200, "only {count} configurations in the index");
}

/// The folder beside the project, also where the project is a worktree of its own.
fn corpus() -> Option<PathBuf> {
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.find_map(|folder| Some(folder.join("shared/corpus")).filter(|path| path.is_dir()))
}

/// A configuration in a folder of its own, with what is supplied to it.
struct Surrounded {
    folder: TempDir,
    text: String,
    level: String,
    /// Statements of the level `http`.
    supplied: Vec<String>,
}

impl Surrounded {
    fn new(text: &str, level: &str) -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder, text: text.to_owned(), level: level.to_owned(), supplied: Vec::new() }
    }

    /// Supplies what is missed until nothing more is.
    fn accepted(&mut self) -> Result<(), String> {
        loop {
            let loaded = self.load();
            if loaded.config.is_some() {
                if std::env::var_os("SHOW").is_some() {
                    println!("{}", loaded.messages());
                }
                return Ok(());
            }
            let faults = loaded.diagnostics.iter().map(|fault| fault.message.clone());
            let faults: Vec<String> = faults.collect();
            if faults.iter().filter(|fault| self.supply(fault)).count() == 0 {
                return Err(loaded.messages());
            }
        }
    }

    fn load(&self) -> Loaded {
        let supplied = self.supplied.join("\n");
        let (head, tail) = match self.level.as_str() {
            "main" => ("", ""),
            "http" => ("http {", "}"),
            "server" => ("http { server {", "} }"),
            _ => ("http { server { location / {", "} } }"),
        };
        let around = if self.level == "main" {
            "include site.conf;".to_owned()
        } else {
            let head = head.replacen("http {", &format!("http {{ {supplied}\n"), 1);
            format!("events {{}} {head} include site.conf; {tail}")
        };
        let text = match self.level.as_str() {
            "main" => self.text.replacen("http {", &format!("http {{ {supplied}"), 1),
            _ => self.text.clone(),
        };
        let path = self.folder.path().join("nginx.conf");
        std::fs::write(&path, around).unwrap();
        std::fs::write(self.folder.path().join("site.conf"), text).unwrap();
        load(&path, &Options { prefix: self.folder.path().to_path_buf(), ..Options::default() })
    }

    /// Supplies what a fault misses; false where that cannot be.
    fn supply(&mut self, fault: &str) -> bool {
        let named = fault.split('"').nth(1).unwrap_or_default().to_owned();
        if fault.starts_with("unknown \"") && fault.ends_with("\" variable") {
            return self.say(format!("map '' ${named} {{ default ''; }}"));
        }
        if fault.starts_with("unknown log format") {
            return self.say(format!("log_format {named} '$request';"));
        }
        if fault.starts_with("no \"events\" section") {
            self.text.push_str("\nevents {}\n");
            return true;
        }
        if fault.starts_with("no \"ssl_certificate\" is defined") {
            return self.say("ssl_certificate c.pem; ssl_certificate_key c.pem;".to_owned());
        }
        fault.contains("No such file or directory") && self.create(&named)
    }

    fn say(&mut self, statement: String) -> bool {
        let new = !self.supplied.contains(&statement);
        self.supplied.push(statement);
        new
    }

    /// Makes an empty file; one outside the folder is named into it.
    fn create(&mut self, path: &str) -> bool {
        let folder = self.folder.path().to_owned();
        let inside = if let Ok(inside) = Path::new(path).strip_prefix(&folder) {
            inside.to_owned()
        } else {
            let inside = Path::new(path.trim_start_matches('/')).to_owned();
            self.text = self.text.replace(path, &folder.join(&inside).display().to_string());
            inside
        };
        let path = folder.join(inside);
        let new = !path.exists();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
        new
    }
}

//! What becomes of the members of a group while the server runs.

use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;

use super::UpstreamServer;
use super::state::members;
use crate::diagnostic::Diagnostics;
use crate::directive::Cx;
use crate::files::Files;
use crate::names::Names;
use crate::source::Span;
use crate::syntax::Word;
use crate::value::address::{Form, Target};

/// What is to be done.
const KNOWN: &str =
    "add 'ADDRESS weight=2', remove ADDRESS, drain ADDRESS, down ADDRESS or up ADDRESS";

/// A change to the members of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is another one.
    Add(Box<UpstreamServer>),
    /// One is no more: it gets no more requests, those that it has are finished.
    Remove(String),
    /// One is `drain`, `down`, or neither.
    Mark(String, Mark),
}

/// What a member is marked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is asked.
    Up,
    /// Only those that are kept with it ask it.
    Drain,
    /// It is not asked.
    Down,
}

impl Change {
    /// Reads it as it is said on a command line; what is wrong with it is told.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["add", line @ ..] if !line.is_empty() => added(&line.join(" ")),
            ["remove", address] => Ok(Self::Remove((*address).to_owned())),
            ["up", address] => Ok(Self::Mark((*address).to_owned(), Mark::Up)),
            ["drain", address] => Ok(Self::Mark((*address).to_owned(), Mark::Drain)),
            ["down", address] => Ok(Self::Mark((*address).to_owned(), Mark::Down)),
            [known @ ("add" | "remove" | "up" | "drain" | "down"), ..] => {
                Err(format!("{known} takes one server; known: {KNOWN}"))
            }
            [other, ..] => Err(format!("\"{other}\" is no change of a group; known: {KNOWN}")),
            [] => Err(format!("nothing is to be changed; known: {KNOWN}")),
        }
    }

    /// The members that there are then; why it cannot be, otherwise.
    pub fn apply(&self, servers: &[UpstreamServer]) -> Result<Vec<UpstreamServer>, String> {
        let mut servers = servers.to_vec();
        match self {
            Self::Add(server) if servers.iter().any(|known| is_at(known, &server.text)) => {
                return Err(format!("server {} is there already", server.text));
            }
            Self::Add(server) => servers.push((**server).clone()),
            Self::Remove(address) => {
                known(&servers, address)?;
                servers.retain(|server| !is_at(server, address));
                if servers.iter().all(|server| server.backup) {
                    let text =
                        "is the last one that is no backup: add another one first, or mark it down";
                    return Err(format!("server {address} {text}"));
                }
            }
            Self::Mark(address, mark) => {
                known(&servers, address)?;
                for server in servers.iter_mut().filter(|server| is_at(server, address)) {
                    server.down = *mark == Mark::Down;
                    server.drain = *mark == Mark::Drain;
                }
            }
        }
        Ok(servers)
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add(server) => write!(f, "{server} is added"),
            Self::Remove(address) => write!(f, "server {address} is removed"),
            Self::Mark(address, Mark::Up) => write!(f, "server {address} is up"),
            Self::Mark(address, Mark::Drain) => write!(f, "server {address} is draining"),
            Self::Mark(address, Mark::Down) => write!(f, "server {address} is down"),
        }
    }
}

/// Whether a member is meant by an address: as it is written, or the same otherwise written.
fn is_at(server: &UpstreamServer, address: &str) -> bool {
    let parsed = || Target::parse(address, 80, Form::Server).ok();
    server.text == address || parsed().is_some_and(|target| target.address == server.address)
}

fn known(servers: &[UpstreamServer], address: &str) -> Result<(), String> {
    if servers.iter().any(|server| is_at(server, address)) {
        return Ok(());
    }
    let all: Vec<&str> = servers.iter().map(|server| server.text.as_str()).collect();
    Err(format!("there is no server {address}; there are: {}", all.join(", ")))
}

/// One line of `server`, of which the word and the semicolon may be left away.
fn added(line: &str) -> Result<Change, String> {
    let line = line.trim().trim_end_matches(';').trim_end();
    let line = line.strip_prefix("server ").unwrap_or(line);
    let (mut diagnostics, mut names) = (Diagnostics::default(), Names::default());
    let files = Arc::<Files>::default();
    let nowhere = Path::new("");
    let mut cx = Cx {
        diagnostics: &mut diagnostics,
        names: &mut names,
        prefix: nowhere,
        folder: nowhere,
        files: &files,
    };
    let at = Word { text: String::new(), span: Span::NONE, quoted: false };
    let place = format!("\"{line}\"");
    let read = members(&format!("server {line};"), &place, &at, &mut cx);
    let read = read.map_err(|fault| match fault.hint {
        Some(hint) => format!("{}; {hint}", fault.message),
        None => fault.message.into_owned(),
    })?;
    match <[UpstreamServer; 1]>::try_from(read) {
        Ok([server]) => Ok(Change::Add(Box::new(server))),
        Err(_) => Err(format!("{place} is not one server; known: {KNOWN}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::upstream::server::lines;

    fn said(words: &str) -> Result<Change, String> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        Change::parse(&words)
    }

    fn after(servers: &[UpstreamServer], words: &str) -> Result<Vec<UpstreamServer>, String> {
        said(words)?.apply(servers)
    }

    #[test]
    fn what_is_written_is_read_again() {
        for line in [
            "127.0.0.1:8001",
            "127.0.0.1 weight=3 max_fails=0 max_conns=7 fail_timeout=90s slow_start=5s",
            "\"unix:/tmp/a b;\\\"c\\\\.sock\" \"route=a b\" backup down",
            "app.internal service=http resolve drain",
        ] {
            let Ok(Change::Add(server)) = added(line) else { panic!("{:?}", added(line)) };
            assert_eq!(server.to_string(), format!("server {line}"));
        }
        assert_eq!(
            added("server 10.0.0.1:1 fail_timeout=1m ;").map(|change| change.to_string()),
            Ok("server 10.0.0.1:1 fail_timeout=60s is added".to_owned())
        );
    }

    #[test]
    fn members_come_and_go() {
        let one = after(&[], "add server 127.0.0.1:80 weight=2;").unwrap();
        let two = after(&one, "add unix:/a.sock backup").unwrap();
        let down = after(&two, "down 127.0.0.1").unwrap();
        assert_eq!(
            lines(&down),
            "server 127.0.0.1:80 weight=2 down;\nserver unix:/a.sock backup;\n"
        );
        let drained = after(&down, "drain 127.0.0.1:80").unwrap();
        assert!(drained[0].drain && !drained[0].down);
        assert_eq!(after(&drained, "up 127.0.0.1:80").unwrap(), two);
        assert_eq!(after(&two, "remove unix:/a.sock").unwrap(), one);
    }

    #[test]
    fn what_cannot_be_is_told() {
        let one = after(&[], "add 127.0.0.1:80").unwrap();
        for (words, fault) in [
            ("add 127.0.0.1", "server 127.0.0.1 is there already"),
            ("add a weight=x", "invalid parameter \"weight=x\""),
            ("add a wait=1", "invalid parameter \"wait=1\"; known: weight=, "),
            ("add a; server b", "\"a; server b\" is not one server"),
            ("add a } server b", "unexpected \"}\""),
            ("add http://a", "invalid host in upstream \"http://a\"; a server is"),
            ("remove 127.0.0.1:80", "is the last one that is no backup: add another one first"),
            ("up b", "there is no server b; there are: 127.0.0.1:80"),
            ("up", "up takes one server; known: add "),
            ("grow", "\"grow\" is no change of a group; known: add "),
        ] {
            let told = after(&one, words).unwrap_err();
            assert!(told.contains(fault), "{words}: {told}");
        }
    }
}

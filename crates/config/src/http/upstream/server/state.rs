//! `state`: members that stand in a file of their own.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::UpstreamServer;
use crate::diagnostic::Diagnostics;
use crate::directive::{Arguments, Cx, Fault};
use crate::source::Sources;
use crate::syntax::{self, End, Statement, Word};
use crate::value::Value;

/// A file of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Where it lies.
    pub path: PathBuf,
    /// The members that it names.
    pub servers: Vec<UpstreamServer>,
}

/// Reads the members that a file names; none where it is not there.
pub(super) fn read(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<State>, Fault> {
    let word = args.first();
    let path = cx.folder.join(&word.text);
    let bytes = match cx.files.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => Arc::default(),
        Err(error) => {
            let text = format!("open() \"{}\" failed ({error})", path.display());
            return Err(Fault::sentence(text).at(word.span));
        }
    };
    let place = format!("the state file \"{}\"", path.display());
    let servers = members(&String::from_utf8_lossy(&bytes), &place, word, cx)?;
    Ok(Some(State { path, servers }))
}

/// The members that lines of `server` name; what is wrong with them is told at a word.
pub(crate) fn members(
    text: &str,
    place: &str,
    at: &Word,
    cx: &mut Cx<'_>,
) -> Result<Vec<UpstreamServer>, Fault> {
    let mut diagnostics = Diagnostics::default();
    let statements = syntax::parse(place, text, &mut Sources::default(), &mut diagnostics);
    if let Some(first) = diagnostics.iter().next() {
        return Err(Fault::sentence(format!("{} in {place}", first.message)).at(at.span));
    }
    let mut members = Vec::with_capacity(statements.len());
    for statement in &statements {
        if statement.name.text != "server" || statement.end != End::Semicolon {
            let name = &statement.name.text;
            let text = format!("directive \"{name}\" is not allowed in {place}");
            return Err(Fault::sentence(text).at(at.span).hint("it holds lines of `server`"));
        }
        members.push(member(statement, at, cx)?);
    }
    Ok(members)
}

/// One line.
fn member(statement: &Statement, at: &Word, cx: &mut Cx<'_>) -> Result<UpstreamServer, Fault> {
    let here = |word: &Word| Word { span: at.span, ..word.clone() };
    let words: Vec<Word> = statement.args.iter().map(here).collect();
    if words.is_empty() {
        let text = "invalid number of arguments in \"server\" directive of the state file";
        return Err(Fault::sentence(text).at(at.span));
    }
    UpstreamServer::parse(&Arguments { name: &here(&statement.name), words: &words }, cx)
}

/// Members as lines of `server`.
pub fn lines(servers: &[UpstreamServer]) -> String {
    servers.iter().fold(String::new(), |mut text, server| {
        let _ = writeln!(text, "{server};");
        text
    })
}

impl Display for UpstreamServer {
    /// As `server` says it, without a semicolon; what is said anyway is left away.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = Self::new("", self.address.clone());
        write!(f, "server {}", quoted(&self.text))?;
        let numbers = [
            ("weight", self.weight, usual.weight),
            ("max_fails", self.max_fails, usual.max_fails),
            ("max_conns", self.max_conns, usual.max_conns),
        ];
        for (name, number, _) in numbers.iter().filter(|(_, number, usual)| number != usual) {
            write!(f, " {name}={number}")?;
        }
        let times = [
            ("fail_timeout", self.fail_timeout, usual.fail_timeout),
            ("slow_start", self.slow_start, Duration::ZERO),
        ];
        for (name, time, _) in times.iter().filter(|(_, time, usual)| time != usual) {
            write!(f, " {name}={}s", time.as_secs())?;
        }
        let words = [("route", Some(&self.route)), ("service", self.service.as_ref())];
        for (name, word) in words {
            if let Some(word) = word.filter(|word| !word.is_empty()) {
                write!(f, " {}", quoted(&format!("{name}={word}")))?;
            }
        }
        let marks = [
            ("resolve", self.resolve),
            ("backup", self.backup),
            ("drain", self.drain),
            ("down", self.down),
        ];
        marks.iter().filter(|(_, is)| *is).try_for_each(|(name, _)| write!(f, " {name}"))
    }
}

/// A word as it has to be written.
fn quoted(word: &str) -> Cow<'_, str> {
    let special = |char: char| char.is_whitespace() || ";{}\"'\\#$".contains(char);
    if !word.contains(special) {
        return word.into();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")).into()
}

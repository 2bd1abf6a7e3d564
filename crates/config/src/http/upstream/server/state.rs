//! `state`: members that stand in a file of their own.

use std::io::ErrorKind;

use super::UpstreamServer;
use crate::diagnostic::Diagnostics;
use crate::directive::{Arguments, Cx, Fault};
use crate::source::Sources;
use crate::syntax::{self, End, Statement, Word};
use crate::value::Value;

/// Reads the members that a file names; none where it is not there.
pub(super) fn read(
    args: &Arguments<'_>,
    cx: &mut Cx<'_>,
) -> Result<Option<Vec<UpstreamServer>>, Fault> {
    let word = args.first();
    let path = cx.folder.join(&word.text);
    let told = path.display();
    let bytes = match cx.files.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(Vec::new())),
        Err(error) => {
            let text = format!("open() \"{told}\" failed ({error})");
            return Err(Fault::sentence(text).at(word.span));
        }
    };
    let mut diagnostics = Diagnostics::default();
    let text = String::from_utf8_lossy(&bytes);
    let statements = syntax::parse(&word.text, &text, &mut Sources::default(), &mut diagnostics);
    if let Some(first) = diagnostics.iter().next() {
        let text = format!("{} in the state file \"{told}\"", first.message);
        return Err(Fault::sentence(text).at(word.span));
    }
    let mut members = Vec::with_capacity(statements.len());
    for statement in &statements {
        if statement.name.text != "server" || statement.end != End::Semicolon {
            let name = &statement.name.text;
            let text = format!("directive \"{name}\" is not allowed in the state file \"{told}\"");
            return Err(Fault::sentence(text).at(word.span).hint("it holds lines of `server`"));
        }
        members.push(member(statement, word, cx)?);
    }
    Ok(Some(members))
}

/// One line; what is wrong with it is told at the word that names the file.
fn member(statement: &Statement, at: &Word, cx: &mut Cx<'_>) -> Result<UpstreamServer, Fault> {
    let here = |word: &Word| Word { span: at.span, ..word.clone() };
    let words: Vec<Word> = statement.args.iter().map(here).collect();
    if words.is_empty() {
        let text = "invalid number of arguments in \"server\" directive of the state file";
        return Err(Fault::sentence(text).at(at.span));
    }
    UpstreamServer::parse(&Arguments { name: &here(&statement.name), words: &words }, cx)
}

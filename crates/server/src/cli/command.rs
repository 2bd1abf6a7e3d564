//! Commands of ours: a word before the options, or behind those that say which configuration is meant.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use lexopt::prelude::{Long, Short, Value, ValueExt};
use tidegate_config::{Loaded, Options, load};

use super::options::COMMANDS;
use super::{Cli, completions, explain, fmt, help, in_nginx_words, lint};

/// Carries out the command that the command line names, if it does: behind `-p` and the like, or
/// before them.
pub(crate) fn run() -> Option<ExitCode> {
    let mut parser = lexopt::Parser::from_env();
    let mut asked = Asked::default();
    // What is no such option is left to the command line without a command.
    let first = loop {
        match parser.next().ok()?? {
            Value(word) => break word,
            Short(option) => asked.place(option, &mut parser).ok()?.then_some(())?,
            Long(_) => return None,
        }
    };
    let act: fn(&Asked) -> Result<ExitCode> = match first.to_string_lossy().as_ref() {
        "completions" => completions::run,
        "explain" => explain::run,
        "fmt" => fmt::run,
        "help" => help::run,
        "lint" => lint::run,
        "man" => help::man,
        _ => return None,
    };
    let asked = asked.parse(&first.to_string_lossy(), parser);
    Some(asked.and_then(|asked| act(&asked)).unwrap_or_else(|fault| {
        eprintln!("tidegate: {fault:#}");
        ExitCode::from(FAILED)
    }))
}

/// How a command ends that could not do its work.
pub(super) const FAILED: u8 = 2;

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For tools.
    Json,
}

/// What is said behind a command.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// `-c`, `-p`, `-g`: which configuration is meant.
    pub(super) cli: Cli,
    /// `--format`
    pub(super) format: Format,
    /// Options of the command's own, and their values.
    pub(super) options: Vec<(String, String)>,
    /// Words that are no options.
    pub(super) words: Vec<OsString>,
}

impl Asked {
    /// Takes up an option that says which configuration is meant; false where it is another.
    fn place(&mut self, option: char, parser: &mut lexopt::Parser) -> Result<bool> {
        match option {
            'c' => self.cli.conf = Some(path(parser)?),
            'p' => self.cli.prefix = Some(path(parser)?),
            'g' => self.cli.global = Some(text(parser)?),
            'e' => self.cli.error_log = Some(path(parser)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn parse(mut self, command: &str, mut parser: lexopt::Parser) -> Result<Self> {
        let asked = &mut self;
        while let Some(word) = parser.next().map_err(in_nginx_words)? {
            match word {
                Short(option @ ('c' | 'e' | 'g' | 'p')) => drop(asked.place(option, &mut parser)?),
                Long("format") => {
                    asked.format = match text(&mut parser)?.as_str() {
                        "text" => Format::Text,
                        "json" => Format::Json,
                        other => bail!("--format is text or json, not \"{other}\""),
                    }
                }
                Value(word) => asked.words.push(word),
                Short('X') => asked.option("-X", text(&mut parser)?),
                Short('H') => asked.option("-H", text(&mut parser)?),
                Long("from") => asked.option("--from", text(&mut parser)?),
                Long(flag @ ("check" | "names" | "write")) => {
                    let flag = format!("--{flag}");
                    asked.option(&flag, String::new());
                }
                other => bail!("{command}: {}", in_nginx_words(other.unexpected())),
            }
        }
        let own = COMMANDS.iter().find(|known| known.name == command);
        let known = |name: &str| own.is_some_and(|own| own.options.iter().any(|o| o.0 == name));
        match asked.options.iter().find(|(name, _)| !known(name)) {
            Some((name, _)) => bail!("{command} has no option \"{name}\""),
            None => Ok(self),
        }
    }

    fn option(&mut self, name: &str, value: String) {
        self.options.push((name.to_owned(), value));
    }

    /// The value of an option, where it was said.
    pub(super) fn option_value(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether an option was said.
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(known, _)| known == name)
    }

    /// Reads the configuration that is meant: this file, or the one that `-c` and `-p` name.
    pub(super) fn load(&self, file: Option<&Path>) -> (PathBuf, Loaded) {
        let mut cli = self.cli.clone();
        cli.conf = file.map(Path::to_path_buf).or(cli.conf);
        let conf = cli.conf();
        let options =
            Options { prefix: cli.prefix(&conf), global: cli.global, ..Options::default() };
        let loaded = load(&conf, &options);
        (conf, loaded)
    }
}

fn path(parser: &mut lexopt::Parser) -> Result<PathBuf> {
    Ok(parser.value().map_err(in_nginx_words)?.into())
}

fn text(parser: &mut lexopt::Parser) -> Result<String> {
    let value = parser.value().map_err(in_nginx_words)?;
    value.string().map_err(|_| anyhow!("an option's value is no text"))
}

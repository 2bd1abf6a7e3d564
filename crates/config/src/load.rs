//! From a path to a configuration, or to all that is wrong with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::block::http::HttpDraft;
use crate::block::{Config, Events, Main, Opens, table};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::directive::{
    Arguments, Block, Context, Cx, Fault, Nesting, Owner, Table, judge, report,
};
use crate::files::Files;
use crate::http::error_log::ErrorTarget;
use crate::lint;
use crate::names::Names;
use crate::source::Sources;
use crate::syntax::{self, ReadOptions, Statement};

/// Where things lie.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where relative paths of files and folders begin (`-p`).
    pub prefix: PathBuf,
    /// Directives that are read before the file (`-g`).
    pub global: Option<String>,
    /// Where faults are told unless the file says so (`-e`): a path, or `stderr`. `None` is
    /// nginx's `logs/error.log`.
    pub error_log: Option<PathBuf>,
    /// What files are read by; new for every load, or from a process with more rights.
    pub files: Arc<Files>,
    /// Whether files that are not there are no faults but notices: what is judged is to be used on
    /// another machine.
    pub without_files: bool,
}

/// What came of reading a configuration.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration; absent where anything is wrong with it.
    pub config: Option<Config>,
    /// What is wrong, odd or worth knowing.
    pub diagnostics: Diagnostics,
    /// The files read.
    pub sources: Sources,
    /// What they say, included files in their places.
    pub statements: Vec<Statement>,
}

impl Loaded {
    /// All messages as text, for a person.
    pub fn messages(&self) -> String {
        self.diagnostics.render(&self.sources)
    }
}

/// Reads a configuration with all its includes, and checks it whole.
pub fn load(path: &Path, options: &Options) -> Loaded {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let (global, files) = (options.global.clone(), Arc::clone(&options.files));
    let read = ReadOptions { global, files: Arc::clone(&files), ..ReadOptions::default() };
    let statements = syntax::read(path, &read, &mut sources, &mut diagnostics);
    let mut names = Names::default();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut cx = Cx {
        diagnostics: &mut diagnostics,
        names: &mut names,
        prefix: &options.prefix,
        folder,
        files: &files,
    };
    let table = table();
    let config = check(table, &statements, options.error_log.as_deref(), &mut cx);
    lint::run(&statements, (table, &options.prefix), &sources, &mut diagnostics);
    names.finish(&mut diagnostics);
    if options.without_files {
        diagnostics.excuse_absent();
    }
    lint::keep_what_is_not_allowed(&mut diagnostics, &sources);
    let config = if diagnostics.has_errors() { None } else { config };
    Loaded { config, diagnostics, sources, statements }
}

fn check(
    table: &Table,
    statements: &[Statement],
    error_log: Option<&Path>,
    cx: &mut Cx<'_>,
) -> Option<Config> {
    let mut draft = Draft::default();
    for statement in statements {
        let Some(owner) = judge(table, statement, Context::Main, cx) else { continue };
        if let Err(fault) = draft.take(table, owner, statement, cx) {
            report(&fault, statement, cx);
        }
    }
    if !draft.has_events && !cx.diagnostics.has_errors() {
        let hint = "add an empty one: events {}";
        cx.diagnostics.push(Diagnostic::emerg("no \"events\" section in configuration").hint(hint));
    }
    if draft.main.error_log.targets.is_empty() {
        draft.main.error_log.targets.push(ErrorTarget::unsaid(error_log, cx));
    }
    match draft.resolve(table, cx) {
        Ok(config) => {
            config.events.connections.check(config.http.sockets.len(), cx);
            config.main.process.check(cx);
            Some(config)
        }
        Err(fault) => {
            let told = Diagnostic::emerg(fault.message.to_string());
            cx.diagnostics.push(fault.hint.into_iter().fold(told, Diagnostic::hint));
            None
        }
    }
}

#[derive(Default)]
struct Draft {
    main: <Main as Block>::Written,
    events: <Events as Block>::Written,
    has_events: bool,
    http: Option<HttpDraft>,
}

impl Draft {
    fn take(
        &mut self,
        table: &Table,
        owner: Owner,
        statement: &Statement,
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault> {
        let args = Arguments { name: &statement.name, words: &statement.args };
        let body = statement.body();
        match owner {
            Owner::Main(_) if self.is_late(statement) => {
                Err(Fault::phrase("is specified too late")
                    .hint("let it stand before `events` and `http`"))
            }
            Owner::Main(key) => Main::set(&mut self.main, key, &args, cx),
            Owner::Block(Opens::Events) if self.has_events => Err(Fault::duplicate()),
            Owner::Block(Opens::Events) => {
                self.has_events = true;
                self.read_events(table, body, cx);
                Ok(())
            }
            Owner::Block(Opens::Http) if self.http.is_some() => Err(Fault::duplicate()),
            Owner::Block(Opens::Http) => {
                self.http = Some(HttpDraft::read(table, body, cx)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// nginx counts its modules when the first block of them begins.
    fn is_late(&self, statement: &Statement) -> bool {
        statement.name.text == "load_module" && (self.has_events || self.http.is_some())
    }

    fn read_events(&mut self, table: &Table, body: &[Statement], cx: &mut Cx<'_>) {
        for statement in body {
            if let Some(Owner::Events(key)) = judge(table, statement, Context::Events, cx) {
                let args = Arguments { name: &statement.name, words: &statement.args };
                if let Err(fault) = Events::set(&mut self.events, key, &args, cx) {
                    report(&fault, statement, cx);
                }
            }
        }
    }

    fn resolve(&self, table: &Table, cx: &mut Cx<'_>) -> Result<Config, Fault> {
        let main = Main::resolve(&self.main, None, Nesting::Level, cx)?;
        let events = Events::resolve(&self.events, None, Nesting::Level, cx)?;
        let http = match &self.http {
            Some(draft) => draft.resolve(&main, cx)?,
            None => HttpDraft::read(table, &[], cx)?.resolve(&main, cx)?,
        };
        Ok(Config { main, events, http: Arc::new(http), files: Arc::clone(cx.files) })
    }
}

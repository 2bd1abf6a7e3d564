//! Reads files, and puts what `include` names in its place.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::statement::{self, MAX_DEPTH};
use super::{End, Statement};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::files::Files;
use crate::source::{Sources, Span};

/// What may be said beside the main file's path.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The folder from which relative includes start; `None`: the main file's own.
    pub conf_prefix: Option<PathBuf>,
    /// Directives of the command line (`-g`), which stand before the main file's.
    pub global: Option<String>,
    /// What files are read by.
    pub files: Arc<Files>,
}

/// The files that stand in for missing ones of the same name.
pub(super) const BUILT_IN: [(&str, &str); 6] = [
    ("mime.types", include_str!("../../../../conf/mime.types")),
    ("uwsgi_params", include_str!("../../../../conf/uwsgi_params")),
    ("fastcgi_params", include_str!("../../../../conf/fastcgi_params")),
    ("fastcgi.conf", include_str!("../../../../conf/fastcgi.conf")),
    ("scgi_params", include_str!("../../../../conf/scgi_params")),
    ("proxy_params", include_str!("../../../../conf/proxy_params")),
];

/// How deeply includes may be nested.
const MAX_INCLUDES: usize = 32;

/// Reads the main file and all it includes. Faults go to `diagnostics`; what could be understood
/// comes back, included files in the places of their `include` statements.
pub fn read(
    path: &Path,
    options: &ReadOptions,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<Statement> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let prefix = options.conf_prefix.as_deref().unwrap_or(folder);
    let files = &options.files;
    let mut reader = Reader { prefix, files, sources, diagnostics, including: Vec::new() };
    let mut body = Vec::new();
    if let Some(global) = &options.global {
        body = reader.global(global);
    }
    match load(path, files) {
        Ok(text) => body.extend(reader.file(path, text, 0)),
        Err(error) => reader.diagnostics.push(Diagnostic::emerg(fault(path, &error))),
    }
    body
}

/// Reads one text as if it were the file `name`; includes are left as they stand.
pub fn parse(
    name: &str,
    text: &str,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<Statement> {
    let file = sources.push(name, text);
    let parsed = statement::parse(text, file, 0);
    diagnostics.extend(parsed.faults);
    parsed.body
}

struct Reader<'a> {
    prefix: &'a Path,
    files: &'a Files,
    sources: &'a mut Sources,
    diagnostics: &'a mut Diagnostics,
    /// The files that are being read, each included by the one before it.
    including: Vec<PathBuf>,
}

impl Reader<'_> {
    /// The directives of `-g`.
    fn global(&mut self, text: &str) -> Vec<Statement> {
        let file = self.sources.push_text("command line", text);
        let mut parsed = statement::parse(text, file, 0);
        for fault in &mut parsed.faults {
            if fault.message.starts_with("unexpected end of file") {
                "unexpected end of parameter, expecting \";\"".clone_into(&mut fault.message);
            }
        }
        self.diagnostics.extend(parsed.faults);
        let (body, blocks): (Vec<_>, Vec<_>) =
            parsed.body.into_iter().partition(|statement| statement.end == End::Semicolon);
        for block in blocks {
            let message = "block directives are not supported in -g option";
            self.diagnostics.push(Diagnostic::emerg(message).at(block.name.span));
        }
        self.expand(body, 0)
    }

    /// One file, and all it includes. `depth` says how many blocks are around it.
    fn file(&mut self, path: &Path, text: String, depth: usize) -> Vec<Statement> {
        let file = self.sources.push(path, text);
        let text = self.sources.get(file).map_or("", |source| &source.text);
        let parsed = statement::parse(text, file, depth);
        self.diagnostics.extend(parsed.faults);
        self.including.push(path.to_owned());
        let body = self.expand(parsed.body, depth);
        self.including.pop();
        body
    }

    fn expand(&mut self, body: Vec<Statement>, depth: usize) -> Vec<Statement> {
        let mut expanded = Vec::with_capacity(body.len());
        for mut statement in body {
            if statement.name.text == "include" {
                expanded.extend(self.include(&statement, depth));
                continue;
            }
            if let End::Block { body, .. } = &mut statement.end {
                *body = self.expand(std::mem::take(body), depth + 1);
            }
            expanded.push(statement);
        }
        expanded
    }

    fn include(&mut self, statement: &Statement, depth: usize) -> Vec<Statement> {
        let fault = match (&statement.end, statement.args.as_slice()) {
            (End::Block { .. }, _) => "directive \"include\" is not terminated by \";\"",
            (End::Semicolon, [word]) => return self.named(&word.text, word.span, depth),
            (End::Semicolon, _) => "invalid number of arguments in \"include\" directive",
        };
        let fault = Diagnostic::emerg(fault).at(statement.name.span);
        self.diagnostics.push(fault.hint("include takes one path or pattern: `include PATH;`"));
        Vec::new()
    }

    /// All files that a path or a pattern names.
    fn named(&mut self, name: &str, span: Span, depth: usize) -> Vec<Statement> {
        let path = self.prefix.join(name);
        if !name.contains(['*', '?', '[']) {
            return self.included(&path, span, depth);
        }
        match self.files.matching(&path.to_string_lossy(), matches) {
            Ok(paths) => paths.iter().flat_map(|path| self.included(path, span, depth)).collect(),
            Err(reason) => {
                let message = format!("glob() \"{}\" failed ({reason})", path.display());
                self.diagnostics.push(Diagnostic::emerg(message).at(span));
                Vec::new()
            }
        }
    }

    fn included(&mut self, path: &Path, span: Span, depth: usize) -> Vec<Statement> {
        if self.including.iter().any(|outer| outer == path) {
            let message = format!("\"{}\" includes itself", path.display());
            let through = self.including.iter().map(|path| path.display().to_string());
            let hint = format!("by way of {}", through.collect::<Vec<_>>().join(", "));
            self.diagnostics.push(Diagnostic::emerg(message).at(span).hint(hint));
            return Vec::new();
        }
        if self.including.len() >= MAX_INCLUDES || depth >= MAX_DEPTH {
            self.diagnostics.push(Diagnostic::emerg("too many nested includes").at(span));
            return Vec::new();
        }
        match load(path, self.files) {
            Ok(text) => self.file(path, text, depth),
            Err(error) => self.missing(path, &error, span, depth),
        }
    }

    /// The built-in file of that name, else the fault.
    fn missing(
        &mut self,
        path: &Path,
        error: &io::Error,
        span: Span,
        depth: usize,
    ) -> Vec<Statement> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
        let built_in = BUILT_IN.iter().find(|(built_in, _)| *built_in == name);
        let exists = !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        let (Some((name, text)), false) = (built_in, exists) else {
            let fault = Diagnostic::emerg(fault(path, error)).at(span);
            self.diagnostics.push(fault.absent(!exists));
            return Vec::new();
        };
        let message = format!(
            "\"{}\" does not exist, the built-in \"{name}\" is used instead",
            path.display()
        );
        self.diagnostics.push(Diagnostic::new(Severity::Notice, message).at(span));
        self.file(Path::new(&format!("{name} (built in)")), (*text).to_owned(), depth)
    }
}

/// The files that match a pattern, in the order of their bytes, as glob(3) gives them.
fn matches(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    // `**` is twice `*` here, not any number of folders.
    let mut pattern = pattern.to_owned();
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    let paths = glob::glob_with(&pattern, options).map_err(|error| error.msg.to_owned())?;
    let mut paths: Vec<PathBuf> = paths.filter_map(Result::ok).collect();
    paths.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    Ok(paths)
}

/// The text of a file.
fn load(path: &Path, files: &Files) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&files.read(path)?).into_owned())
}

/// Why a file cannot be read, in nginx's words.
fn fault(path: &Path, error: &io::Error) -> String {
    let call = match error.kind() {
        ErrorKind::FileTooLarge => {
            return format!("\"{}\" is longer than 64 megabytes", path.display());
        }
        ErrorKind::IsADirectory => "pread",
        _ => "open",
    };
    format!("{call}() \"{}\" failed ({})", path.display(), system_error(error))
}

/// An error of the system as nginx writes it: "2: No such file or directory".
fn system_error(error: &io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.split_once(" (os error")) {
        (Some(number), Some((words, _))) => format!("{number}: {words}"),
        _ => text,
    }
}

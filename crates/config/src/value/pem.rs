//! Certificates and keys: a file, text behind `data:`, or what variables say.

use std::path::PathBuf;

use crate::directive::{Arguments, Cx, Fault};
use crate::source::Span;
use crate::value::Value;
use crate::value::template::Template;

/// Where certificates or keys are read from, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pem {
    /// Where they are.
    pub from: PemSource,
    /// As it is written.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

/// Where certificates or keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PemSource {
    /// In a file.
    File(PathBuf),
    /// In the configuration itself, behind `data:`.
    Data(String),
    /// Where variables say, at each handshake: a path under this folder, or text behind `data:`.
    Variable(Template, PathBuf),
}

/// A file that is named beside the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemFile {
    /// Its path.
    pub path: PathBuf,
    /// Where it is named.
    pub span: Span,
}

impl Value for PemFile {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let path = cx.folder.join(&word.text);
        // What is wrong with it is told by who needs it.
        let _ = cx.files.read(&path);
        Ok(Self { path, span: word.span })
    }
}

impl Value for Pem {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let (text, span) = (word.text.clone(), word.span);
        let from =
            if let Some(scheme) = ["engine:", "store:"].iter().find(|s| text.starts_with(**s)) {
                return Err(Fault::phrase(format!("does not take \"{scheme}\""))
                    .at(span)
                    .hint("keys are read from files; name one"));
            } else if text.contains('$') {
                PemSource::Variable(Template::compile(word, cx)?, cx.folder.to_owned())
            } else if let Some(data) = text.strip_prefix("data:") {
                PemSource::Data(data.to_owned())
            } else {
                let path = cx.folder.join(&text);
                // What is wrong with it is told by who needs it.
                let _ = cx.files.read(&path);
                PemSource::File(path)
            };
        Ok(Self { from, text, span })
    }
}

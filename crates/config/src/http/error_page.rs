//! `error_page`: what is answered in place of a status.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::template::Template;

/// What is answered in place of a status.
#[derive(Clone, Debug, Directives)]
pub struct ErrorPages {
    /// The URI, `@name` or address that answers in place of some statuses; `=` changes the status.
    #[directive("error_page", also(LocationIf), repeat, parse = ErrorPage::parse, args(2, ..))]
    pub pages: Vec<ErrorPage>,
    /// Whether an error within an error page has its own page.
    #[directive("recursive_error_pages", default = "off")]
    pub recursive: bool,
}

/// One `error_page`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The statuses it is for.
    pub statuses: Vec<u16>,
    /// The status it is answered with.
    pub answer: AnswerStatus,
    /// The URI, `@name` or address.
    pub uri: Template,
    /// The query of the URI, where it is a plain one.
    pub args: Option<String>,
}

/// The status that an error page is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerStatus {
    /// The one that led here.
    Kept,
    /// `=`: the page's own.
    Own,
    /// `=200`: this one.
    Changed(u16),
}

impl ErrorPage {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let Some((last, mut before)) = args.words.split_last() else {
            return Err(Fault::invalid_value(args.name));
        };
        let mut answer = AnswerStatus::Kept;
        if let Some((word, statuses)) = before.split_last()
            && let Some(code) = word.text.strip_prefix('=')
        {
            if statuses.is_empty() {
                return Err(Fault::invalid_value(word));
            }
            answer = if code.is_empty() {
                AnswerStatus::Own
            } else {
                let code = code.parse().map_err(|_| Fault::invalid_value(word))?;
                AnswerStatus::Changed(code)
            };
            before = statuses;
        }
        let statuses = before.iter().map(status).collect::<Result<Vec<_>, _>>()?;
        let plain = !last.text.contains('$') && last.text.starts_with('/');
        let (uri, query) = match last.text.split_once('?') {
            Some((uri, query)) if plain => (uri, Some(query.to_owned())),
            _ => (last.text.as_str(), None),
        };
        let uri = Template::compile_text(uri, last, cx)?;
        Ok(Self { statuses, answer, uri, args: query })
    }
}

fn status(word: &crate::syntax::Word) -> Result<u16, Fault> {
    let code: u16 = word.text.parse().map_err(|_| Fault::invalid_value(word))?;
    if code == 499 {
        return Err(Fault::sentence(format!("invalid value \"{code}\"")).at(word.span));
    }
    if !(300..=599).contains(&code) {
        return Err(Fault::sentence(format!(
            "value \"{}\" must be between 300 and 599",
            word.text
        ))
        .at(word.span));
    }
    Ok(code)
}

//! `rewrite`, `set`, `return`, `break` and `if`: steps that change a request or end it.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::names::Definition;
use crate::syntax::Word;
use crate::value::pattern::Pattern;
use crate::value::template::Template;
use crate::variable::Slot;

/// Steps that change a request or end it.
#[derive(Clone, Debug, Default, Directives)]
pub struct Rewrite {
    /// The steps, in order: `rewrite` changes the URI, `set` a variable, `return` answers, `break`
    /// ends the steps, and `if` blocks stand among them.
    #[directive("rewrite", only(Server, Location, ServerIf, LocationIf), own, repeat, parse = Step::rewrite, args(2, 3))]
    #[directive("set", only(Server, Location, ServerIf, LocationIf), own, repeat, parse = Step::set, args(2))]
    #[directive("return", only(Server, Location, ServerIf, LocationIf), own, repeat, parse = Step::answer, args(1, 2))]
    #[directive("break", only(Server, Location, ServerIf, LocationIf), own, repeat, parse = Step::stop, args(0))]
    pub steps: Vec<Step>,
}

/// How steps are told in the log.
#[derive(Clone, Debug, Directives)]
pub struct RewriteLog {
    /// Tells of rewrites at level notice.
    #[directive("rewrite_log", default = "off", also(ServerIf), also(LocationIf))]
    pub enabled: bool,
    /// Tells of variables that are read before they are set.
    #[directive("uninitialized_variable_warn", default = "on", also(ServerIf), also(LocationIf))]
    pub uninitialized: bool,
}

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// `rewrite`: another URI.
    Rewrite {
        /// What the URI must match.
        pattern: Pattern,
        /// The new URI, and behind `?` its query.
        to: Template,
        /// Whether the query of the request is put behind that of `to` (no `?` at its end).
        keep_args: bool,
        /// What happens next.
        flag: RewriteFlag,
    },
    /// `set`: a variable's value.
    Set {
        /// The variable.
        target: Target,
        /// Its value.
        value: Template,
    },
    /// `return`: an answer.
    Return(Return),
    /// `break`: no more steps at this level.
    Break,
    /// `if`: steps and settings under a condition; the number is that of the location in
    /// `conditions`.
    If {
        /// The condition.
        condition: Condition,
        /// The place in the level's `conditions`.
        place: usize,
    },
}

/// What happens after a rewrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewriteFlag {
    /// The next step.
    Next,
    /// `last`: a location is looked for again.
    Last,
    /// `break`: no more steps, same location.
    Break,
    /// `redirect`: 302.
    Redirect,
    /// `permanent`: 301.
    Permanent,
}

/// What `set` can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A variable of the configuration's own.
    Slot(Slot),
    /// `$args`: the query.
    Args,
    /// `$limit_rate`.
    LimitRate,
}

/// What `return` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Return {
    /// A status; its page is nginx's own or `error_page`'s. 444 closes the connection.
    Status(u16),
    /// A status and a text.
    Text(u16, Template),
    /// A redirect.
    Redirect(u16, Template),
}

/// A condition of `if`.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A variable is neither empty nor `0`.
    True(Template),
    /// A variable is (or is not) this text.
    Equals {
        /// The variable.
        value: Template,
        /// The text.
        to: Template,
        /// `!=`.
        not: bool,
    },
    /// A variable matches (or does not).
    Matches {
        /// The variable.
        value: Template,
        /// The expression.
        pattern: Pattern,
        /// `!~`, `!~*`.
        not: bool,
    },
    /// A path is (or is not) of a kind.
    Path {
        /// The path.
        path: Template,
        /// The kind.
        kind: PathKind,
        /// `!-f` and so on.
        not: bool,
    },
}

/// What a path can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// `-f`: a plain file.
    File,
    /// `-d`: a folder.
    Folder,
    /// `-e`: anything.
    Exists,
    /// `-x`: executable.
    Executable,
}

impl Step {
    fn rewrite(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let pattern = Pattern::compile(&args.first().text, false, args.first(), cx)?;
        let word = args.at(1);
        if word.text.is_empty() {
            return Err(Fault::sentence("empty replacement").at(word.span).hint("a URI: /"));
        }
        let mut flag = match args.words.get(2) {
            None => RewriteFlag::Next,
            Some(word) => match word.text.as_str() {
                "last" => RewriteFlag::Last,
                "break" => RewriteFlag::Break,
                "redirect" => RewriteFlag::Redirect,
                "permanent" => RewriteFlag::Permanent,
                _ => {
                    return Err(Fault::invalid_parameter(word)
                        .hint("one of: last, break, redirect, permanent"));
                }
            },
        };
        let external = ["http://", "https://", "$scheme"].iter().any(|p| word.text.starts_with(p));
        if external && flag != RewriteFlag::Permanent {
            flag = RewriteFlag::Redirect;
        }
        let (text, keep_args) = match word.text.strip_suffix('?') {
            Some(text) => (text, false),
            None => (word.text.as_str(), true),
        };
        Ok(Self::Rewrite { pattern, to: Template::compile_text(text, word, cx)?, keep_args, flag })
    }

    fn set(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let Some(name) = word.text.strip_prefix('$').filter(|name| !name.is_empty()) else {
            return Err(Fault::sentence(format!("invalid variable name \"{}\"", word.text))
                .at(word.span)
                .hint("a variable's name begins with `$`"));
        };
        let target = match name.to_ascii_lowercase().as_str() {
            "args" => Target::Args,
            "limit_rate" => Target::LimitRate,
            _ => Target::Slot(cx.names.define(word, name, Definition::Assigned)?),
        };
        Ok(Self::Set { target, value: Template::compile(args.at(1), cx)? })
    }

    fn answer(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let code = if word.text.len() <= 3 { word.text.parse::<u16>().ok() } else { None };
        let Some(code) = code else {
            let is_url =
                ["http://", "https://", "$scheme"].iter().any(|p| word.text.starts_with(p));
            if args.words.len() > 1 || !is_url {
                return Err(Fault::sentence(format!("invalid return code \"{}\"", word.text))
                    .at(word.span)
                    .hint("a status, a status and a text or address, or an address alone"));
            }
            return Ok(Self::Return(Return::Redirect(302, Template::compile(word, cx)?)));
        };
        let Some(text) = args.words.get(1) else {
            return Ok(Self::Return(Return::Status(code)));
        };
        let text = Template::compile(text, cx)?;
        Ok(Self::Return(match code {
            301 | 302 | 303 | 307 | 308 => Return::Redirect(code, text),
            _ => Return::Text(code, text),
        }))
    }

    fn stop(_: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        Ok(Self::Break)
    }
}

impl Condition {
    /// Reads what stands between `if` and `{` (nginx: `ngx_http_rewrite_if_condition`).
    pub(crate) fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let words = unwrapped(args)?;
        let invalid = |word: &Word| {
            Fault::sentence(format!("invalid condition \"{}\"", word.text)).at(word.span)
        };
        let first = words.first().ok_or_else(|| invalid(args.first()))?;
        if first.text.starts_with('$') {
            let value = Template::compile(first, cx)?;
            return match words.as_slice() {
                [_] => Ok(Self::True(value)),
                [_, operator, right] => Self::compare(value, operator, right, cx),
                _ => Err(invalid(first)),
            };
        }
        let (not, test) = match first.text.strip_prefix('!') {
            Some(test) => (true, test),
            None => (false, first.text.as_str()),
        };
        let kind = match test {
            "-f" => PathKind::File,
            "-d" => PathKind::Folder,
            "-e" => PathKind::Exists,
            "-x" => PathKind::Executable,
            _ => return Err(invalid(first)),
        };
        match words.as_slice() {
            [_, path] => Ok(Self::Path { path: Template::compile(path, cx)?, kind, not }),
            _ => Err(invalid(first)),
        }
    }

    fn compare(
        value: Template,
        operator: &Word,
        right: &Word,
        cx: &mut Cx<'_>,
    ) -> Result<Self, Fault> {
        let not = operator.text.starts_with('!');
        match operator.text.as_str() {
            "=" | "!=" => Ok(Self::Equals { value, to: Template::compile(right, cx)?, not }),
            "~" | "!~" | "~*" | "!~*" => {
                let caseless = operator.text.ends_with('*');
                let pattern = Pattern::compile(&right.text, caseless, right, cx)?;
                Ok(Self::Matches { value, pattern, not })
            }
            _ => Err(Fault::sentence(format!("unexpected \"{}\" in condition", operator.text))
                .at(operator.span)
                .hint("one of: =, !=, ~, ~*, !~, !~*")),
        }
    }
}

/// The words without the round brackets around them all.
fn unwrapped(args: &Arguments<'_>) -> Result<Vec<Word>, Fault> {
    let mut words = args.words.to_vec();
    let first = args.first();
    let invalid = || {
        Fault::sentence(format!("invalid condition \"{}\"", first.text))
            .at(first.span)
            .hint("a condition stands in round brackets: if ($request_method = POST) { … }")
    };
    let opened = words.first_mut().ok_or_else(invalid)?;
    opened.text = opened.text.strip_prefix('(').ok_or_else(invalid)?.to_owned();
    let closed = words.last_mut().ok_or_else(invalid)?;
    let open = || {
        let text = format!("invalid condition \"{}\"", closed.text);
        Fault::sentence(text).at(closed.span).hint("a `)` is missing")
    };
    closed.text = closed.text.strip_suffix(')').ok_or_else(open)?.to_owned();
    if words.first().is_some_and(|word| word.text.is_empty()) && words.len() > 1 {
        words.remove(0);
    }
    if words.last().is_some_and(|word| word.text.is_empty() && !word.quoted) {
        words.pop();
    }
    Ok(words)
}

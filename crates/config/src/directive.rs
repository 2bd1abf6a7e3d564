//! What a directive is: where it may stand, how many arguments it takes, what it does.
//!
//! A field of a struct with `#[derive(Directives)]` *is* a directive:
//!
//! ```ignore
//! /// How hard to compress, from 1, the fastest, to 9, the smallest.
//! #[directive("gzip_comp_level", default = "1", range = 1..=9)]
//! pub level: u8,
//! ```
//!
//! - The field's type (a [`Value`](crate::value::Value)) gives arity, syntax and parsing; `parse = f,
//!   args(1, 2)` names a function of one's own instead.
//! - Nothing said about contexts means http, server and location; `also(LocationIf)` adds, `only(Server)`
//!   replaces.
//! - `default` is nginx's own text, read by the same parser; without it the type's `Default` holds.
//! - `repeat` collects into a `Vec`; without it a second one "is duplicate".
//! - `joins`: a second one adds to the first (`Join`).
//! - `own` is not inherited by nested locations, only by `if` and `limit_except` blocks.
//! - `ignored = "reason"`: read and checked, without effect; `differs = "how"`: acts, not as nginx does.
//! - Several names on one field share it (`allow`, `deny`); `{}` in a name is the family's prefix.
//! - `not("grpc")`: families whose prefix has no such directive.
//! - Several `#[directive]`s on one field are a choice; a second one is judged by `Twice`.

pub(crate) mod absent;
mod apply;
pub mod reference;
mod said;
mod unacted;
pub(crate) mod unsupported;

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use said::{Said, Unsaid};

pub(crate) use apply::{Owner, Table, judge, report};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::files::Files;
use crate::names::Names;
use crate::source::Span;
use crate::syntax::Word;

/// Where a directive stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Outside all blocks.
    Main,
    /// In `events`.
    Events,
    /// In `http`.
    Http,
    /// In `server`.
    Server,
    /// In `location`.
    Location,
    /// In an `if` of a server.
    ServerIf,
    /// In an `if` of a location.
    LocationIf,
    /// In `limit_except`.
    LimitExcept,
    /// In `upstream`.
    Upstream,
}

impl Context {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Main, "main"),
        (Self::Events, "events"),
        (Self::Http, "http"),
        (Self::Server, "server"),
        (Self::Location, "location"),
        (Self::ServerIf, "if in server"),
        (Self::LocationIf, "if in location"),
        (Self::LimitExcept, "limit_except"),
        (Self::Upstream, "upstream"),
    ];
}

/// A set of contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contexts(u16);

impl Contexts {
    /// nginx's commonest set.
    pub const HTTP_SERVER_LOCATION: Self =
        Self::of(&[Context::Http, Context::Server, Context::Location]);

    /// Just these.
    pub const fn of(contexts: &[Context]) -> Self {
        let mut set = Self(0);
        let mut rest = contexts;
        while let [first, others @ ..] = rest {
            set = set.and(*first);
            rest = others;
        }
        set
    }

    /// These and one more.
    #[must_use]
    pub const fn and(self, context: Context) -> Self {
        Self(self.0 | 1 << context as u16)
    }

    /// These and those.
    #[must_use]
    pub const fn or(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether it is one of them.
    pub const fn contains(self, context: Context) -> bool {
        self.0 & 1 << context as u16 != 0
    }

    /// Their names, as nginx's documentation has them.
    pub fn names(self) -> Vec<&'static str> {
        Context::ALL.iter().filter(|(c, _)| self.contains(*c)).map(|(_, name)| *name).collect()
    }
}

/// How many arguments a directive takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arity {
    /// At least this many.
    pub least: u8,
    /// At most this many; `None` is without bound.
    pub most: Option<u8>,
    /// Exactly one, which is `on` or `off`.
    pub flag: bool,
}

impl Arity {
    /// One argument, `on` or `off`.
    pub const FLAG: Self = Self { least: 1, most: Some(1), flag: true };
    /// One argument.
    pub const ONE: Self = Self::between(1, 1);

    /// Within these bounds, both included.
    pub const fn between(least: u8, most: u8) -> Self {
        Self { least, most: Some(most), flag: false }
    }

    /// This many or more.
    pub const fn at_least(least: u8) -> Self {
        Self { least, most: None, flag: false }
    }

    /// Whether it allows this number of arguments.
    pub fn allows(self, count: usize) -> bool {
        count >= usize::from(self.least) && self.most.is_none_or(|most| count <= usize::from(most))
    }
}

/// What a directive does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// What nginx's does.
    Acts,
    /// Something else, as told.
    Differs(&'static str),
    /// Nothing, for this reason.
    Ignored(&'static str),
    /// The configuration is refused, for this reason, as doing nothing would let in whom, or send
    /// what, it was to stop or to change.
    Refused {
        /// The reason.
        reason: &'static str,
        /// The argument, often `off`, with which there is nothing to do.
        unless: &'static str,
    },
}

/// One directive.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// Its name.
    pub name: String,
    /// Where it may stand.
    pub contexts: Contexts,
    /// How many arguments it takes.
    pub arity: Arity,
    /// What holds where nothing is said, in nginx's words.
    pub default: Option<&'static str>,
    /// The reference entry.
    pub doc: &'static str,
    /// What it does.
    pub effect: Effect,
    /// Whether it may be said several times at one level.
    pub repeat: bool,
    /// Whether it opens a block.
    pub block: bool,
    /// Whether nested locations do not inherit it.
    pub own: bool,
    /// What it is a value of: directives that say the same (`root` and `alias`) share it.
    pub field: String,
}

/// Which directive of which feature of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The feature's number in its block.
    pub feature: usize,
    /// The directive's number in its feature.
    pub index: usize,
}

/// How a level lies in the one around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// A level of its own: server in http, location in server or location.
    Level,
    /// `if` or `limit_except`: the same location under a condition (nginx: `noname`).
    Condition,
}

impl Nesting {
    /// Whether what is not inherited elsewhere (`proxy_pass`) holds here too.
    pub fn shares(self) -> bool {
        self == Self::Condition
    }
}

/// A feature: some directives that belong together.
pub trait Directives: Sized {
    /// What was written at one level.
    type Written: Unsaid + Clone + std::fmt::Debug;

    /// Its directives; the position is the index for [`set`](Self::set).
    fn declarations(prefix: &str) -> Vec<Declaration>;

    /// Takes note of one directive.
    fn set(
        written: &mut Self::Written,
        index: usize,
        args: &Arguments<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault>;

    /// What holds at a level: what is written there, else what holds around it, else the default.
    fn resolve(
        written: &Self::Written,
        parent: Option<&Arc<Self>>,
        nesting: Nesting,
        cx: &mut Cx<'_>,
    ) -> Result<Arc<Self>, Fault>;
}

/// A set that may be said in several pieces at one level (nginx: types and bit masks).
pub(crate) trait Join: Sized {
    /// Both together.
    fn join(self, other: Self) -> Self;
}

/// What is on may be said to be on again.
impl Join for bool {
    fn join(self, other: Self) -> Self {
        self || other
    }
}

/// A field that several directives write to.
pub(crate) trait Twice {
    /// Judges a second directive at one level; `Ok` lets it take the first one's place.
    fn twice(&self, args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<(), Fault>;
}

/// A block: a list of features.
pub trait Block: Sized {
    /// What was written in it.
    type Written: Default + Clone + std::fmt::Debug;

    /// The directives of all its features.
    fn declarations() -> Vec<(Declaration, Key)>;

    /// Takes note of one directive.
    fn set(
        written: &mut Self::Written,
        key: Key,
        args: &Arguments<'_>,
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault>;

    /// What holds in it; fields that are no features are left at their `Default`.
    fn resolve(
        written: &Self::Written,
        parent: Option<&Self>,
        nesting: Nesting,
        cx: &mut Cx<'_>,
    ) -> Result<Self, Fault>;
}

/// The words of one directive.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    /// The directive's name.
    pub name: &'a Word,
    /// Its arguments.
    pub words: &'a [Word],
}

impl<'a> Arguments<'a> {
    /// The first argument. Judged arity makes sure that it is there; an empty word stands in.
    pub fn first(&self) -> &'a Word {
        self.at(0)
    }

    /// The argument at this place, or an empty word.
    pub fn at(&self, place: usize) -> &'a Word {
        static NONE: Word = Word { text: String::new(), span: Span::NONE, quoted: false };
        self.words.get(place).unwrap_or(&NONE)
    }

    /// The arguments from this place on.
    pub fn from(&self, place: usize) -> &'a [Word] {
        self.words.get(place..).unwrap_or_default()
    }
}

/// What is known while a configuration is read.
pub struct Cx<'a> {
    /// What is wrong with it so far.
    pub diagnostics: &'a mut Diagnostics,
    /// What is defined and used by name.
    pub names: &'a mut Names,
    /// Where relative paths of files and folders begin (`-p`).
    pub prefix: &'a Path,
    /// Where the main file lies, where relative includes and certificates begin.
    pub folder: &'a Path,
    /// What files are read by: whatever the configuration needs of the disk is read here while it
    /// is loaded, with the rights there are then, and found again in [`crate::Config::files`].
    pub files: &'a Arc<Files>,
}

impl Cx<'_> {
    /// A path as nginx takes it: under the prefix unless it is absolute.
    pub fn under_prefix(&self, path: &str) -> PathBuf {
        self.prefix.join(path)
    }

    /// Tells of words of a list that stand in it twice (nginx: `ngx_conf_set_bitmask_slot`).
    pub(crate) fn twice(&mut self, words: &[Word]) {
        for (place, word) in words.iter().enumerate() {
            let before = words.iter().take(place);
            if before.into_iter().any(|other| other.text.eq_ignore_ascii_case(&word.text)) {
                let text = format!("duplicate value \"{}\"", word.text);
                self.warn(text, word.span, "once is enough");
            }
        }
    }

    /// Takes note of a fault that does not end the directive.
    pub fn warn(&mut self, message: impl Into<String>, at: Span, hint: impl Into<String>) {
        self.diagnostics.push(Diagnostic::warn(message.into()).at(at).hint(hint.into()));
    }
}

/// What is wrong with a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The words.
    pub message: Cow<'static, str>,
    /// Whether `"name" directive ` goes before the words.
    pub phrase: bool,
    /// The place, where it is not the whole directive.
    pub span: Option<Span>,
    /// What to do.
    pub hint: Option<String>,
}

impl Fault {
    /// Words that follow `"name" directive `.
    pub fn phrase(words: impl Into<Cow<'static, str>>) -> Self {
        Self { message: words.into(), phrase: true, span: None, hint: None }
    }

    /// Words that stand by themselves.
    pub fn sentence(words: impl Into<Cow<'static, str>>) -> Self {
        Self { message: words.into(), phrase: false, span: None, hint: None }
    }

    /// The directive stands twice at one level.
    pub fn duplicate() -> Self {
        Self::phrase("is duplicate").hint("keep one of the two; nginx takes neither")
    }

    /// A value that is not among those allowed.
    pub fn invalid_value(word: &Word) -> Self {
        Self::sentence(format!("invalid value \"{}\"", word.text)).at(word.span)
    }

    /// A parameter that the directive does not know.
    pub fn invalid_parameter(word: &Word) -> Self {
        Self::sentence(format!("invalid parameter \"{}\"", word.text)).at(word.span)
    }

    /// Names the place.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Says where it is, unless that is known.
    #[must_use]
    pub fn within(mut self, span: Span) -> Self {
        self.span = self.span.or(Some(span));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Refuses a number outside its range (nginx: `ngx_conf_check_num_bounds`).
pub fn within<T: PartialOrd + Display>(value: &T, range: &RangeInclusive<T>) -> Result<(), Fault> {
    if range.contains(value) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    Err(Fault::sentence(format!("value must be between {least} and {most}")))
}

/// Reads a default from nginx's own text.
pub fn from_default<T>(
    name: &str,
    text: &str,
    cx: &mut Cx<'_>,
    parse: impl FnOnce(&Arguments<'_>, &mut Cx<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let word = |text: &str| Word { text: text.to_owned(), span: Span::NONE, quoted: false };
    let words: Vec<Word> = text.split_ascii_whitespace().map(word).collect();
    parse(&Arguments { name: &word(name), words: &words }, cx)
}

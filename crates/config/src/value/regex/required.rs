//! Texts one of which is in all that an expression matches, found from its form alone.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind, Repetition};

use super::translate::{Course, Subject, translate};

/// How many texts one expression may ask for, and how many bytes they may have together.
const MOST_TEXTS: usize = 512;
const MOST_BYTES: usize = 8192;

/// How many texts may come of choices behind each other.
const MOST_JOINED: usize = 64;

/// The longest part of a text that is looked for.
const LONGEST: usize = 64;

/// The bytes among which one place may choose and still be part of a text.
const MOST_CHOICES: usize = 4;

/// Texts in lower case.
type Texts = Vec<Vec<u8>>;

/// Texts in lower case, none of them empty: what the expression matches, of whatever case, has one
/// of them in it. `None` where that cannot be told, or for too many of them. Places such as `$` count for
/// nothing here, so that it is the same for subjects with a newline at their end.
pub(super) fn required(pattern: &str, caseless: bool) -> Option<Texts> {
    let course = (Subject::Plain, Course::Loosely);
    let text = translate(pattern.as_bytes(), caseless, course).ok()?.text;
    let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(&text).ok()?;
    match found(&parsed) {
        Found::Exactly(texts) | Found::Within(texts) => not_empty(texts),
        Found::Unknown => None,
    }
}

/// What is known of all that a part matches.
enum Found {
    /// It is one of these.
    Exactly(Texts),
    /// One of these is in it.
    Within(Texts),
    Unknown,
}

impl From<Option<Texts>> for Found {
    fn from(texts: Option<Texts>) -> Self {
        texts.map_or(Self::Unknown, Self::Within)
    }
}

/// The depth of recursion is the parser's, which is bounded.
fn found(part: &Hir) -> Found {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => Found::Exactly(vec![Vec::new()]),
        HirKind::Literal(literal) => text(&literal.0),
        HirKind::Class(Class::Bytes(class)) => choice(class),
        // One of some letters is of this kind, too.
        HirKind::Class(Class::Unicode(class)) => {
            class.to_byte_class().as_ref().map_or(Found::Unknown, choice)
        }
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Capture(capture) => found(&capture.sub),
        HirKind::Concat(parts) => joined(parts),
        HirKind::Alternation(parts) => either(parts),
    }
}

fn text(literal: &[u8]) -> Found {
    let lower = literal.to_ascii_lowercase();
    match lower.len().checked_sub(LONGEST) {
        None | Some(0) => Found::Exactly(vec![lower]),
        Some(behind) => lower.get(behind..).map(|end| vec![end.to_vec()]).into(),
    }
}

/// One byte of a few, of which cases of a letter count as one.
fn choice(class: &ClassBytes) -> Found {
    let all = class.ranges().iter().flat_map(|range| range.start()..=range.end());
    let mut bytes: Vec<u8> = all.map(|byte| byte.to_ascii_lowercase()).collect();
    bytes.sort_unstable();
    bytes.dedup();
    if bytes.is_empty() || bytes.len() > MOST_CHOICES {
        return Found::Unknown;
    }
    Found::Exactly(bytes.into_iter().map(|byte| vec![byte]).collect())
}

fn repeated(repetition: &Repetition) -> Found {
    match (found(&repetition.sub), repetition.min) {
        (Found::Exactly(mut texts), 0) if repetition.max == Some(1) => {
            texts.push(Vec::new());
            Found::Exactly(texts)
        }
        (_, 0) | (Found::Unknown, _) => Found::Unknown,
        (Found::Exactly(texts) | Found::Within(texts), _) => not_empty(texts).into(),
    }
}

/// One part behind the other: what is exact joins into longer texts, of which the best counts.
fn joined(parts: &[Hir]) -> Found {
    let mut run = vec![Vec::new()];
    let mut best: Option<Texts> = None;
    let mut is_exact = true;
    for part in parts {
        let (within, next) = match found(part) {
            Found::Exactly(texts) => match product(&run, &texts) {
                Some(longer) => {
                    run = longer;
                    continue;
                }
                None => (None, texts),
            },
            Found::Within(texts) => (Some(texts), vec![Vec::new()]),
            Found::Unknown => (None, vec![Vec::new()]),
        };
        is_exact = false;
        best = better(best, not_empty(std::mem::replace(&mut run, next)));
        best = better(best, within);
    }
    if is_exact { Found::Exactly(run) } else { better(best, not_empty(run)).into() }
}

fn either(parts: &[Hir]) -> Found {
    let (mut all, mut bytes, mut is_exact) = (Vec::new(), 0, true);
    for part in parts {
        let texts = match found(part) {
            Found::Exactly(texts) => texts,
            Found::Within(texts) => {
                is_exact = false;
                texts
            }
            Found::Unknown => return Found::Unknown,
        };
        bytes += texts.iter().map(Vec::len).sum::<usize>();
        all.extend(texts);
        if all.len() > MOST_TEXTS || bytes > MOST_BYTES {
            return Found::Unknown;
        }
    }
    if is_exact { Found::Exactly(all) } else { not_empty(all).into() }
}

/// Each of one followed by each of the other, unless that is too much.
fn product(one: &Texts, other: &Texts) -> Option<Texts> {
    let length = |texts: &Texts| texts.iter().map(Vec::len).sum::<usize>();
    let bytes = length(one) * other.len() + length(other) * one.len();
    let most = MOST_JOINED.max(one.len()).max(other.len());
    if one.len() * other.len() > most || bytes > MOST_BYTES {
        return None;
    }
    let pairs = one.iter().flat_map(|first| other.iter().map(move |second| (first, second)));
    Some(pairs.map(|(first, second)| [first.as_slice(), second].concat()).collect())
}

/// The one whose shortest text is longer, for it is seen less often; then that of fewer texts.
fn better(one: Option<Texts>, other: Option<Texts>) -> Option<Texts> {
    let rank = |texts: &Texts| (texts.iter().map(Vec::len).min(), std::cmp::Reverse(texts.len()));
    match (one, other) {
        (Some(one), Some(other)) => Some(if rank(&other) > rank(&one) { other } else { one }),
        (one, other) => one.or(other),
    }
}

/// An empty text is in everything.
fn not_empty(texts: Texts) -> Option<Texts> {
    (!texts.iter().any(Vec::is_empty)).then_some(texts)
}

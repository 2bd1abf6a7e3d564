//! Words and punctuation, cut exactly where nginx cuts them (`ngx_conf_read_token`).

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while};
use nom::character::complete::{anychar, char, multispace1, none_of};
use nom::combinator::{eof, opt, recognize, value};
use nom::multi::{many0_count, many1_count};
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser};

/// The piece of text that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A word as written, quotes included.
    Word(&'a str),
    /// A quoted word with something behind its closing quote that may not be there.
    Glued(&'a str),
    /// A quote that is never closed: all of the rest.
    Unclosed(&'a str),
    /// A word with no end before the end of the file.
    Cut(&'a str),
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`
    Close,
    /// The end of the file.
    End,
}

/// Skips white space and comments, and reads one token.
pub(super) fn token(input: &str) -> IResult<&str, Token<'_>> {
    preceded(blank, alt((end, punctuation, quoted, unquoted))).parse(input)
}

fn blank(input: &str) -> IResult<&str, ()> {
    let comment = recognize(pair(char('#'), take_while(|c| c != '\n')));
    value((), many0_count(alt((multispace1, comment)))).parse(input)
}

fn end(input: &str) -> IResult<&str, Token<'_>> {
    value(Token::End, eof).parse(input)
}

fn punctuation(input: &str) -> IResult<&str, Token<'_>> {
    alt((
        value(Token::Semicolon, char(';')),
        value(Token::Open, char('{')),
        value(Token::Close, char('}')),
    ))
    .parse(input)
}

/// A word in quotes, and whether what follows it is one of white space, `;`, `{`, `)`.
fn quoted(input: &str) -> IResult<&str, Token<'_>> {
    let word = |quote: &'static str, others: &'static str| {
        let inside = many0_count(alt((recognize(is_not(others)), escaped)));
        recognize((tag(quote), inside, opt(tag(quote))))
    };
    let (rest, raw) = alt((word("\"", "\\\""), word("'", "\\'"))).parse(input)?;
    let token = match rest.chars().next() {
        None if !is_closed(raw) => Token::Unclosed(raw),
        None | Some(' ' | '\t' | '\r' | '\n' | ';' | '{' | ')') => Token::Word(raw),
        Some(_) => Token::Glued(raw),
    };
    Ok((rest, token))
}

/// Whether a quoted word, read as far as it goes, has its closing quote.
fn is_closed(raw: &str) -> bool {
    let mut inside = raw.chars();
    let quote = inside.next();
    while let Some(c) = inside.next() {
        match c {
            '\\' => _ = inside.next(),
            c if Some(c) == quote => return true,
            _ => {}
        }
    }
    false
}

/// A bare word: up to white space, `;` or `{`; a `{` behind a `$` belongs to the word.
fn unquoted(input: &str) -> IResult<&str, Token<'_>> {
    let dollar = recognize(pair(char('$'), take_while(|c| c == '{')));
    let piece = alt((escaped, dollar, recognize(none_of(" \t\r\n;{"))));
    let (rest, raw) = recognize(many1_count(piece)).parse(input)?;
    Ok((rest, if rest.is_empty() { Token::Cut(raw) } else { Token::Word(raw) }))
}

/// A backslash and what it keeps from ending the word; at the end of the file, nothing.
fn escaped(input: &str) -> IResult<&str, &str> {
    recognize(pair(char('\\'), opt(anychar))).parse(input)
}

/// What a word means: without its quotes and escapes.
pub(super) fn meaning(raw: &str) -> String {
    let inner = match raw.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let inner = raw.get(1..).unwrap_or("");
            inner.strip_suffix(quote).unwrap_or(inner)
        }
        _ => raw,
    };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some(next @ ('"' | '\'' | '\\' | 't' | 'r' | 'n'))) => {
                chars.next();
                text.push(match next {
                    't' => '\t',
                    'r' => '\r',
                    'n' => '\n',
                    other => other,
                });
            }
            _ => text.push(c),
        }
    }
    text
}

/// How many bytes of a word nginx can hold.
const LIMIT: usize = 4096;

/// nginx's complaint about a word that does not fit in its buffer.
pub(super) fn too_long(raw: &str, rest: &str) -> Option<String> {
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = raw.get(usize::from(quote.is_some())..).unwrap_or("");
    // A quote or a blank behind the word takes a place in the buffer, a `;` or a `{` does not;
    // at the end of the file the buffer need not be filled again.
    let last = match rest.chars().next() {
        None => 0,
        Some(';' | '{') => 1,
        Some(_) if quote.is_some() => 1,
        Some(_) => 2,
    };
    if inner.len() + last <= LIMIT {
        return None;
    }
    Some(match quote {
        Some(quote) if inner.len() > LIMIT => {
            format!("too long parameter, probably missing terminating \"{quote}\" character")
        }
        _ => {
            let head: String = inner.chars().take(10).collect();
            format!("too long parameter \"{head}...\" started")
        }
    })
}

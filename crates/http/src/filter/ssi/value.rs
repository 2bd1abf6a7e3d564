//! Variables of a page, and texts with variables in them.

use std::borrow::Cow;

use bytes::Bytes;

use super::evaluate::Evaluator;
use crate::date::Now;
use crate::uri::escape::{Escape, escape, escape_html};

/// What is done with a value before it is put into a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Nothing.
    None,
    /// It is made fit for a link.
    Url,
    /// It is made fit for a page.
    Entity,
}

impl Encoding {
    /// What a word says.
    pub(super) fn of(word: &[u8]) -> Option<Self> {
        match word {
            b"none" => Some(Self::None),
            b"url" => Some(Self::Url),
            b"entity" => Some(Self::Entity),
            _ => None,
        }
    }

    /// The value, encoded.
    pub(super) fn apply(self, value: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::None => Cow::Borrowed(value),
            Self::Url => escape(value, Escape::Html),
            Self::Entity => escape_html(value),
        }
    }
}

impl Evaluator<'_> {
    /// The value of a variable: a group of the last expression that matched, one that the page has
    /// set, or one of the request.
    pub(super) fn variable(&mut self, name: &str) -> Option<Bytes> {
        let name = name.to_ascii_lowercase();
        if let Ok(group) = name.parse::<usize>() {
            return self.captured.get(group);
        }
        if let Some((_, value)) = self.named.iter().find(|(known, _)| *known == name) {
            return Some(value.clone());
        }
        if let Some(page) = &self.ex.page
            && let Some(value) = page.variable(&name)
        {
            return Some(value);
        }
        match name.as_str() {
            "date_gmt" => Some(self.date(true)),
            "date_local" => Some(self.date(false)),
            _ => {
                self.ex.take_handed();
                self.ex.value_of(&name)
            }
        }
    }

    fn date(&self, gmt: bool) -> Bytes {
        match &self.timefmt {
            None => Now::get().long(gmt),
            Some(format) => Now::get().formatted(&String::from_utf8_lossy(format), gmt),
        }
    }

    /// A text with its variables' values in it (nginx: `ngx_http_ssi_evaluate_string`); an error
    /// says what is wrong with it.
    pub(super) fn text(&mut self, text: &[u8]) -> Result<Bytes, String> {
        if !text.contains(&b'$') {
            return Ok(Bytes::copy_from_slice(text));
        }
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            match (byte, behind.split_first()) {
                (b'\\', Some((&next, behind))) => {
                    if !matches!(next, b'\\' | b'\'' | b'"' | b'$') {
                        out.push(b'\\');
                    }
                    out.push(next);
                    rest = behind;
                }
                (b'$', _) => {
                    let (name, behind) = name(rest)?;
                    rest = behind;
                    let name = String::from_utf8_lossy(name).into_owned();
                    out.extend_from_slice(&self.variable(&name).unwrap_or_default());
                }
                _ => out.push(byte),
            }
        }
        Ok(out.into())
    }
}

/// The name behind a `$`, and what is behind it.
fn name(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let braced = text.strip_prefix(b"{");
    let inner = braced.unwrap_or(text);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = inner.iter().position(|byte| !is_name(byte)).unwrap_or(inner.len());
    let (name, mut behind) = inner.split_at_checked(end).unwrap_or_default();
    let shown = String::from_utf8_lossy(name);
    if braced.is_some() {
        behind = behind
            .strip_prefix(b"}")
            .ok_or_else(|| format!("the closing bracket in \"{shown}\" variable is missing"))?;
    }
    if name.is_empty() {
        let text = String::from_utf8_lossy(text);
        return Err(format!("invalid variable name in \"{text}\""));
    }
    Ok((name, behind))
}

//! Text with variables in it (nginx: `ngx_http_compile_complex_value`).

use bytes::Bytes;

use crate::directive::{Arguments, Cx, Fault};
use crate::syntax::Word;
use crate::value::Value;
use crate::variable::Variable;

/// Text with variables in it, taken apart once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// What it is made of, in order. Neighbouring texts are joined.
    pub parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text as it stands.
    Text(Bytes),
    /// A variable's value.
    Variable(Variable),
}

impl Template {
    /// Text without variables.
    pub fn text(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::default() } else { Self { parts: vec![Part::Text(text)] } }
    }

    /// Takes a word apart: `$name`, `${name}` and `$1` are variables.
    pub fn compile(word: &Word, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        Self::compile_text(&word.text, word, cx)
    }

    /// The same for a piece of a word.
    pub fn compile_text(text: &str, word: &Word, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut template = Self::default();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            template.push_text(rest.get(..dollar).unwrap_or_default());
            let after = rest.get(dollar + 1..).unwrap_or_default();
            let (name, behind) = name(after).ok_or_else(|| {
                if let Some(open) = after.strip_prefix('{').filter(|open| !open.contains('}')) {
                    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    let open = open.split(|c| !is_name(c)).next().unwrap_or_default();
                    let text = format!("the closing bracket in \"{open}\" variable is missing");
                    return Fault::sentence(text).at(word.span).hint(format!("${{{open}}}"));
                }
                Fault::sentence("invalid variable name")
                    .at(word.span)
                    .hint("a `$` begins a variable; there is no way to write a bare one here")
            })?;
            let variable = cx.names.variable(name, word.span);
            template.parts.push(Part::Variable(variable));
            rest = behind;
        }
        template.push_text(rest);
        Ok(template)
    }

    /// The text, where no variable is in it.
    pub fn constant(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(b""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is without text and variables.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Its variables.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Text(_) => None,
        })
    }

    fn push_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.parts.push(Part::Text(Bytes::copy_from_slice(text.as_bytes())));
        }
    }
}

/// A variable's name and what is behind it, at the place behind a `$`.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(braced) = text.strip_prefix('{') {
        let (name, behind) = braced.split_once('}')?;
        let good = !name.is_empty() && name.chars().all(is_name);
        return good.then_some((name, behind));
    }
    if text.starts_with(|c: char| ('1'..='9').contains(&c)) {
        return text.split_at_checked(1);
    }
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(name, _)| !name.is_empty())
}

impl Value for Template {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        Self::compile(args.first(), cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_where_names_end() {
        assert_eq!(name("uri/x"), Some(("uri", "/x")));
        assert_eq!(name("{uri}x"), Some(("uri", "x")));
        assert_eq!(name("12"), Some(("1", "2")));
        assert_eq!(name(""), None);
        assert_eq!(name("{}"), None);
        assert_eq!(name("{a-b}"), None);
    }
}

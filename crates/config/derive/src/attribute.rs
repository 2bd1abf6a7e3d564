//! What `#[directive(…)]` says.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Field, Fields, Ident, LitInt, LitStr, Path, Result,
    Token, parenthesized,
};

/// One `#[directive("name", …)]`.
#[derive(Default)]
pub(crate) struct Directive {
    pub(crate) names: Vec<LitStr>,
    pub(crate) default: Option<LitStr>,
    pub(crate) range: Option<Expr>,
    pub(crate) contexts: Option<Vec<Ident>>,
    pub(crate) also: Vec<Ident>,
    pub(crate) parse: Option<Path>,
    pub(crate) args: Option<(u8, Option<u8>)>,
    pub(crate) ignored: Option<Expr>,
    pub(crate) differs: Option<Expr>,
    pub(crate) repeat: bool,
    pub(crate) own: bool,
    pub(crate) joins: bool,
    pub(crate) not: Vec<LitStr>,
}

impl Parse for Directive {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut directive = Self::default();
        while !input.is_empty() {
            if input.peek(LitStr) {
                directive.names.push(input.parse()?);
            } else {
                directive.option(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if directive.names.is_empty() {
            return Err(Error::new(Span::call_site(), "a directive needs a name"));
        }
        Ok(directive)
    }
}

impl Directive {
    fn option(&mut self, input: ParseStream<'_>) -> Result<()> {
        let key: Ident = input.parse()?;
        match key.to_string().as_str() {
            "repeat" => self.repeat = true,
            "own" => self.own = true,
            "joins" => self.joins = true,
            "default" => self.default = Some(value(input)?),
            "ignored" => self.ignored = Some(value(input)?),
            "differs" => self.differs = Some(value(input)?),
            "range" => self.range = Some(value(input)?),
            "parse" => self.parse = Some(value(input)?),
            "only" => self.contexts = Some(list(input)?),
            "also" => self.also.extend(list(input)?),
            "not" => self.not.extend(texts(input)?),
            "args" => self.args = Some(arity(input)?),
            _ => return Err(Error::new(key.span(), "no such option of a directive")),
        }
        Ok(())
    }
}

fn value<T: Parse>(input: ParseStream<'_>) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

fn list(input: ParseStream<'_>) -> Result<Vec<Ident>> {
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<Ident, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

fn texts(input: ParseStream<'_>) -> Result<Vec<LitStr>> {
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// `args(1)`, `args(1, 2)` or `args(1, ..)`.
fn arity(input: ParseStream<'_>) -> Result<(u8, Option<u8>)> {
    let content;
    parenthesized!(content in input);
    let least: u8 = content.parse::<LitInt>()?.base10_parse()?;
    if content.is_empty() {
        return Ok((least, Some(least)));
    }
    content.parse::<Token![,]>()?;
    if content.peek(Token![..]) {
        content.parse::<Token![..]>()?;
        return Ok((least, None));
    }
    Ok((least, Some(content.parse::<LitInt>()?.base10_parse()?)))
}

/// The named fields of a struct.
pub(crate) fn fields(input: &DeriveInput) -> Result<Vec<&Field>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter().collect()),
            _ => Err(Error::new(input.ident.span(), "needs named fields")),
        },
        _ => Err(Error::new(input.ident.span(), "needs a struct")),
    }
}

/// The doc comment, one line a comment line.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let syn::Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(literal) = &pair.value
            && let syn::Lit::Str(text) = &literal.lit
        {
            lines.push(text.value().trim().to_owned());
        }
    }
    lines.join("\n")
}

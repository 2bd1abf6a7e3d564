//! Reads a `charset_map` block.

use std::sync::Arc;

use crate::directive::{Cx, Fault};
use crate::http::charset::{CharsetMap, Recode};
use crate::syntax::{Statement, Word};

/// Reads a `charset_map` block (nginx: `ngx_http_charset_map_block`).
pub(super) fn read(
    known: &[CharsetMap],
    statement: &Statement,
    body: &[Statement],
    cx: &mut Cx<'_>,
) -> Result<CharsetMap, Fault> {
    let [from, to] = statement.args.as_slice() else {
        return Err(Fault::phrase("invalid number of arguments"));
    };
    let (from, to) = (&from.text, &to.text);
    if from.eq_ignore_ascii_case(to) {
        let text = format!("\"charset_map\" between the same charsets \"{from}\" and \"{to}\"");
        return Err(Fault::sentence(text));
    }
    let twin = |map: &&CharsetMap| {
        map.from.eq_ignore_ascii_case(from) && map.to.eq_ignore_ascii_case(to)
            || map.from.eq_ignore_ascii_case(to) && map.to.eq_ignore_ascii_case(from)
    };
    if known.iter().any(|map| twin(&map)) {
        let text = format!("duplicate \"charset_map\" between \"{from}\" and \"{to}\"");
        return Err(Fault::sentence(text));
    }
    if from.eq_ignore_ascii_case("utf-8") {
        let text = "\"charset_map\" with \"utf-8\" charset should be given in the second column";
        return Err(Fault::sentence(text)
            .hint(format!("charset_map {to} {from}, and its pairs the other way round")));
    }
    let utf8 = to.eq_ignore_ascii_case("utf-8");
    let mut pairs = Vec::with_capacity(body.len());
    for statement in body {
        match pair(statement, utf8) {
            Ok(pair) => pairs.push(pair),
            Err(fault) => crate::directive::report(&fault, statement, cx),
        }
    }
    let (forward, backward) = Recode::both(&pairs, utf8);
    let (forward, backward) = (Arc::new(forward), Arc::new(backward));
    Ok(CharsetMap { from: from.clone(), to: to.clone(), forward, backward })
}

/// nginx: `ngx_http_charset_map`
fn pair(statement: &Statement, utf8: bool) -> Result<(u8, Vec<u8>), Fault> {
    let [other] = statement.args.as_slice() else {
        return Err(Fault::sentence("invalid parameters number").at(statement.name.span));
    };
    let byte = hex(&statement.name)?;
    let [byte] = byte.as_slice() else { return Err(Fault::invalid_value(&statement.name)) };
    let text = hex(other)?;
    let good = if utf8 { std::str::from_utf8(&text).is_ok() } else { text.len() == 1 };
    if !good {
        return Err(Fault::invalid_value(other));
    }
    Ok((*byte, text))
}

/// Bytes in hexadecimal digits; one digit is a byte, too.
fn hex(word: &Word) -> Result<Vec<u8>, Fault> {
    let padded = if word.text.len() == 1 { format!("0{}", word.text) } else { word.text.clone() };
    let invalid = || Fault::invalid_value(word);
    if padded.is_empty() || padded.len() % 2 != 0 || padded.len() > 8 {
        return Err(invalid());
    }
    let digits = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok().filter(|_| !pair.starts_with('+'))
    };
    padded.as_bytes().chunks(2).map(|pair| digits(pair).ok_or_else(invalid)).collect()
}

//! Reads a `geo` block.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;

use crate::directive::{Cx, Fault};
use crate::http::geo::{Geo, Networks};
use crate::names::Definition;
use crate::syntax::{End, Statement, Word};
use crate::value::cidr::Cidr;
use crate::value::template::Template;

/// Reads a `geo` block (nginx: `ngx_http_geo_block`).
pub(super) fn read(
    number: usize,
    statement: &Statement,
    body: &[Statement],
    cx: &mut Cx<'_>,
) -> Result<Geo, Fault> {
    let (source, target) = match statement.args.as_slice() {
        [target] => (None, target),
        [source, target] => (Some(variable(source, cx)?), target),
        _ => return Err(Fault::phrase("invalid number of arguments")),
    };
    let name = name(target)?;
    let mut geo = Geo {
        source,
        target: cx.names.define(target, name, Definition::Geo(number))?,
        default: Bytes::new(),
        proxies: Vec::new(),
        proxy_recursive: false,
        networks: Networks::default(),
    };
    let mut ranges = false;
    for statement in body {
        if let Err(fault) = entry(&mut geo, statement, &mut ranges, cx) {
            let fault = if fault.span.is_some() { fault } else { fault.at(statement.name.span) };
            crate::directive::report(&fault, statement, cx);
        }
    }
    Ok(geo)
}

fn name(word: &Word) -> Result<&str, Fault> {
    word.text.strip_prefix('$').filter(|name| !name.is_empty()).ok_or_else(|| {
        Fault::sentence(format!("invalid variable name \"{}\"", word.text))
            .at(word.span)
            .hint("a variable's name begins with `$`")
    })
}

fn variable(word: &Word, cx: &mut Cx<'_>) -> Result<Template, Fault> {
    name(word)?;
    Template::compile(word, cx)
}

fn entry(
    geo: &mut Geo,
    statement: &Statement,
    ranges: &mut bool,
    cx: &mut Cx<'_>,
) -> Result<(), Fault> {
    let key = &statement.name;
    if matches!(statement.end, End::Block { .. }) {
        return Err(Fault::sentence("unexpected \"{\"").at(key.span));
    }
    match (key.text.as_str(), statement.args.as_slice()) {
        ("ranges", []) => *ranges = true,
        ("proxy_recursive", []) => geo.proxy_recursive = true,
        ("volatile", []) => {}
        ("default", [value]) => geo.default = text(value),
        ("proxy", [network]) => geo.proxies.push(cidr(network)?),
        ("delete", [network]) if *ranges => {
            let (first, last) = range(network)?;
            if !geo.networks.remove_range(first, last) {
                cx.warn(missing(network), network.span, "nothing of that kind stands above");
            }
        }
        ("delete", [network]) => {
            let (ip, bits) = network_of(network)?;
            if geo.networks.remove(ip, bits).is_none() {
                cx.warn(missing(network), network.span, "nothing of that kind stands above");
            }
        }
        (_, [value]) if *ranges => {
            let (first, last) = range(key)?;
            geo.networks.insert_range(first, last, text(value));
        }
        (_, [value]) => add(geo, key, value, cx)?,
        _ => return Err(Fault::sentence("invalid number of the geo parameters")),
    }
    Ok(())
}

fn add(geo: &mut Geo, key: &Word, value: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
    let (ip, bits) = network_of(key)?;
    if let Some(old) = geo.networks.insert(ip, bits, text(value)) {
        let old = String::from_utf8_lossy(&old);
        let words = format!(
            "duplicate network \"{}\", value: \"{}\", old value: \"{old}\"",
            key.text, value.text
        );
        cx.warn(words, key.span, "the last one holds");
    }
    Ok(())
}

fn text(word: &Word) -> Bytes {
    Bytes::copy_from_slice(word.text.as_bytes())
}

fn missing(word: &Word) -> String {
    format!("no network \"{}\" to delete", word.text)
}

fn cidr(word: &Word) -> Result<Cidr, Fault> {
    let invalid = || Fault::sentence(format!("invalid network \"{}\"", word.text)).at(word.span);
    match Cidr::parse(&word.text) {
        Some(network @ Cidr::Network(..)) => Ok(network.masked()),
        _ => Err(invalid()),
    }
}

fn network_of(word: &Word) -> Result<(IpAddr, u8), Fault> {
    match cidr(word)? {
        Cidr::Network(ip, bits) => Ok((ip, bits)),
        Cidr::All | Cidr::Unix => Ok((Ipv4Addr::UNSPECIFIED.into(), 0)),
    }
}

/// `10.0.0.1-10.0.0.9`.
fn range(word: &Word) -> Result<(u32, u32), Fault> {
    let address = |text: &str| text.parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits);
    let ends = word.text.split_once('-').and_then(|(first, last)| {
        let ends = (address(first)?, address(last)?);
        (ends.0 <= ends.1).then_some(ends)
    });
    ends.ok_or_else(|| {
        Fault::sentence(format!("invalid range \"{}\"", word.text))
            .at(word.span)
            .hint("two addresses of IPv4 with `-` between them, the lower one first")
    })
}

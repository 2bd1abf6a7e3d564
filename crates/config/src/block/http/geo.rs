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
        ("ranges", []) if !geo.networks.is_empty() => {
            let text = "the \"ranges\" directive must be the first directive inside \"geo\" block";
            return Err(Fault::sentence(text).at(key.span).hint("move it up"));
        }
        ("ranges", []) => *ranges = true,
        ("proxy_recursive", []) => geo.proxy_recursive = true,
        ("volatile", []) => {}
        ("default", [value]) => {
            if !geo.default.is_empty() {
                let old = String::from_utf8_lossy(&geo.default).into_owned();
                let what = if *ranges { "default geo range" } else { "network \"default\"," };
                let text =
                    format!("duplicate {what} value: \"{}\", old value: \"{old}\"", value.text);
                cx.warn(text, key.span, "the last one holds");
            }
            geo.default = text(value);
        }
        ("proxy", [network]) => geo.proxies.push(cidr(network, cx)?),
        ("delete", [network]) if *ranges => {
            let (first, last) = range(network)?;
            if !geo.networks.remove_range(first, last) {
                let text = format!("no address range \"{}\" to delete", network.text);
                cx.warn(text, network.span, "nothing of that kind stands above");
            }
        }
        ("delete", [network]) => {
            let (ip, bits) = network_of(network, cx)?;
            if geo.networks.remove(ip, bits).is_none() {
                let text = format!("no network \"{}\" to delete", network.text);
                cx.warn(text, network.span, "nothing of that kind stands above");
            }
        }
        (_, [value]) if *ranges => {
            add_range(geo, key, value, cx)?;
        }
        (_, [value]) => add(geo, key, value, cx)?,
        _ => return Err(Fault::sentence("invalid number of the geo parameters")),
    }
    Ok(())
}

/// nginx: `ngx_http_geo_range`
fn add_range(geo: &mut Geo, key: &Word, value: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
    let (first, last) = range(key)?;
    match geo.networks.insert_range(first, last, text(value)) {
        Ok(None) => Ok(()),
        Ok(Some(old)) => {
            let old = String::from_utf8_lossy(&old);
            let text = format!(
                "duplicate range \"{}\", value: \"{}\", old value: \"{old}\"",
                key.text, value.text
            );
            cx.warn(text, key.span, "the last one holds");
            Ok(())
        }
        Err((from, to)) => {
            let (from, to) = (Ipv4Addr::from_bits(from), Ipv4Addr::from_bits(to));
            let text = format!("range \"{}\" overlaps \"{from}-{to}\"", key.text);
            Err(Fault::sentence(text).at(key.span).hint("only one of the two may have an address"))
        }
    }
}

fn add(geo: &mut Geo, key: &Word, value: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
    let (ip, bits) = network_of(key, cx)?;
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

fn cidr(word: &Word, cx: &mut Cx<'_>) -> Result<Cidr, Fault> {
    let Some(network @ Cidr::Network(..)) = Cidr::parse(&word.text) else {
        return Err(Fault::sentence(format!("invalid network \"{}\"", word.text))
            .at(word.span)
            .hint("an address, or an address and a number of bits: 10.0.0.0/8"));
    };
    let masked = network.masked();
    if masked != network {
        let text = format!("low address bits of {} are meaningless", word.text);
        cx.warn(text, word.span, "an address with zeros there is meant the same");
    }
    Ok(masked)
}

fn network_of(word: &Word, cx: &mut Cx<'_>) -> Result<(IpAddr, u8), Fault> {
    match cidr(word, cx)? {
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

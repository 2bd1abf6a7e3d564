//! `allow` and `deny`: who may ask, by address.

use std::net::ToSocketAddrs;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault, Join};
use crate::syntax::Word;
use crate::value::cidr::Cidr;

/// Who may ask, by address.
#[derive(Clone, Debug, Directives)]
pub struct Access {
    /// Lets in, or keeps out with 403, an address, a network, `unix:` or `all`. The first rule that
    /// matches decides; no match lets in.
    #[directive("allow", "deny", also(LimitExcept), repeat, parse = Rule::parse, args(1))]
    pub rules: Vec<Rule>,
}

/// One `allow` or `deny`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whether it lets in.
    pub allow: bool,
    /// Whom it speaks of.
    pub who: Cidr,
}

impl Rule {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let who = network(word, cx).ok_or_else(|| {
            Fault::invalid_parameter(word).hint("an address, a network, unix: or all")
        })?;
        Ok(Self { allow: args.name.text == "allow", who })
    }
}

/// A network; bits that its length makes meaningless are told.
pub(crate) fn network(word: &Word, cx: &mut Cx<'_>) -> Option<Cidr> {
    let network = Cidr::parse(&word.text)?;
    if network.has_meaningless_bits() {
        let text = format!("low address bits of {} are meaningless", word.text);
        cx.warn(text, word.span, format!("write {}", network.masked()));
    }
    Some(network)
}

/// The networks that `set_real_ip_from` and `debug_connection` name; the addresses of a host are
/// looked up at once, as nginx does.
pub(crate) fn networks(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Vec<Cidr>, Fault> {
    let word = args.first();
    match network(word, cx) {
        Some(Cidr::All) | None => {}
        Some(network) => return Ok(vec![network]),
    }
    let found = (word.text.as_str(), 0).to_socket_addrs();
    let found: Vec<Cidr> =
        found.into_iter().flatten().map(|address| Cidr::address(address.ip())).collect();
    if found.is_empty() {
        let text = format!("host not found in {} \"{}\"", args.name.text, word.text);
        return Err(Fault::sentence(text)
            .at(word.span)
            .hint("an address, a network, unix: or a host that has an address"));
    }
    Ok(found)
}

impl Join for Vec<Cidr> {
    fn join(mut self, other: Self) -> Self {
        self.extend(other);
        self
    }
}

//! `server`: a member of an upstream group.

mod change;
mod state;

use std::time::Duration;

use tidegate_config_derive::Directives;

pub use change::{Change, Mark};
pub(crate) use state::members;
pub use state::{State, lines};

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::syntax::Word;
use crate::value::address::{Address, Form, Target};
use crate::value::{Value, number, time};

/// The members of a group.
#[derive(Clone, Debug, Directives)]
pub struct Servers {
    /// A member: its address, and how much it is asked.
    #[directive("server", only(Upstream), own, repeat)]
    pub servers: Vec<UpstreamServer>,
    /// A file that names the members instead, by lines of `server` as they stand here; none where
    /// it is not there. `tidegate upstream` changes them while the server runs, and writes it.
    #[directive(
        "state",
        only(Upstream),
        own,
        parse = state::read,
        args(1),
        differs = "it is written by `tidegate upstream`, not by an API; who changes it by hand reloads"
    )]
    pub state: Option<State>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamServer {
    /// Its address as written.
    pub text: String,
    /// Its address; a host may stand for several.
    pub address: Address,
    /// `weight=`: how often it is asked next to the others.
    pub weight: u32,
    /// `max_fails=`: after how many failures within `fail_timeout` it is left alone; 0 never.
    pub max_fails: u32,
    /// `fail_timeout=`: for how long failures count, and how long it is left alone.
    pub fail_timeout: Duration,
    /// `max_conns=`: how many connections it takes; 0 is without bound.
    pub max_conns: u32,
    /// `slow_start=`: the time in which its weight grows after it was away.
    pub slow_start: Duration,
    /// `backup`: it is asked when the others are away.
    pub backup: bool,
    /// `down`: it is not asked.
    pub down: bool,
    /// `drain`: only those that are kept with it ask it.
    pub drain: bool,
    /// `route=`: what `sticky` calls it.
    pub route: String,
    /// `service=`: its addresses and ports are those of SRV records.
    pub service: Option<String>,
    /// `resolve`: its name is asked for again when the answer gets old.
    pub resolve: bool,
}

impl UpstreamServer {
    /// A member with nothing but an address.
    pub fn new(text: &str, address: Address) -> Self {
        Self {
            text: text.to_owned(),
            address,
            weight: 1,
            max_fails: 1,
            fail_timeout: Duration::from_secs(10),
            max_conns: 0,
            slow_start: Duration::ZERO,
            backup: false,
            down: false,
            drain: false,
            route: String::new(),
            service: None,
            resolve: false,
        }
    }

    fn parameter(&mut self, word: &Word) -> Result<(), Fault> {
        let (key, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        let invalid = || Fault::invalid_parameter(word);
        let count = || {
            let number = number::parse(value).and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(invalid)
        };
        match (key, word.text.contains('=')) {
            ("weight", true) => {
                self.weight = Some(count()?).filter(|weight| *weight > 0).ok_or_else(invalid)?;
            }
            ("max_fails", true) => self.max_fails = count()?,
            ("max_conns", true) => self.max_conns = count()?,
            ("fail_timeout", true) => {
                self.fail_timeout = time::parse_seconds(value).ok_or_else(invalid)?;
            }
            ("slow_start", true) => {
                self.slow_start = time::parse_seconds(value).ok_or_else(invalid)?;
            }
            ("backup", false) => self.backup = true,
            ("down", false) => self.down = true,
            ("drain", false) => self.drain = true,
            ("route", true) if value.is_empty() => {
                return Err(Fault::sentence("route is empty").at(word.span));
            }
            ("route", true) => value.clone_into(&mut self.route),
            ("service", true) if value.is_empty() => {
                return Err(Fault::sentence("service is empty").at(word.span));
            }
            ("service", true) => self.service = Some(value.to_owned()),
            ("resolve", false) => self.resolve = true,
            _ => {
                return Err(invalid().hint(
                    "known: weight=, max_fails=, fail_timeout=, max_conns=, slow_start=, route=, service=, backup, down, drain, resolve",
                ));
            }
        }
        Ok(())
    }
}

impl Value for UpstreamServer {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let target = Target::parse(&word.text, 80, Form::Server).map_err(|error| {
            Fault::sentence(format!("{error} in upstream \"{}\"", word.text))
                .at(word.span)
                .hint("a server is an address and a port, or unix: and a path; scheme and URI stand in proxy_pass")
        })?;
        let mut server = Self::new(&word.text, target.address);
        for word in args.from(1) {
            server.parameter(word)?;
        }
        if server.service.is_some() {
            let text = &word.text;
            let fault = |what: &str| Fault::sentence(format!("service upstream \"{text}\" {what}"));
            if !matches!(server.address, Address::Host { .. }) {
                return Err(fault("requires domain name").at(word.span));
            }
            if target.has_port {
                return Err(fault("may not have port").at(word.span));
            }
            if !server.resolve {
                return Err(fault("requires \"resolve\" parameter").at(word.span));
            }
        }
        Ok(server)
    }
}

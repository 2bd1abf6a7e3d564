//! `resolver`: who is asked for addresses.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::syntax::Word;
use crate::value::address::{Address, Form, Target};
use crate::value::{Value, time};

/// Who is asked for addresses.
#[derive(Clone, Debug, Directives)]
pub struct Resolver {
    /// The name servers; without a word those of `/etc/resolv.conf`, after `/etc/hosts`.
    #[directive("resolver")]
    pub servers: Option<NameServers>,
    /// How long an address is waited for.
    #[directive("resolver_timeout", default = "30s")]
    pub timeout: Duration,
}

/// The same for one group of servers.
#[derive(Clone, Debug, Directives)]
pub struct UpstreamResolver {
    /// The name servers of the group; without a word those of `http`.
    #[directive("resolver", only(Upstream), own)]
    pub servers: Option<NameServers>,
    /// How long an address is waited for.
    #[directive("resolver_timeout", only(Upstream), own)]
    pub timeout: Option<Duration>,
}

/// Name servers and how they are asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameServers {
    /// Where they are.
    pub servers: Vec<SocketAddr>,
    /// `valid=`: how long an answer is believed, whatever it says itself.
    pub valid: Option<Duration>,
    /// `ipv4=`: whether addresses of IPv4 are asked for.
    pub ipv4: bool,
    /// `ipv6=`: whether addresses of IPv6 are.
    pub ipv6: bool,
}

impl Value for NameServers {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut all = Self { servers: Vec::new(), valid: None, ipv4: true, ipv6: true };
        for word in args.words {
            all.word(word, cx)?;
        }
        if !all.ipv4 && !all.ipv6 {
            let text = "\"ipv4\" and \"ipv6\" cannot both be \"off\"";
            return Err(Fault::sentence(text));
        }
        if all.servers.is_empty() {
            return Err(Fault::sentence("no name servers defined"));
        }
        Ok(all)
    }
}

impl NameServers {
    fn word(&mut self, word: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
        let invalid = || Fault::sentence(format!("invalid parameter: {}", word.text)).at(word.span);
        let flag = |value: &str| match value {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(invalid()),
        };
        match word.text.split_once('=') {
            Some(("valid", value)) => {
                self.valid = Some(time::parse_seconds(value).ok_or_else(invalid)?);
            }
            Some(("ipv4", value)) => self.ipv4 = flag(value)?,
            Some(("ipv6", value)) => self.ipv6 = flag(value)?,
            // What is counted is not kept apart by zones.
            Some(("status_zone", zone)) if !zone.is_empty() => {
                let why = "what is asked and answered is not counted";
                cx.names.ignored("resolver ... status_zone", why, word.span);
            }
            Some(("status_zone", _)) => return Err(invalid()),
            _ => self.servers.extend(server(word)?),
        }
        Ok(())
    }
}

/// The addresses of a name server; a name is looked up at once, as nginx does.
fn server(word: &Word) -> Result<Vec<SocketAddr>, Fault> {
    const DNS: u16 = 53;
    let fault =
        |what: &str| Fault::sentence(format!("{what} in resolver \"{}\"", word.text)).at(word.span);
    let text = match word.text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => word.text.clone(),
    };
    let target =
        Target::parse(&text, DNS, Form::Server).map_err(|error| fault(&error.to_string()))?;
    match target.address {
        Address::Ip(address) => Ok(vec![address]),
        Address::Host { host, port } => {
            let found = (host.as_str(), port.unwrap_or(DNS)).to_socket_addrs();
            let found = found.map_err(|_| fault("host not found"))?;
            Ok(found.collect())
        }
        Address::Unix(_) => Err(fault("invalid host")),
    }
}

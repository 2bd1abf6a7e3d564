//! `health_check`: servers of a group that are asked now and then whether they are well.

pub mod expected;

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::syntax::Word;
use crate::value::{Value, number, time};

/// The checks of the group that a location forwards to.
#[derive(Clone, Debug, Directives)]
pub struct HealthChecks {
    /// Asks every server of the group of this location again and again, as requests of the location
    /// ask them: `interval=`, `jitter=`, `fails=`, `passes=`, `uri=`, `port=`, `match=`,
    /// `mandatory`, `persistent`, `keepalive_time=`; `type=grpc` with `grpc_service=` and
    /// `grpc_status=` asks in gRPC's own protocol, `type=tcp` only connects. The group needs no
    /// `zone`.
    #[directive("health_check", only(Location), own, repeat)]
    pub checks: Vec<HealthCheck>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// `interval=`: the time between two checks of a server.
    pub interval: Duration,
    /// `jitter=`: each check is late by chance, by this at most.
    pub jitter: Duration,
    /// `fails=`: so many failures in a row make a server unhealthy.
    pub fails: u32,
    /// `passes=`: so many successes in a row make it healthy again.
    pub passes: u32,
    /// `uri=`: what is asked for.
    pub uri: String,
    /// `port=`: the port that is asked, where it is not the server's own.
    pub port: Option<u16>,
    /// `mandatory`: nobody asks a server before it has passed its first check.
    pub mandatory: bool,
    /// `persistent`: after a reload, one that was healthy need not pass it again.
    pub persistent: bool,
    /// `match=`: the block that says what an answer must be like.
    pub expected: Option<Word>,
    /// `type=`: how it is asked.
    pub kind: Kind,
    /// `keepalive_time=`: for how long one connection is used for checks; zero is for one.
    pub keepalive_time: Duration,
}

/// How a server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By a request in the protocol of the location.
    Request,
    /// Not at all: it has to take a connection.
    Tcp,
    /// By gRPC's own protocol.
    Grpc {
        /// The service that is asked for; empty for the server as a whole.
        service: String,
        /// The status that is good besides an answer that says "serving"; 12 is that of servers
        /// that do not know the protocol.
        status: u32,
    },
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            jitter: Duration::ZERO,
            fails: 1,
            passes: 1,
            uri: "/".to_owned(),
            port: None,
            mandatory: false,
            persistent: false,
            expected: None,
            kind: Kind::Request,
            keepalive_time: Duration::ZERO,
        }
    }
}

impl HealthCheck {
    fn parameter(&mut self, word: &Word) -> Result<(), Fault> {
        let invalid = || Fault::invalid_parameter(word);
        let Some((key, value)) = word.text.split_once('=') else {
            match word.text.as_str() {
                "mandatory" => self.mandatory = true,
                "persistent" => self.persistent = true,
                _ => return Err(invalid().hint(KNOWN)),
            }
            return Ok(());
        };
        let time = || time::parse_milliseconds(value).ok_or_else(invalid);
        let count = || number::parse(value).and_then(|number| u32::try_from(number).ok());
        let positive = || count().filter(|&number| number > 0).ok_or_else(invalid);
        match key {
            "interval" => {
                self.interval = time()?;
                if self.interval.is_zero() {
                    return Err(invalid().hint("an interval is longer than nothing"));
                }
            }
            "jitter" => self.jitter = time()?,
            "fails" => self.fails = positive()?,
            "passes" => self.passes = positive()?,
            "keepalive_time" => self.keepalive_time = time()?,
            "port" => {
                let port = count().and_then(|port| u16::try_from(port).ok());
                self.port = Some(port.filter(|&port| port > 0).ok_or_else(invalid)?);
            }
            "uri" if value.starts_with('/') => value.clone_into(&mut self.uri),
            "uri" => return Err(invalid().hint("a URI begins with a slash")),
            "match" => {
                let (text, span, quoted) = (value.to_owned(), word.span, word.quoted);
                self.expected = Some(Word { text, span, quoted });
            }
            "type" => self.kind = Kind::of(value).ok_or_else(|| invalid().hint(TYPES))?,
            "grpc_service" | "grpc_status" => {
                let Kind::Grpc { service, status } = &mut self.kind else {
                    return Err(invalid().hint("it stands behind `type=grpc`"));
                };
                if key == "grpc_service" {
                    value.clone_into(service);
                } else {
                    *status = count().filter(|&status| status <= 16).ok_or_else(invalid)?;
                }
            }
            _ => return Err(invalid().hint(KNOWN)),
        }
        Ok(())
    }

    /// Refuses parameters that contradict each other.
    fn check(&self, args: &Arguments<'_>) -> Result<(), Fault> {
        let said = |key: &str| args.words.iter().find(|word| word.text.starts_with(key));
        if self.persistent && !self.mandatory {
            let fault = Fault::sentence("\"persistent\" parameter requires \"mandatory\"");
            return Err(fault.at(args.name.span));
        }
        let lone = match self.kind {
            Kind::Request => None,
            Kind::Tcp => Some("type=tcp"),
            Kind::Grpc { .. } => Some("type=grpc"),
        };
        if let Some(kind) = lone
            && let Some(word) = said("uri=").or_else(|| said("match="))
        {
            let (key, _) = word.text.split_once('=').unwrap_or_default();
            let text = format!("\"{key}\" is incompatible with \"{kind}\"");
            return Err(Fault::sentence(text).at(word.span));
        }
        Ok(())
    }
}

impl Kind {
    fn of(word: &str) -> Option<Self> {
        match word {
            "http" => Some(Self::Request),
            "tcp" => Some(Self::Tcp),
            "grpc" => Some(Self::Grpc { service: String::new(), status: 0 }),
            _ => None,
        }
    }
}

const KNOWN: &str = "known: interval=, jitter=, fails=, passes=, uri=, port=, match=, type=, \
    keepalive_time=, grpc_service=, grpc_status=, mandatory, persistent";

const TYPES: &str = "known: grpc, http, tcp";

impl Value for HealthCheck {
    const ARITY: Arity = Arity::at_least(0);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut check = Self::default();
        args.words.iter().try_for_each(|word| check.parameter(word))?;
        check.check(args)?;
        Ok(check)
    }
}

//! `upstream_wait`: how long a request waits for an application that is being restarted.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::value::{Value, number, time};

/// How long a request waits for an application that is being restarted.
#[derive(Clone, Debug, Directives)]
pub struct UpstreamWait {
    /// How long a request waits, and how many requests of a group may wait at a time, while no
    /// server of the group can be reached: refused, socket missing or full, name without an address.
    /// It is asked again and again meanwhile; what cannot be sent twice is not. `off` answers at once.
    #[directive("upstream_wait", default = "10s requests=1000")]
    pub waiting: Waiting,
}

/// The bounds of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How long one request waits; zero where none does.
    pub time: Duration,
    /// `requests=`: how many wait for one group at a time.
    pub requests: u32,
}

impl Waiting {
    /// Nobody waits.
    pub const OFF: Self = Self { time: Duration::ZERO, requests: 0 };
}

/// How many may wait where nothing is said of it.
const REQUESTS: u32 = 1000;

impl Value for Waiting {
    const ARITY: Arity = Arity::between(1, 2);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if word.text == "off" {
            return match args.words.get(1) {
                Some(more) => Err(Fault::invalid_parameter(more)),
                None => Ok(Self::OFF),
            };
        }
        let time = time::parse_milliseconds(&word.text).ok_or_else(|| {
            Fault::phrase("invalid value").at(word.span).hint("a time, as 10s, or `off`")
        })?;
        let requests = match args.words.get(1) {
            None => REQUESTS,
            Some(word) => {
                let number = word.text.strip_prefix("requests=").and_then(number::parse);
                let number = number.and_then(|number| u32::try_from(number).ok());
                number.ok_or_else(|| Fault::invalid_parameter(word).hint("known: requests="))?
            }
        };
        Ok(Self { time, requests })
    }
}

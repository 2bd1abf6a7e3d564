//! `queue`: requests that wait where no member can take them.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::value::{Value, number, time};

/// Requests that wait where no member can take them.
#[derive(Clone, Debug, Directives)]
pub struct UpstreamQueue {
    /// How many requests wait while all members have the connections they may have, and for how
    /// long. For members that cannot be reached it takes the place of `upstream_wait`.
    #[directive("queue", only(Upstream), own)]
    pub queue: Option<Queue>,
}

/// The bounds of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// How many requests wait at a time.
    pub requests: u32,
    /// `timeout=`: how long one waits.
    pub timeout: Duration,
}

impl Value for Queue {
    const ARITY: Arity = Arity::between(1, 2);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let requests = number::parse(&word.text).and_then(|number| u32::try_from(number).ok());
        let requests = requests.ok_or_else(|| Fault::phrase("invalid number").at(word.span))?;
        let timeout = match args.words.get(1) {
            None => Duration::from_mins(1),
            Some(word) => {
                let time = word.text.strip_prefix("timeout=").and_then(time::parse_milliseconds);
                time.ok_or_else(|| Fault::invalid_parameter(word).hint("known: timeout="))?
            }
        };
        Ok(Self { requests, timeout })
    }
}

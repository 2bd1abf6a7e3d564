//! `keepalive_*`: how long a connection waits for the next request.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault, Join};
use crate::syntax::Word;
use crate::value::choice::choice;
use crate::value::time;

/// How long a connection waits for the next request.
#[derive(Clone, Debug, Directives)]
pub struct Keepalive {
    /// How long a connection may be idle (0 closes it after each answer), and what `Keep-Alive`
    /// tells the client.
    #[directive("keepalive_timeout", default = "75s", parse = KeepaliveTimeout::parse, args(1, 2))]
    pub timeout: KeepaliveTimeout,
    /// How many requests one connection may carry.
    #[directive("keepalive_requests", default = "1000")]
    pub requests: u32,
    /// How old a connection may get.
    #[directive("keepalive_time", default = "1h")]
    pub time: Duration,
    /// How long an idle connection is kept at least when the server ends.
    #[directive("keepalive_min_timeout", default = "0")]
    pub min_timeout: Duration,
    /// The browsers that get no keepalive.
    #[directive("keepalive_disable", default = "msie6", joins, parse = disable, args(1, 2))]
    pub disable: Vec<OldBrowser>,
}

choice! {
    /// A browser that gets no keepalive.
    pub enum OldBrowser {
        /// None at all.
        None = "none",
        /// Internet Explorer up to 6, for what it posts.
        Msie6 = "msie6",
        /// Safari on a Mac.
        Safari = "safari",
    }
}

impl Join for Vec<OldBrowser> {
    fn join(mut self, added: Self) -> Self {
        self.extend(added);
        self
    }
}

fn disable(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Vec<OldBrowser>, Fault> {
    cx.twice(args.words);
    let one = |word: &Word| {
        OldBrowser::of(&word.text).ok_or_else(|| {
            Fault::invalid_value(word).hint(format!("one of: {}", OldBrowser::WORDS.join(", ")))
        })
    };
    args.words.iter().map(one).collect()
}

/// `keepalive_timeout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepaliveTimeout {
    /// How long a connection may be idle; zero is no keepalive.
    pub idle: Duration,
    /// What `Keep-Alive: timeout=` says, in seconds; `None` leaves the field away.
    pub header: Option<u64>,
}

impl KeepaliveTimeout {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let invalid = |place| Fault::phrase("invalid value").at(args.at(place).span);
        let idle = time::parse_milliseconds(&args.first().text).ok_or_else(|| invalid(0))?;
        let header = match args.words.get(1) {
            None => None,
            Some(word) => {
                let time = time::parse_seconds(&word.text).ok_or_else(|| invalid(1))?;
                Some(time.as_secs()).filter(|seconds| *seconds > 0)
            }
        };
        Ok(Self { idle, header })
    }
}

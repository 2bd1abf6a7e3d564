//! `ssl_session_cache`, `ssl_session_timeout`: what is remembered of handshakes.

use std::time::Duration;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::names::zone::{SMALLEST, ZoneUse};
use crate::syntax::Word;
use crate::value::size::Size;
use crate::value::{Value, number, time};

/// Where sessions are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionCache {
    /// `off`: clients are told that none is.
    Off,
    /// `none`: nowhere, without saying so.
    None,
    /// `builtin`: in a cache of the server's own, of so many sessions.
    Builtin(usize),
    /// `shared:name:size`: in a zone that servers share.
    Shared {
        /// Its name.
        name: String,
        /// How large it is, in bytes.
        size: Size,
    },
}

impl Value for SessionCache {
    const ARITY: Arity = Arity::between(1, 2);

    /// nginx: `ngx_http_ssl_session_cache`
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let invalid = |word: &Word| {
            Fault::sentence(format!("invalid session cache \"{}\"", word.text))
                .at(word.span)
                .hint("write: ssl_session_cache shared:SSL:10m;")
        };
        let mut cache = Self::None;
        for word in args.words {
            let said = match word.text.as_str() {
                "off" => Self::Off,
                "none" => Self::None,
                "builtin" => Self::Builtin(20 * 1024),
                text => {
                    if let Some(size) = text.strip_prefix("builtin:") {
                        let size = number::parse(size).ok_or_else(|| invalid(word))?;
                        Self::Builtin(usize::try_from(size).unwrap_or(usize::MAX))
                    } else {
                        shared(text).ok_or_else(|| invalid(word))?
                    }
                }
            };
            if let Self::Shared { name, size } = &said {
                if size.0 < SMALLEST {
                    let text = format!("session cache \"{}\" is too small", word.text);
                    return Err(Fault::sentence(text).at(word.span).hint("32k is the least"));
                }
                cx.names.zones.define(ZoneUse::Sessions, name, size.0, word.span)?;
            }
            // Of two, the shared one holds more.
            if !matches!(cache, Self::Shared { .. }) {
                cache = said;
            }
        }
        Ok(cache)
    }
}

fn shared(text: &str) -> Option<SessionCache> {
    let (name, size) = text.strip_prefix("shared:")?.split_once(':')?;
    let size = Size::parse(size)?;
    (!name.is_empty()).then(|| SessionCache::Shared { name: name.to_owned(), size })
}

/// A time in whole seconds (nginx: `ngx_conf_set_sec_slot`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl Value for Seconds {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let seconds = time::parse_seconds(&word.text);
        seconds.map(Self).ok_or_else(|| Fault::phrase("invalid value").at(word.span))
    }
}

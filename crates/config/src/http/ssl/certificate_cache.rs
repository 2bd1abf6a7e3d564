//! `ssl_certificate_cache` and its kin: what is remembered of certificates that variables name.

use std::time::Duration;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::{number, time};

/// How many certificates that variables name are remembered, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateCache {
    /// How many; the one that was not used for longest goes first.
    pub max: usize,
    /// How long without use.
    pub inactive: Duration,
    /// How long until the files are looked at again.
    pub valid: Duration,
}

impl CertificateCache {
    /// Reads `off`, or `max=` and times (nginx: `ngx_http_ssl_certificate_cache`).
    pub(crate) fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        let (mut max, mut inactive, mut valid) =
            (None, Duration::from_secs(10), Duration::from_mins(1));
        for word in args.words {
            let invalid =
                || Fault::invalid_parameter(word).hint("max=1000 inactive=20s valid=1m, or off");
            match word.text.split_once('=') {
                None if word.text == "off" && args.words.len() == 1 => return Ok(None),
                Some(("max", text)) => {
                    let number = number::parse(text).and_then(|n| usize::try_from(n).ok());
                    max = Some(number.filter(|max| *max > 0).ok_or_else(invalid)?);
                }
                Some(("inactive", text)) => {
                    inactive = time::parse_seconds(text).ok_or_else(invalid)?;
                }
                Some(("valid", text)) => valid = time::parse_seconds(text).ok_or_else(invalid)?,
                _ => return Err(invalid()),
            }
        }
        let Some(max) = max else {
            let text = format!("\"{}\" must have the \"max\" parameter", args.name.text);
            return Err(Fault::sentence(text).hint("say how many: max=1000"));
        };
        Ok(Some(Self { max, inactive, valid }))
    }
}

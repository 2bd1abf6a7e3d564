//! `open_file_cache`: what is remembered of files, so that nobody need look at them.

use std::sync::Arc;
use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::number;
use crate::value::time;

/// What is remembered of files.
#[derive(Clone, Debug, Directives)]
pub struct OpenFileCache {
    /// How many files and folders are remembered (`max=`), and how long without use (`inactive=`); or
    /// `off`. Without it, files of up to 64 KiB are remembered all the same, and looked at in every
    /// request.
    #[directive(
        "open_file_cache",
        parse = OpenFiles::parse,
        args(1, 2),
        differs = "a file of up to 64 KiB that is changed in place is sent as it was, until it is looked \
            at again"
    )]
    pub cache: Option<Arc<OpenFiles>>,
    /// After how long a file is looked at again.
    #[directive("open_file_cache_valid", default = "60s")]
    pub valid: Duration,
    /// After how many uses a file is remembered.
    #[directive("open_file_cache_min_uses", default = "1")]
    pub min_uses: u32,
    /// Whether files that are missing, or cannot be opened, are remembered.
    #[directive("open_file_cache_errors", default = "off")]
    pub errors: bool,
}

/// What one `open_file_cache` says. Levels that inherit it share what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// How many are remembered.
    pub max: u32,
    /// How long without use.
    pub inactive: Duration,
}

impl OpenFiles {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<Arc<Self>>, Fault> {
        let (mut max, mut inactive, mut off) = (None, Duration::from_mins(1), false);
        for word in args.words {
            let invalid = || {
                let text = format!("invalid \"open_file_cache\" parameter \"{}\"", word.text);
                Fault::sentence(text).at(word.span)
            };
            match word.text.split_once('=') {
                None if word.text == "off" => off = true,
                Some(("max", text)) => {
                    let number = number::parse(text).and_then(|n| u32::try_from(n).ok());
                    max = Some(number.filter(|max| *max > 0).ok_or_else(invalid)?);
                }
                Some(("inactive", text)) => {
                    inactive = time::parse_seconds(text).ok_or_else(invalid)?;
                }
                _ => return Err(invalid()),
            }
        }
        if off {
            return Ok(None);
        }
        let max = max.ok_or_else(|| {
            Fault::sentence("\"open_file_cache\" must have the \"max\" parameter")
                .at(args.name.span)
                .hint("say how many: max=1000")
        })?;
        Ok(Some(Arc::new(Self { max, inactive })))
    }
}

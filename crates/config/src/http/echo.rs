//! `echo`: text for an answer (the module echo).

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::template::Template;
use crate::value::{number, size::Size};

/// Text for an answer.
#[derive(Clone, Debug, Directives)]
pub struct Echo {
    /// Answers with its arguments, a space between them, and a line's end; without one after `-n`.
    /// Several stand one after the other. `echo_duplicate` says a text several times.
    #[directive("echo", only(Location, LocationIf), own, repeat, parse = Text::parse, args(0, ..))]
    #[directive("echo_duplicate", only(Location, LocationIf), own, repeat, parse = Text::duplicate, args(2))]
    pub texts: Vec<Text>,
    /// The status of that answer.
    #[directive("echo_status", only(Location, LocationIf), default = "200", parse = status, args(1))]
    pub status: u16,
}

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its words.
    pub words: Vec<Template>,
    /// Whether a line's end follows.
    pub line: bool,
    /// How often it is said.
    pub times: u32,
}

/// How long one answer may get by `echo_duplicate`, in bytes of the configuration.
const LONGEST: u64 = 1 << 20;

impl Text {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut text = Self { words: Vec::new(), line: true, times: 1 };
        let mut options = true;
        for word in args.words {
            options &= word.text.starts_with('-') && word.text.len() > 1;
            if !options {
                text.words.push(Template::compile(word, cx)?);
            } else if word.text == "--" {
                options = false;
            } else if word.text == "-n" {
                text.line = false;
            }
        }
        Ok(text)
    }

    fn duplicate(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let (count, word) = (args.first(), args.at(1));
        let times = count.text.replace('_', "").parse::<u32>().map_err(|_| {
            Fault::sentence(format!("echo_duplicate: invalid size specified: \"{}\"", count.text))
                .at(count.span)
        })?;
        if u64::from(times) * (word.text.len() as u64) > LONGEST {
            let size = Size(LONGEST);
            let text = format!("echo_duplicate: more than {} bytes", size.0);
            return Err(Fault::sentence(text).at(count.span).hint("serve a file of that size"));
        }
        Ok(Self { words: vec![Template::compile(word, cx)?], line: false, times })
    }
}

fn status(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<u16, Fault> {
    let word = args.first();
    let status = number::parse(&word.text).and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (200..=599).contains(status));
    status.ok_or_else(|| Fault::phrase("invalid number").at(word.span).hint("200 to 599"))
}

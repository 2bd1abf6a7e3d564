//! `userid`: a cookie that tells clients apart.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::value::choice::choice;
use crate::value::{Value, number, time};

/// A cookie that tells clients apart.
#[derive(Clone, Debug, Directives)]
pub struct UserId {
    /// Gives clients a cookie, of version 2 or of version 1, or only takes note of it.
    #[directive("userid", default = "off")]
    pub enabled: UserIdMode,
    /// The name of the cookie.
    #[directive("userid_name", default = "uid")]
    pub name: String,
    /// The domain of the cookie.
    #[directive("userid_domain", default = "none", parse = unless_none, args(1))]
    pub domain: Option<String>,
    /// The path of the cookie.
    #[directive("userid_path", default = "/")]
    pub path: String,
    /// How long a client keeps the cookie; `off` is as long as its session.
    #[directive("userid_expires", default = "off")]
    pub expires: UserIdExpires,
    /// The value of the field `P3P` that goes with the cookie.
    #[directive("userid_p3p", default = "none", parse = unless_none, args(1))]
    pub p3p: Option<String>,
    /// The number of this service in the cookies it gives; else it is made of its address.
    #[directive("userid_service", parse = service, args(1))]
    pub service: Option<u32>,
    /// A letter, digit or `=` that a cookie must bear, else it is given anew.
    #[directive("userid_mark", default = "off", parse = mark, args(1))]
    pub mark: Option<u8>,
    /// What a browser may do with the cookie.
    #[directive("userid_flags", default = "off")]
    pub flags: UserIdFlags,
}

choice! {
    /// Whether clients are given a cookie.
    pub enum UserIdMode {
        /// No, and it is not looked at.
        Off = "off",
        /// No, but it is looked at.
        Log = "log",
        /// In the older form.
        V1 = "v1",
        /// Yes.
        On = "on",
    }
}

/// How long a client keeps the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserIdExpires {
    /// As long as its session.
    Off,
    /// For ever.
    Max,
    /// So long from now.
    After(Duration),
}

impl Value for UserIdExpires {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        match word.text.as_str() {
            "off" => Ok(Self::Off),
            "max" => Ok(Self::Max),
            text => time::parse_seconds(text)
                .map(Self::After)
                .ok_or_else(|| Fault::phrase("invalid value").at(word.span)),
        }
    }
}

/// What a browser may do with the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserIdFlags {
    /// It is sent over TLS only.
    pub secure: bool,
    /// Scripts do not see it.
    pub httponly: bool,
    /// Whether it goes with requests from other sites.
    pub samesite: Option<&'static str>,
}

impl Value for UserIdFlags {
    const ARITY: Arity = Arity::between(1, 3);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        cx.twice(args.words);
        let mut flags = Self::default();
        for word in args.words {
            match word.text.as_str() {
                "off" if args.words.len() == 1 => {}
                "secure" => flags.secure = true,
                "httponly" => flags.httponly = true,
                "samesite=strict" => flags.samesite = Some("strict"),
                "samesite=lax" => flags.samesite = Some("lax"),
                "samesite=none" => flags.samesite = Some("none"),
                _ => return Err(Fault::invalid_value(word)),
            }
        }
        Ok(flags)
    }
}

fn unless_none(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<String>, Fault> {
    Ok(Some(args.first().text.clone()).filter(|text| text != "none"))
}

fn service(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<u32>, Fault> {
    let word = args.first();
    let number = number::parse(&word.text).and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or_else(|| Fault::phrase("invalid number").at(word.span))
}

fn mark(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<u8>, Fault> {
    let word = args.first();
    match word.text.as_bytes() {
        b"off" => Ok(None),
        [mark] if mark.is_ascii_alphanumeric() || *mark == b'=' => Ok(Some(*mark)),
        _ => {
            Err(Fault::phrase("value must be \"off\" or a single letter, digit or \"=\"")
                .at(word.span))
        }
    }
}

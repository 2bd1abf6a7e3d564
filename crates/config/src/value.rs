//! What an argument can be: a field's type says how it is read.

pub mod address;
pub mod choice;
pub mod cidr;
pub mod hosts;
pub mod number;
pub mod path;
pub mod pattern;
pub mod pem;
pub mod regex;
pub mod size;
pub mod template;
pub mod time;

use std::time::Duration;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::value::size::Size;

/// A type that one directive's arguments are read into.
pub trait Value: Sized + Clone {
    /// How many arguments it takes.
    const ARITY: Arity = Arity::ONE;

    /// Reads it.
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault>;
}

/// `on` or `off` (nginx: `ngx_conf_set_flag_slot`).
impl Value for bool {
    const ARITY: Arity = Arity::FLAG;

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if word.text.eq_ignore_ascii_case("on") {
            Ok(true)
        } else if word.text.eq_ignore_ascii_case("off") {
            Ok(false)
        } else {
            let name = &args.name.text;
            let text = &word.text;
            Err(Fault::sentence(format!(
                "invalid value \"{text}\" in \"{name}\" directive, it must be \"on\" or \"off\""
            ))
            .at(word.span))
        }
    }
}

/// A number without a unit (nginx: `ngx_conf_set_num_slot`); what is larger than that is as much.
impl Value for u32 {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        number::parse(&word.text)
            .map(|number| Self::try_from(number).unwrap_or(Self::MAX))
            .ok_or_else(|| Fault::phrase("invalid number").at(word.span))
    }
}

/// A number of bytes, `k` and `m` allowed (nginx: `ngx_conf_set_size_slot`).
impl Value for Size {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        Self::parse(&word.text).ok_or_else(|| size_fault(args))
    }
}

/// A number of bytes, `k`, `m` and `g` allowed (nginx: `ngx_conf_set_off_slot`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offset(pub u64);

impl Value for Offset {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let offset = Size::parse_offset(&args.first().text);
        offset.map(|offset| Self(offset.0)).ok_or_else(|| size_fault(args))
    }
}

fn size_fault(args: &Arguments<'_>) -> Fault {
    Fault::phrase("invalid value")
        .at(args.first().span)
        .hint("a size is a whole number with `k` or `m` (or, for bodies and files, `g`) behind it")
}

/// A time, in milliseconds where nothing finer is said (nginx: `ngx_conf_set_msec_slot`).
impl Value for Duration {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        time::parse_milliseconds(&word.text).ok_or_else(|| {
            Fault::phrase("invalid value")
                .at(word.span)
                .hint("a time is a number with ms, s, m, h, d, w, M or y behind it: 30s, 1h30m")
        })
    }
}

/// Text as it stands (nginx: `ngx_conf_set_str_slot`).
impl Value for String {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        Ok(args.first().text.clone())
    }
}

/// All arguments as they stand.
impl Value for Vec<String> {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        Ok(args.words.iter().map(|word| word.text.clone()).collect())
    }
}

/// Something without a default.
impl<T: Value> Value for Option<T> {
    const ARITY: Arity = T::ARITY;

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        T::parse(args, cx).map(Some)
    }
}

/// `number` and `size` of buffers (nginx: `ngx_conf_set_bufs_slot`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffers {
    /// How many.
    pub number: u32,
    /// How large each is, in bytes.
    pub size: Size,
}

impl Value for Buffers {
    const ARITY: Arity = Arity::between(2, 2);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let invalid = |_| Fault::phrase("invalid value").at(args.first().span);
        let number = u32::parse(args, cx).map_err(invalid)?;
        let size = Size::parse(&args.at(1).text).filter(|size| size.0 > 0);
        let size = size.ok_or_else(|| Fault::phrase("invalid value").at(args.at(1).span))?;
        if number == 0 {
            return Err(Fault::phrase("invalid value").at(args.first().span));
        }
        Ok(Self { number, size })
    }
}

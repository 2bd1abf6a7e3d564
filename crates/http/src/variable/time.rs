//! Variables of the time.

use bytes::Bytes;
use tidegate_config::variable::Builtin;

use super::seconds;
use crate::date::{Now, unix_time};
use crate::exchange::Exchange;

pub(super) fn value(ex: &Exchange<'_>, builtin: Builtin) -> Option<Bytes> {
    match builtin {
        Builtin::Msec => Some(seconds(unix_time())),
        Builtin::RequestTime => Some(seconds(ex.started.elapsed())),
        Builtin::TimeIso8601 => Some(Now::with(|now| now.iso8601.clone())),
        Builtin::TimeLocal => Some(Now::with(|now| now.local.clone())),
        Builtin::DateGmt => Some(Now::get().long(true)),
        Builtin::DateLocal => Some(Now::get().long(false)),
        _ => None,
    }
}

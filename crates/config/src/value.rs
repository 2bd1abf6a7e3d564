//! The types of values, each read exactly as nginx reads it.

pub mod address;
pub mod cidr;
pub mod number;
pub mod path;
pub mod size;
pub mod time;

//! nginx.conf, read, checked and typed.
//!
//! [`load`] reads a configuration with all its includes and gives plain values, resolved for every
//! level, or all its faults. No network, no runtime.
#![forbid(unsafe_code)]

pub mod applying;
pub mod block;
pub mod diagnostic;
pub mod directive;
pub mod files;
pub mod http;
pub mod known;
pub mod lint;
mod load;
pub mod names;
pub mod source;
pub mod syntax;
pub mod value;
pub mod variable;

pub use block::Config;
pub use load::{Loaded, Options, load};

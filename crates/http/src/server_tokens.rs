//! `server_tokens`: what we tell of ourselves.

use tidegate_config::block::Location;
use tidegate_config::http::server_tokens::Tokens;

/// The name in `Server` and below error pages.
pub fn signature(location: &Location) -> &'static [u8] {
    match location.server_tokens.tokens {
        Tokens::Off => b"tidegate",
        Tokens::On | Tokens::Build => concat!("tidegate/", env!("CARGO_PKG_VERSION")).as_bytes(),
    }
}

//! A connection to an address, over TLS where that is to be.

use std::time::Duration;

use crate::connect::{Address, Manner, Opening, open, opened};
use crate::fault::Fault;
use crate::secure::{self, Secured};
use crate::stream::Stream;

/// Opens a connection to an address.
pub(crate) async fn reach(
    (address, patience, manner): (&Address, Duration, Manner),
    secured: Option<&Secured>,
    http2: bool,
) -> Result<Stream, Fault> {
    shaken(open(address, manner)?, (address, patience), secured, http2).await
}

/// The same, where it has been begun.
pub(super) async fn shaken(
    opening: Opening,
    (address, patience): (&Address, Duration),
    secured: Option<&Secured>,
    http2: bool,
) -> Result<Stream, Fault> {
    let stream = opened(opening, address, patience).await?;
    if http2 || secured.is_some() {
        let fault = |error| Fault::Connect { to: address.clone(), error };
        stream.hurry().map_err(fault)?;
    }
    match secured {
        Some(secured) => secure::handshake(stream, (secured, http2), patience).await,
        None => Ok(stream),
    }
}

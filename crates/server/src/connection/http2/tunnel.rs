//! A stream that became a connection (RFC 8441): bytes go both ways until one side ends.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tidegate_http::body::Tunnel;
use tidegate_http::client::RequestBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::answer::Writer;

/// How much is read from the upstream at once.
const READ: usize = 16 * 1024;

/// Longer than any silence that a tunnel allows.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// Carries bytes both ways until a side ends or both are silent for the tunnel's time. Returns how
/// many bytes went to the upstream.
pub(super) async fn run(
    writer: &mut Writer<'_>,
    body: &mut dyn RequestBody,
    tunnel: Tunnel,
) -> u64 {
    body.set_limits(FOREVER, None);
    let (mut reader, mut upstream) = tokio::io::split(tunnel.stream);
    let since = std::cell::Cell::new(Instant::now());
    let spoken = || since.set(Instant::now());
    let mut carried = 0;
    let up = async {
        while let Some(item) = poll_fn(|cx| body.poll_data(cx)).await {
            let bytes = item.map_err(io::Error::other)?;
            upstream.write_all(&bytes).await?;
            upstream.flush().await?;
            carried += bytes.len() as u64;
            spoken();
        }
        upstream.shutdown().await
    };
    let down = async {
        writer.data(tunnel.early, false).await?;
        loop {
            let mut buffer = BytesMut::with_capacity(READ);
            let end = since.get() + tunnel.timeout;
            let read = match timeout_at(end, reader.read_buf(&mut buffer)).await {
                // Silence of the upstream is none of the tunnel while the client talks.
                Err(_) if since.get() + tunnel.timeout > end => continue,
                read => read??,
            };
            if read == 0 {
                return io::Result::Ok(());
            }
            spoken();
            writer.data(buffer.freeze(), false).await?;
        }
    };
    tokio::select! {
        _ = up => {}
        _ = down => {}
    }
    // Who has given the stream up needs no end of it.
    let _ = writer.close();
    carried
}

//! After a 101: bytes go both ways until one side ends.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidegate_http::body::{Duplex, Tunnel};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{Instant, timeout_at};

use super::io::Io;

/// How much is read from the upstream at once.
const READ: usize = 16 * 1024;

/// Carries bytes both ways until a side ends or both are silent for `patience`. Returns how many
/// bytes went to the upstream, and how many to the client.
pub(super) async fn run(io: &Rc<Io>, tunnel: Tunnel, patience: Duration) -> (u64, u64) {
    let (reader, writer) = tokio::io::split(tunnel.stream);
    let silence = Silence { since: Cell::new(Instant::now()), patience };
    let mut carried = (0, 0);
    let down = downwards(io, reader, tunnel.early, &silence, &mut carried.1);
    let up = upwards(io, writer, &silence, &mut carried.0);
    // nginx ends both ways when one ends (`ngx_http_upstream_process_upgraded`).
    tokio::select! {
        _ = up => {}
        _ = down => {}
    }
    carried
}

/// How long nobody has said anything.
struct Silence {
    since: Cell<Instant>,
    patience: Duration,
}

impl Silence {
    fn end(&self) -> Instant {
        self.since.get() + self.patience
    }

    fn is_broken(&self) {
        self.since.set(Instant::now());
    }
}

async fn upwards(
    io: &Rc<Io>,
    mut upstream: WriteHalf<std::pin::Pin<Box<dyn Duplex>>>,
    silence: &Silence,
    carried: &mut u64,
) -> io::Result<()> {
    loop {
        let bytes = io.buffer.borrow_mut().split().freeze();
        if !bytes.is_empty() {
            upstream.write_all(&bytes).await?;
            upstream.flush().await?;
            *carried += bytes.len() as u64;
            silence.is_broken();
        }
        if io.has_ended() {
            return upstream.shutdown().await;
        }
        match io.fill(silence.patience).await {
            // Silence of the client is none of the tunnel while the upstream talks.
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            result => {
                result?;
            }
        }
    }
}

async fn downwards(
    io: &Rc<Io>,
    mut upstream: ReadHalf<std::pin::Pin<Box<dyn Duplex>>>,
    early: Bytes,
    silence: &Silence,
    carried: &mut u64,
) -> io::Result<()> {
    *carried += early.len() as u64;
    io.write_all([early], silence.patience).await?;
    loop {
        let mut buffer = BytesMut::with_capacity(READ);
        let end = silence.end();
        let read = match timeout_at(end, upstream.read_buf(&mut buffer)).await {
            // Silence of the upstream is none of the tunnel while the client talks.
            Err(_) if silence.end() > end => continue,
            read => read??,
        };
        if read == 0 {
            return Ok(());
        }
        silence.is_broken();
        *carried += read as u64;
        io.write_all([buffer.freeze()], silence.patience).await?;
    }
}

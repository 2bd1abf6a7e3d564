//! Reads what a balancer says before the client's own bytes, and leaves those in the socket.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use rustix::net::{RecvFlags, recv};
use tidegate_config::http::error_log::Level;
use tidegate_http::client::Connection;
use tidegate_http::proxy_protocol::{LONGEST, Parsed, ProxyProtocol, parse};
use tokio::time::timeout;

use super::stream::Stream;
use crate::runtime::Worker;

/// Reads a header where the socket's `listen` says that one comes; false where the connection is to
/// be closed, which the log has told.
pub(super) async fn accept(worker: &Worker, connection: &mut Connection, stream: &Stream) -> bool {
    let Some(patience) = patience(worker, connection) else { return true };
    let said = tokio::select! {
        said = timeout(patience, read(stream)) => said,
        () = worker.dismissal() => return false,
    };
    let why = match said {
        Ok(Ok(said)) => {
            connection.proxy_protocol = said;
            return true;
        }
        // Who says nothing has asked nothing.
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return false,
        Ok(Err(error)) => (Level::Error, error.to_string()),
        Err(_) => (Level::Info, "client timed out (110: Connection timed out)".to_owned()),
    };
    let generation = worker.generation();
    let place = generation
        .socket(connection)
        .and_then(|socket| Some((socket, generation.http.servers.get(socket.default)?)));
    if let Some(place) = place {
        let text = format!("{} while reading PROXY protocol", why.1);
        generation.logs.tell_of(connection, place, why.0, &text);
    }
    false
}

/// How long to wait for a header; `None` where none is to come.
fn patience(worker: &Worker, connection: &Connection) -> Option<Duration> {
    let generation = worker.generation();
    let socket = generation.socket(connection).filter(|socket| socket.options.proxy_protocol)?;
    let server = generation.http.servers.get(socket.default)?;
    Some(server.settings.client_header.timeout)
}

async fn read(stream: &Stream) -> io::Result<Option<Box<ProxyProtocol>>> {
    loop {
        stream.readable().await?;
        let mut buffer = vec![0; LONGEST];
        let length = match take(stream, &mut buffer, RecvFlags::PEEK) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                stream.forget_readiness();
                continue;
            }
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => length?,
        };
        buffer.truncate(length);
        match parse(&Bytes::from(buffer)).map_err(io::Error::other)? {
            Parsed::Header(length, said) => {
                // These bytes are here, so that they come whole.
                take(stream, &mut vec![0; length], RecvFlags::empty())?;
                return Ok(said);
            }
            // What was seen stays in the socket; the kernel tells of more.
            Parsed::Partial => stream.forget_readiness(),
        }
    }
}

fn take(stream: &Stream, buffer: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
    let (Stream::Tcp(socket) | Stream::Unix(socket)) = stream else {
        // It comes before TLS.
        return Err(io::ErrorKind::Unsupported.into());
    };
    let (length, _) = socket.with(|socket| recv(socket, buffer, flags | RecvFlags::DONTWAIT))??;
    Ok(length)
}

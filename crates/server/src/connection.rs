//! One connection from a client: which protocol it speaks, and that protocol.

mod answer;
mod body;
mod http1;
mod http2;
mod io;
mod manner;
mod patience;
mod preface;
mod proxy_protocol;
pub(crate) mod request;
mod stream;
mod tunnel;

use std::rc::Rc;

use tidegate_http::client::{Connection, Transport};
use tidegate_http::head::Version;

use crate::runtime::Worker;
use crate::tls;
pub(crate) use io::Io;
pub(crate) use manner::product;
pub(crate) use stream::Stream;
pub(crate) use stream::encrypted::{Encrypted, Raw};
pub(crate) use stream::socket::Socket;

/// Serves one connection until it ends. What is known of it comes in boxes, as it has a place wherever it is
/// handed on, for as long as the connection waits.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    mut connection: Box<Connection>,
    stream: Box<Stream>,
) {
    if !proxy_protocol::accept(&worker, &mut connection, &stream).await {
        return;
    }
    let stream = if connection.to_tls {
        // Boxed, so that a connection that waits is small.
        match Box::pin(tls::accept(&worker, &mut connection, *stream)).await {
            Some(stream) => Box::new(stream),
            None => return,
        }
    } else {
        stream
    };
    let io = Rc::new(Io::new(*stream));
    connection.transport = Some(Rc::clone(&io) as Rc<dyn Transport>);
    match preface::spoken(&worker, &connection, &io).await {
        None => {}
        Some(Version::Http2) => Box::pin(http2::serve(worker, *connection, io)).await,
        Some(_) => http1::serve(&worker, &connection, &io).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<F>(_: fn(Rc<Worker>, Box<Connection>, Box<Stream>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_connection_that_waits_is_small() {
        let bytes = size(serve);
        assert!(bytes < 800, "{bytes}");
    }
}

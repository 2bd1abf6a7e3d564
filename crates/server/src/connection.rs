//! One connection from a client: which protocol it speaks, and that protocol.

mod answer;
mod body;
mod http1;
mod io;
mod manner;
mod request;
mod stream;
mod tunnel;

use std::rc::Rc;

use tidegate_http::client::Connection;

use crate::runtime::Worker;
pub(crate) use io::Io;
pub(crate) use stream::Stream;

/// Serves one connection until it ends.
pub(crate) async fn serve(worker: Rc<Worker>, connection: Connection, stream: Stream) {
    let io = Rc::new(Io::new(stream));
    http1::serve(&worker, &connection, &io).await;
}

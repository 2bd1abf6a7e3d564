//! Applications on real sockets, and what comes of asking them.

mod answers;
mod asking;
mod bodies;
mod uwsgi;

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::task::Context;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytes::BytesMut;
use tidegate_config::block::Config;
use tidegate_http::client::{ClientError, Connection, Endpoint, RequestBody};
use tidegate_http::exchange::UpstreamTry;
use tidegate_http::head::{Parsed, Parser, Rules as HeadRules};
use tidegate_http::log::Logs;
use tidegate_http::log::file::LogFiles;
use tokio::task::LocalSet;

use super::*;

/// A configuration at work, without a server around it.
struct Site {
    config: Config,
    upstreams: Upstreams,
    logs: Logs,
    connection: Connection,
    _folder: tempfile::TempDir,
}

/// What came of a request.
struct Outcome {
    result: Result<(Box<Response>, Vec<u8>, bool), Stop>,
    tries: Vec<UpstreamTry>,
}

impl Site {
    fn new(http: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["proxy_temp", "uwsgi_temp", "client_body_temp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, format!("events {{}} http {{ {http} }}")).unwrap();
        let prefix = folder.path().to_owned();
        let options = tidegate_config::Options { prefix, ..Default::default() };
        let loaded = tidegate_config::load(&path, &options);
        let messages = loaded.messages();
        let config = loaded.config.expect(&messages);
        let upstreams = Upstreams::new(&config.http, None);
        let end = Endpoint::Ip(([127, 0, 0, 1], 1).into());
        let connection = Connection {
            number: 1,
            peer: end.clone(),
            local: end,
            started: Instant::now(),
            tls: None,
            to_tls: false,
            proxy_protocol: None,
            debug: false,
            transport: None,
        };
        let logs = Logs::new(&config, LogFiles::default().into());
        Self { config, upstreams, logs, connection, _folder: folder }
    }

    /// `server { location / { … } }` with these upstreams.
    fn at(location: &str) -> Self {
        Self::new(&format!("server {{ listen 1; location / {{ {location} }} }}"))
    }

    async fn get(&self, path: &str) -> Outcome {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"), Client::default()).await
    }

    async fn send(&self, head: &str, client: impl RequestBody + 'static) -> Outcome {
        let http = &self.config.http;
        let server = &http.servers[0];
        let mut bytes = BytesMut::from(head);
        let Parsed::Complete(head) = Parser::new().parse(&mut bytes, &RULES) else {
            panic!("{head}")
        };
        let mut ex =
            Exchange::new((http, &self.logs), &self.connection, server, head, Box::new(client));
        ex.location = server.location.locations.longest_prefix(&ex.uri).unwrap();
        let pass = ex.location.pass.to.as_ref().unwrap();
        let result = match respond(&mut ex, pass, &self.upstreams).await {
            Err(stop) => Err(stop),
            Ok(mut response) => {
                let (body, whole) = drain(std::mem::take(&mut response.body)).await;
                Ok((response, body, whole))
            }
        };
        let tries = ex.upstream.borrow().clone();
        Outcome { result, tries }
    }
}

const RULES: HeadRules = HeadRules {
    buffer_size: 4096,
    large_buffers: 4,
    large_buffer_size: 8192,
    max_headers: 1000,
    ignore_invalid: true,
    underscores: false,
    merge_slashes: true,
};

impl Outcome {
    fn status(&self) -> u16 {
        match &self.result {
            Ok((response, ..)) => response.status,
            Err(Stop::Status(status)) => *status,
            Err(stop) => panic!("{stop:?}"),
        }
    }

    fn body(&self) -> &[u8] {
        &self.result.as_ref().unwrap().1
    }

    fn header(&self, name: &str) -> Option<&Bytes> {
        self.result.as_ref().unwrap().0.headers.get(name)
    }

    fn statuses(&self) -> Vec<u16> {
        self.tries.iter().map(|one| one.status).collect()
    }
}

/// The whole of a body, and whether it ended as it should.
async fn drain(body: Body) -> (Vec<u8>, bool) {
    match body {
        Body::Bytes(bytes) => (bytes.to_vec(), true),
        Body::Stream(mut stream) => {
            let mut all = Vec::new();
            while let Some(item) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
                match item {
                    Ok(bytes) => all.extend_from_slice(&bytes),
                    Err(_) => return (all, false),
                }
            }
            (all, true)
        }
        _ => (Vec::new(), true),
    }
}

/// A client's body, and whether the client has left.
#[derive(Default)]
struct Client {
    pieces: VecDeque<Bytes>,
    left: bool,
}

impl Client {
    fn body(pieces: &[&'static str]) -> Self {
        let pieces = pieces.iter().map(|&piece| Bytes::from(piece)).collect();
        Self { pieces, left: false }
    }
}

impl RequestBody for Client {
    fn poll_data(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        Poll::Ready(self.pieces.pop_front().map(Ok))
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        if self.left { Poll::Ready(()) } else { Poll::Pending }
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn is_done(&self) -> bool {
        self.pieces.is_empty()
    }

    fn set_limits(&mut self, _: Duration, _: Option<u64>) {}
}

/// An application: what it does with its connections, one after the other, is a function each.
fn app<F>(connections: Vec<F>) -> (u16, Receiver<String>)
where
    F: FnOnce(&mut Peer) + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for serve in connections {
            let (stream, _) = listener.accept().unwrap();
            let mut peer = Peer { stream, heard: String::new() };
            serve(&mut peer);
            let _ = sender.send(peer.heard);
        }
    });
    (port, receiver)
}

/// An application's side of a connection.
struct Peer<S = TcpStream> {
    stream: S,
    heard: String,
}

impl<S: Read + Write> Peer<S> {
    /// Reads until something is in what was told of this request.
    fn until(&mut self, text: &str) {
        let start = self.heard.len();
        let mut byte = [0];
        while !self.heard[start..].ends_with(text) {
            assert_eq!(self.stream.read(&mut byte).unwrap(), 1, "{}", self.heard);
            self.heard.push(byte[0].into());
        }
    }

    fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }
}

fn ok(peer: &mut Peer) {
    peer.until("\r\n\r\n");
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

fn closes(peer: &mut Peer) {
    peer.until("\r\n\r\n");
}

fn rubbish(peer: &mut Peer) {
    peer.until("\r\n\r\n");
    peer.say("\u{15}\u{3}\u{1} nothing\r\n\r\n");
}

async fn within<F: Future>(test: F) -> F::Output {
    let patience = tokio::time::timeout(Duration::from_secs(20), test);
    LocalSet::new().run_until(patience).await.expect("the test hangs")
}

//! Backends made of a few lines: what they receive is kept, what they answer is written out.

mod echo;
pub mod fastcgi;
mod http2;

use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::task::{JoinHandle, JoinSet};

use super::answer::{chunks, find};

/// A backend that runs for as long as the value lives.
#[derive(Debug)]
pub struct Backend {
    port: u16,
    kept: Kept,
    task: JoinHandle<()>,
}

/// What has come so far.
#[derive(Clone, Debug, Default)]
struct Kept {
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<AtomicUsize>,
    begun: Arc<AtomicUsize>,
}

impl Kept {
    /// Counts a connection.
    fn opened(&self) -> Self {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.clone()
    }
}

/// Cuts one request off the front of what has come: how long it is, once it is whole.
type Framing = fn(&[u8]) -> Option<usize>;

impl Backend {
    /// Speaks HTTP: the function gets a whole request and returns the answer's bytes. The
    /// connection is kept when the answer says where it ends.
    pub async fn http(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::framed(http_request, answer).await
    }

    /// The same, on an address that is said; port 0 is any.
    pub async fn http_on(
        address: &str,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        Self::framed_by(listener, http_request, answer)
    }

    /// Speaks uwsgi: the function gets the packet as [`packet_text`] and the body after it.
    pub async fn uwsgi(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::framed(uwsgi_request, answer).await
    }

    /// Speaks FastCGI: the function gets the request as [`fastcgi`] shows it, and returns records.
    pub async fn fastcgi(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::framed(fastcgi::request, answer).await
    }

    /// Speaks SCGI: the function gets the request as `NAME=value` lines and the body.
    pub async fn scgi(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::framed(scgi_request, answer).await
    }

    /// Hands every connection to the function.
    pub async fn raw<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (listener, port) = listen().await;
        let kept = Kept::default();
        let counted = kept.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.opened();
                tokio::spawn(serve(stream));
            }
        });
        Self { port, kept, task }
    }

    /// Speaks HTTP on a unix socket.
    pub fn http_at(socket: &Path, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::framed_at(socket, http_request, answer)
    }

    /// Speaks uwsgi on a unix socket.
    pub fn uwsgi_at(
        socket: &Path,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::framed_at(socket, uwsgi_request, answer)
    }

    fn framed_at(
        socket: &Path,
        framing: Framing,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let listener = UnixListener::bind(socket).expect("a socket");
        // Workers may run as somebody else.
        let mode = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(socket, mode).expect("a socket");
        let kept = Kept::default();
        let (keep, answer) = (kept.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, framing, answer.clone(), keep.opened()));
            }
        });
        Self { port: 0, kept, task }
    }

    async fn framed(
        framing: Framing,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::framed_by(listen().await.0, framing, answer)
    }

    fn framed_by(
        listener: TcpListener,
        framing: Framing,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let kept = Kept::default();
        let (keep, answer) = (kept.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            // When the backend is dropped, so are its connections.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, framing, answer.clone(), keep.opened()));
            }
        });
        Self { port, kept, task }
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.kept.connections.load(Ordering::Relaxed)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many requests have come and have not been taken.
    pub fn count(&self) -> usize {
        self.kept.received.lock().expect("no panic before").len()
    }

    /// Takes the requests that have come since the last time.
    pub fn received(&self) -> Vec<String> {
        let requests = std::mem::take(&mut *self.kept.received.lock().expect("no panic before"));
        requests.iter().map(|bytes| text_of(bytes)).collect()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer of status 200 with its length.
pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    framing: Framing,
    answer: Arc<impl Fn(&str) -> String>,
    kept: Kept,
) {
    let mut buffer = Vec::new();
    loop {
        while let Some(length) = framing(&buffer) {
            let request: Vec<u8> = buffer.drain(..length).collect();
            let text = text_of(&request);
            kept.received.lock().expect("no panic before").push(request);
            let answer = answer(&text);
            // A FastCGI request says whether its connection is kept.
            let ends = text.starts_with("FastCGI role 1 flags 0") || !tells_its_end(&answer);
            if stream.write_all(answer.as_bytes()).await.is_err() || ends {
                return;
            }
        }
        if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}

fn tells_its_end(answer: &str) -> bool {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
    let framed = ["content-length:", "transfer-encoding:", " 304 ", " 204 "];
    framed.iter().any(|word| head.contains(word)) && !head.contains("connection: close")
}

fn http_request(bytes: &[u8]) -> Option<usize> {
    let head = find(bytes, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let value = |name: &str| text.split("\r\n").find_map(|line| line.strip_prefix(name));
    if value("transfer-encoding:").is_some() {
        return chunks(&bytes[head..]).ok()?.map(|(_, length)| head + length);
    }
    let body = value("content-length:").map_or(Some(0), |value| value.trim().parse().ok())?;
    (bytes.len() >= head + body).then_some(head + body)
}

fn uwsgi_request(bytes: &[u8]) -> Option<usize> {
    let size = 4 + usize::from(u16::from_le_bytes([*bytes.get(1)?, *bytes.get(2)?]));
    let variables = uwsgi_variables(bytes.get(4..size)?);
    let body = variables.iter().find(|(name, _)| name == "CONTENT_LENGTH");
    let body: usize = body.map_or(0, |(_, value)| value.parse().unwrap_or(0));
    (bytes.len() >= size + body).then_some(size + body)
}

fn uwsgi_variables(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut take = || {
        let length = usize::from(u16::from_le_bytes([*bytes.first()?, *bytes.get(1)?]));
        let text = String::from_utf8_lossy(bytes.get(2..2 + length)?).into_owned();
        bytes = &bytes[2 + length..];
        Some(text)
    };
    let mut variables = Vec::new();
    while let Some(variable) = take().and_then(|name| Some((name, take()?))) {
        variables.push(variable);
    }
    variables
}

fn scgi_request(bytes: &[u8]) -> Option<usize> {
    let colon = find(bytes, b":")?;
    let size: usize = String::from_utf8_lossy(&bytes[..colon]).parse().ok()?;
    let end = colon + 1 + size + 1;
    let text = String::from_utf8_lossy(bytes.get(colon + 1..end)?).into_owned();
    let body = text.strip_prefix("CONTENT_LENGTH\0")?.split('\0').next()?;
    let end = end + body.parse::<usize>().ok()?;
    (bytes.len() >= end).then_some(end)
}

/// An SCGI request as `scgi`, `NAME=value` lines, and what follows.
fn scgi_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (front, body) = text.split_once(',').unwrap_or((&text, ""));
    // A comma may stand in a value: the netstring says where it ends.
    let colon = front.find(':').unwrap_or(0);
    let size: usize = front[..colon].parse().unwrap_or(0);
    let (variables, body) = match text.get(colon + 1..colon + 1 + size) {
        Some(variables) => (variables, text.get(colon + 2 + size..).unwrap_or_default()),
        None => (front, body),
    };
    let words: Vec<&str> = variables.split('\0').collect();
    let lines = words.chunks_exact(2).map(|pair| format!("{}={}\n", pair[0], pair[1]));
    format!("scgi\n{}{body}", lines.collect::<String>())
}

/// HTTP as it is; a uwsgi packet as `uwsgi MODIFIER1 MODIFIER2`, `NAME=value` lines, and the body.
fn text_of(bytes: &[u8]) -> String {
    // No method begins with a byte that nginx sends as a modifier in a test: 0 to 31.
    match *bytes {
        [1, 1, 0, 1, 0, 8, ..] => fastcgi::text(bytes),
        [b'0'..=b'9', ..] => scgi_text(bytes),
        [modifier1 @ 0..32, low, high, modifier2, ..] => {
            let size = 4 + usize::from(u16::from_le_bytes([low, high]));
            let mut text = format!("uwsgi {modifier1} {modifier2}\n");
            for (name, value) in uwsgi_variables(&bytes[4..size]) {
                text += &format!("{name}={value}\n");
            }
            text + &String::from_utf8_lossy(&bytes[size..])
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

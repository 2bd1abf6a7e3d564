//! A client on raw sockets: bytes out, bytes in, and a deadline on everything.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::DEADLINE;
use super::answer::{Answer, Ending};
use super::ask::Ask;
use super::tls;

/// What carries the bytes of a connection.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// Who asks a server on one of its ports; a new connection for every request.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    port: u16,
    /// The name that is asked for in the handshake, and how; none without TLS.
    tls: Option<(&'static str, &'static Arc<ClientConfig>)>,
}

/// One connection to a server.
pub struct Connection {
    stream: Box<dyn Io>,
    buffer: Vec<u8>,
    ended: bool,
    patience: Duration,
}

impl Client {
    /// A client of a port of this machine.
    pub fn of_port(port: u16) -> Self {
        Self { port, tls: None }
    }

    /// The same over TLS, asking for this name in the handshake, without a look at certificates.
    #[must_use]
    pub fn over_tls(&self, name: &'static str) -> Self {
        self.over_tls_as(name, tls::config())
    }

    /// The same with a configuration of one's own.
    #[must_use]
    pub fn over_tls_as(&self, name: &'static str, config: ClientConfig) -> Self {
        Self { port: self.port, tls: Some((name, Box::leak(Box::new(Arc::new(config))))) }
    }

    /// The port it asks.
    pub fn port(self) -> u16 {
        self.port
    }

    /// Asks for a path by GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}")).await
    }

    /// Sends a request in the notation of [`Ask::of`].
    pub async fn ask(&self, text: &str) -> Answer {
        let ask = Ask::of(text);
        let mut connection = self.connect().await;
        connection.send(&ask.bytes).await;
        connection.answer_to(&ask.method).await
    }

    /// Sends bytes and reads all that comes back until the server closes.
    pub async fn request(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let mut connection = self.connect().await;
        connection.send(bytes).await;
        connection.rest().await
    }

    /// Whether anybody listens.
    pub async fn is_open(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()
    }

    /// Opens a connection.
    pub async fn connect(&self) -> Connection {
        let stream = timeout(DEADLINE, TcpStream::connect(("127.0.0.1", self.port))).await;
        let stream = stream.expect("in time").expect("the server takes connections");
        stream.set_nodelay(true).expect("a socket");
        match self.tls {
            None => Connection::over(stream),
            Some((name, config)) => {
                let encrypted = tls::connect(stream, name, Arc::clone(config));
                let encrypted = timeout(DEADLINE, encrypted).await.expect("in time");
                Connection::over(encrypted.expect("a handshake"))
            }
        }
    }

    /// Shakes hands; what goes wrong with it.
    pub async fn try_handshake(&self) -> Result<(), String> {
        let (name, config) = self.tls.expect("a client of TLS");
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("a connection");
        let mut stream =
            tls::connect(stream, name, Arc::clone(config)).await.map_err(|why| why.to_string())?;
        // What a server of TLS 1.3 refuses it tells behind the handshake.
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .map_err(|why| why.to_string())?;
        let read = stream.read(&mut [0; 1]).await.map_err(|why| why.to_string())?;
        if read == 0 { Err("closed".to_owned()) } else { Ok(()) }
    }
}

impl Connection {
    /// A connection over a unix socket.
    pub async fn unix(path: &Path) -> Self {
        Self::over(UnixStream::connect(path).await.expect("the server takes connections"))
    }

    /// A connection over what carries its bytes.
    pub fn over(stream: impl Io + 'static) -> Self {
        Self { stream: Box::new(stream), buffer: Vec::new(), ended: false, patience: DEADLINE }
    }

    /// Waits this long for anything, instead of the usual time.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends bytes; a server that has closed meanwhile is no fault here.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = timeout(self.patience, self.stream.write_all(bytes.as_ref())).await;
        let _ = sent.expect("the server reads");
        let _ = self.stream.flush().await;
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads the answer to a GET.
    pub async fn answer(&mut self) -> Answer {
        self.answer_to("GET").await
    }

    /// Reads the answer to a request of this method.
    pub async fn answer_to(&mut self, method: &str) -> Answer {
        self.try_answer(method).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// Reads the answer, or says what came instead.
    pub async fn try_answer(&mut self, method: &str) -> Result<Answer, String> {
        loop {
            match Answer::parse(&self.buffer, method, self.ended) {
                Ok(Some((answer, length))) => {
                    self.buffer.drain(..length);
                    return Ok(answer);
                }
                Ok(None) if !self.ended => {}
                Ok(None) => return Err(format!("closed after {:?}", self.text())),
                Err(ending) => return Err(format!("{ending:?} in {:?}", self.text())),
            }
            if !self.fill().await {
                return Err(format!("still waiting after {:?}", self.text()));
            }
        }
    }

    /// Reads until these bytes have come, and returns all up to their end.
    pub async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self.buffer.windows(end.len()).position(|bytes| bytes == end.as_bytes());
            if let Some(at) = found {
                let bytes: Vec<u8> = self.buffer.drain(..at + end.len()).collect();
                return String::from_utf8_lossy(&bytes).into_owned();
            }
            assert!(!self.ended, "closed before {end:?}: {:?}", self.text());
            assert!(self.fill().await, "no {end:?} in {:?}", self.text());
        }
    }

    /// Sends much and reads the same time, up to the end.
    pub async fn send_and_read(&mut self, bytes: &str, end: &str) -> String {
        let (mut sent, total) = (0, bytes.len());
        while sent < total {
            let (mut reader, mut writer) = tokio::io::split(&mut self.stream);
            tokio::select! {
                written = writer.write(&bytes.as_bytes()[sent..]) => {
                    sent += written.expect("the server reads");
                }
                read = reader.read_buf(&mut self.buffer) => {
                    assert!(read.expect("the server writes") > 0, "closed");
                }
            }
        }
        self.until(end).await
    }

    /// Reads all that comes until the server closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        assert!(self.closes().await, "still open after {:?}", self.text());
        std::mem::take(&mut self.buffer)
    }

    /// Waits for the server to close, keeping what comes meanwhile; false when it does not.
    pub async fn closes(&mut self) -> bool {
        while !self.ended {
            if !self.fill().await {
                return false;
            }
        }
        true
    }

    /// What has come and has not been taken.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Reads once; false when nothing came in time. A reset is an end, too.
    async fn fill(&mut self) -> bool {
        match timeout(self.patience, self.stream.read_buf(&mut self.buffer)).await {
            Ok(Ok(0) | Err(_)) => self.ended = true,
            Ok(Ok(_)) => {}
            Err(_) => return false,
        }
        true
    }
}

impl From<Ending> for String {
    fn from(ending: Ending) -> Self {
        format!("{ending:?}")
    }
}

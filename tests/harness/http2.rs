//! A client of HTTP/2 in raw frames: any frame out, frames in, and a deadline on everything.

mod frame;

use std::collections::VecDeque;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::Answer;
use super::client::Io;
use super::{Client, DEADLINE, Tidegate};
pub use frame::*;

/// What comes back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer, as it would look in HTTP/1.
    Answer(Answer),
    /// The stream was given up, with this code.
    Reset(u32),
    /// The connection was given up, with this code.
    GoAway(u32),
    /// The connection ended.
    Closed,
    /// Nothing in time.
    Silence,
}

/// A connection to a server.
pub struct Http2 {
    stream: Box<dyn Io>,
    buffer: Vec<u8>,
    decoder: fluke_hpack::Decoder<'static>,
    block: Vec<u8>,
    away: Option<u32>,
    kept: VecDeque<Frame>,
    next: u32,
    patience: Duration,
}

impl Tidegate {
    /// A connection of HTTP/2 to the first port, its settings exchanged.
    pub async fn http2(&self) -> Http2 {
        Http2::to(self).await
    }
}

impl Http2 {
    /// A connection whose preface and settings are sent.
    pub async fn to(client: &Client) -> Self {
        Self::with_settings(client, &[]).await
    }

    /// The same with settings.
    pub async fn with_settings(client: &Client, settings: &[(u16, u32)]) -> Self {
        Self::bare(client).await.begun(settings).await
    }

    /// Sends preface and settings.
    pub async fn begun(mut self, settings: &[(u16, u32)]) -> Self {
        self.send(&[PREFACE, &settings_frame(settings)].concat()).await;
        self
    }

    /// A connection on which nothing is sent yet.
    pub async fn bare(client: &Client) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", client.port())).await;
        let stream = stream.expect("the server takes connections");
        stream.set_nodelay(true).expect("a socket");
        Self::over(stream)
    }

    /// A connection over what carries its bytes; nothing is sent yet.
    pub fn over(stream: impl Io + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            buffer: Vec::new(),
            decoder: fluke_hpack::Decoder::new(),
            block: Vec::new(),
            away: None,
            kept: VecDeque::new(),
            next: 1,
            patience: DEADLINE,
        }
    }

    /// Waits this long for anything.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends bytes; whether the server took them.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        matches!(timeout(self.patience, self.stream.write_all(bytes)).await, Ok(Ok(())))
    }

    /// The socket itself.
    pub fn socket(&mut self) -> &mut dyn Io {
        &mut *self.stream
    }

    /// Sends a frame.
    pub async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.send(&frame(kind, flags, stream, payload)).await
    }

    /// Sends the head of a request; its stream.
    pub async fn head(&mut self, fields: &[(&str, &str)], flags: u8) -> u32 {
        let stream = self.next;
        self.next += 2;
        self.send(&blocks(stream, flags, &literals(fields))).await;
        stream
    }

    /// Sends a request without a body, and reads what comes back.
    pub async fn ask(&mut self, fields: &[(&str, &str)]) -> Reply {
        let stream = self.head(fields, END_STREAM).await;
        self.reply(stream).await
    }

    /// Sends a request with a body.
    pub async fn post(&mut self, fields: &[(&str, &str)], body: &[u8]) -> Reply {
        let stream = self.head(fields, 0).await;
        for piece in body.chunks(16_000) {
            self.frame(DATA, 0, stream, piece).await;
        }
        self.frame(DATA, END_STREAM, stream, b"").await;
        self.reply(stream).await
    }

    /// Asks for a path, which has to be answered.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.ask(&get(path, &[])).await.answer()
    }

    /// The next frame of any kind; `None` at the end, or when nothing came in time. Settings are
    /// acknowledged.
    pub async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.kept.pop_front() {
            return Some(frame);
        }
        self.read().await
    }

    async fn read(&mut self) -> Option<Frame> {
        loop {
            if let Some(mut frame) = self.parse() {
                self.note(&mut frame);
                if frame.kind == DATA && !frame.payload.is_empty() {
                    self.frame(WINDOW_UPDATE, 0, 0, &length(&frame)).await;
                }
                if frame.kind == SETTINGS && frame.flags & ACK == 0 {
                    self.frame(SETTINGS, ACK, 0, b"").await;
                }
                return Some(frame);
            }
            match timeout(self.patience, self.stream.read_buf(&mut self.buffer)).await {
                Ok(Ok(1..)) => {}
                _ => return None,
            }
        }
    }

    /// The next frame of this kind; those before it are dropped.
    pub async fn until(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next().await;
            let frame = frame.unwrap_or_else(|| panic!("the connection ended before {kind}"));
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// What comes back on a stream; frames of others are kept. What is taken is acknowledged.
    pub async fn reply(&mut self, stream: u32) -> Reply {
        let mut answer: Option<Answer> = None;
        let mut others = VecDeque::new();
        let reply = loop {
            let frame = match self.kept.pop_front() {
                Some(frame) => Some(frame),
                None => self.read().await,
            };
            let Some(frame) = frame else { break self.ending().await };
            match frame.kind {
                GOAWAY if code(&frame.payload[4..]) != 0 => {
                    break Reply::GoAway(code(&frame.payload[4..]));
                }
                RST_STREAM if frame.stream == stream => break Reply::Reset(code(&frame.payload)),
                HEADERS | CONTINUATION if frame.stream == stream => match &mut answer {
                    _ if frame.flags & END_HEADERS == 0 => {}
                    Some(answer) if answer.status >= 200 => answer.fields.extend(frame.fields),
                    _ => answer = Some(as_answer(frame.fields)),
                },
                DATA if frame.stream == stream => {
                    if frame.flags & END_STREAM == 0 && !frame.payload.is_empty() {
                        self.frame(WINDOW_UPDATE, 0, stream, &length(&frame)).await;
                    }
                    answer.as_mut().expect("a head before the body").body.extend(&frame.payload);
                }
                HEADERS | DATA | RST_STREAM | CONTINUATION => {
                    others.push_back(frame);
                    continue;
                }
                _ => {}
            }
            if frame.flags & END_STREAM != 0
                && frame.stream == stream
                && matches!(frame.kind, HEADERS | DATA)
            {
                break answer.map_or(Reply::Closed, Reply::Answer);
            }
        };
        others.append(&mut self.kept);
        self.kept = others;
        reply
    }

    async fn ending(&mut self) -> Reply {
        let mut byte = [0];
        match timeout(Duration::from_millis(1), self.stream.read(&mut byte)).await {
            Err(_) => Reply::Silence,
            Ok(_) => Reply::Closed,
        }
    }

    /// Whether the server closes; what comes before is dropped.
    pub async fn closes(&mut self) -> bool {
        while self.next().await.is_some() {}
        matches!(self.ending().await, Reply::Closed)
    }

    /// The code of the GOAWAY that comes; `None` where the connection ends without one.
    pub async fn goes_away(&mut self) -> Option<u32> {
        loop {
            if self.away.is_some() {
                return self.away;
            }
            self.next().await?;
        }
    }

    /// Whether the server has said that it wants no further requests.
    pub fn is_leaving(&self) -> bool {
        self.away.is_some()
    }

    /// The number that the next request's stream will have.
    pub fn next_stream(&mut self) -> u32 {
        let stream = self.next;
        self.next += 2;
        stream
    }

    /// Decodes header blocks in the order they come in, and keeps the reason of an end.
    fn note(&mut self, frame: &mut Frame) {
        if frame.kind == GOAWAY {
            self.away = Some(code(&frame.payload[4..]));
        }
        if matches!(frame.kind, HEADERS | CONTINUATION) {
            self.block.extend(&frame.payload);
            if frame.flags & END_HEADERS != 0 {
                let block = std::mem::take(&mut self.block);
                frame.fields = texts(self.decoder.decode(&block).expect("a header block"));
            }
        }
    }

    fn parse(&mut self) -> Option<Frame> {
        let head = self.buffer.get(..9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let payload = self.buffer.get(9..9 + length)?.to_vec();
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let frame = Frame { kind: head[3], flags: head[4], stream, payload, fields: Vec::new() };
        self.buffer.drain(..9 + length);
        Some(frame)
    }
}

impl Reply {
    /// The answer there has to be.
    #[track_caller]
    pub fn answer(self) -> Answer {
        match self {
            Self::Answer(answer) => answer,
            other => panic!("no answer: {other:?}"),
        }
    }
}

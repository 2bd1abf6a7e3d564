//! A request on its way to a peer: its head, then its body from memory, a file or the client.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tidegate_http::client::{ClientError, RequestBody};
use tokio::io::AsyncWrite;

use crate::protocol::Codec;
use crate::protocol::http2::Http2;
use crate::stream::Stream;

/// The body of a request.
pub(crate) enum Payload {
    /// All of it, in memory.
    Memory(Bytes),
    /// All of it, in a file of so many bytes.
    File(Rc<File>, u64),
    /// Still coming from the client, behind what has come already; it can be sent once.
    Live(Bytes),
}

/// Why a request could not be sent.
#[derive(Debug)]
pub(crate) enum Unsent {
    /// The peer does not take it.
    Peer(io::Error),
    /// The client does not give it.
    Client(ClientError),
    /// Its file cannot be read.
    File(io::Error),
}

/// Who is being waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All is sent.
    Done,
    /// The peer has to take more.
    Peer,
    /// The client has to give more.
    Client,
}

/// What is still to be sent.
pub(crate) struct Outbox {
    codec: Rc<dyn Codec>,
    /// How much of its head has gone, or is given up.
    gone: usize,
    /// What goes behind that.
    queue: VecDeque<Bytes>,
    payload: Payload,
    /// How much of a payload in a file has been read.
    position: u64,
    /// Whether all of the payload is in the queue.
    complete: bool,
    /// Whether the kernel has refused to send a file by itself.
    reads: bool,
    /// How many bytes the peer has taken.
    pub(crate) sent: u64,
}

/// How much of a file is read at a time.
const FILE_PIECE: u64 = 64 * 1024;

/// How many pieces are written at a time.
const PIECES: usize = 16;

impl Outbox {
    /// A request of which nothing has been sent.
    pub(crate) fn new(codec: Rc<dyn Codec>, payload: Payload) -> Self {
        let queue = VecDeque::new();
        Self { codec, gone: 0, queue, payload, position: 0, complete: false, reads: false, sent: 0 }
    }

    /// What is left of its head.
    fn head(&self) -> &[u8] {
        self.codec.head().get(self.gone..).unwrap_or_default()
    }

    /// How many pieces wait to be sent.
    fn pieces(&self) -> usize {
        usize::from(!self.head().is_empty()) + self.queue.len()
    }

    /// Sends what can be sent.
    pub(crate) fn poll_send(
        &mut self,
        stream: &mut Stream,
        client: Option<&mut (dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Result<Progress, Unsent> {
        let mut client = client;
        loop {
            let file = self.file(stream);
            if let (Some((file, left)), 0) = (&file, self.pieces()) {
                match self.poll_file(stream, (file, *left), cx)? {
                    Poll::Ready(()) => continue,
                    Poll::Pending => return Ok(Progress::Peer),
                }
            }
            // Head and body go together where the body is at hand.
            let waiting = file.is_none()
                && !self.complete
                && self.pieces() < 2
                && self.fill(client.as_deref_mut(), cx)?.is_pending();
            if self.pieces() == 0 {
                return Ok(if waiting { Progress::Client } else { Progress::Done });
            }
            let mut pieces = [IoSlice::new(&[]); PIECES];
            let head = Some(self.head()).filter(|head| !head.is_empty());
            let queue = self.queue.iter().map(|bytes| &bytes[..]);
            for (slice, bytes) in pieces.iter_mut().zip(head.into_iter().chain(queue)) {
                *slice = IoSlice::new(bytes);
            }
            let filled = pieces.get(..self.pieces().min(PIECES)).unwrap_or_default();
            let written = if file.is_some() {
                stream.poll_write_more(filled, cx)
            } else {
                // A request begins on a connection that has room.
                let first = (self.sent == 0).then(|| stream.write_now(filled));
                match first {
                    Some(Ok(taken)) => Poll::Ready(Ok(taken)),
                    _ => Pin::new(&mut *stream).poll_write_vectored(cx, filled),
                }
            };
            match written {
                Poll::Ready(Ok(0)) => return Err(Unsent::Peer(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(taken)) => self.advance(taken),
                Poll::Ready(Err(error)) => return Err(Unsent::Peer(error)),
                Poll::Pending => return Ok(Progress::Peer),
            }
        }
    }

    /// The file that the kernel sends by itself, and how much of it has not gone.
    fn file(&self, stream: &Stream) -> Option<(Rc<File>, u64)> {
        let Payload::File(file, length) = &self.payload else { return None };
        let left = length.saturating_sub(self.position);
        let by_itself = !self.reads && left > 0 && stream.is_plain() && self.codec.is_raw();
        by_itself.then(|| (file.clone(), left))
    }

    fn poll_file(
        &mut self,
        stream: &Stream,
        (file, left): (&File, u64),
        cx: &mut Context<'_>,
    ) -> Result<Poll<()>, Unsent> {
        let mut position = self.position;
        match stream.poll_send_file(file, (&mut position, left as usize), cx) {
            Poll::Pending => return Ok(Poll::Pending),
            Poll::Ready(Ok(0)) => return Err(Unsent::File(io::ErrorKind::UnexpectedEof.into())),
            Poll::Ready(Ok(sent)) => {
                self.position = position;
                self.sent += sent as u64;
            }
            // Not every kind of file can be sent so.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => {
                self.reads = true;
            }
            Poll::Ready(Err(error)) => return Err(Unsent::Peer(error)),
        }
        Ok(Poll::Ready(()))
    }

    /// Gives up what has not been sent.
    pub(crate) fn abandon(&mut self) {
        self.gone = usize::MAX;
        self.queue.clear();
        self.complete = true;
    }

    /// Whether the peer closes after its answer, in protocols that have one request a connection, and
    /// reads nothing of the request any more: there was no body that it may not have read yet.
    pub(crate) fn is_last(&self) -> bool {
        !self.codec.keeps() && self.sent == self.codec.head().len() as u64
    }

    /// The request, where HTTP/2 is spoken.
    pub(crate) fn http2(&self) -> Option<&Http2> {
        self.codec.http2()
    }

    /// Whether it is known that there is no body.
    pub(crate) fn is_without_body(&self) -> bool {
        match &self.payload {
            Payload::Memory(bytes) => bytes.is_empty(),
            Payload::File(_, length) => *length == 0,
            Payload::Live(_) => false,
        }
    }

    /// Queues the next piece of the body.
    fn fill(
        &mut self,
        client: Option<&mut (dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Result<Poll<()>, Unsent> {
        let Poll::Ready(piece) = self.poll_piece(client, cx)? else { return Ok(Poll::Pending) };
        if let Some(bytes) = piece {
            self.codec.data(bytes, &mut self.queue);
        } else {
            self.codec.end(&mut self.queue);
            self.complete = true;
        }
        Ok(Poll::Ready(()))
    }

    /// The next piece of the body; `None` is its end.
    pub(crate) fn poll_piece(
        &mut self,
        client: Option<&mut (dyn RequestBody + '_)>,
        cx: &mut Context<'_>,
    ) -> Result<Poll<Option<Bytes>>, Unsent> {
        let piece = match (&mut self.payload, client) {
            (Payload::Memory(bytes), _) => some(std::mem::take(bytes)),
            (Payload::File(file, length), _) => {
                read_piece(file, self.position, *length).map_err(Unsent::File)?
            }
            (Payload::Live(early), _) if !early.is_empty() => some(std::mem::take(early)),
            (Payload::Live(_), None) => return Ok(Poll::Pending),
            (Payload::Live(_), Some(client)) => match client.poll_data(cx) {
                Poll::Ready(piece) => piece.transpose().map_err(Unsent::Client)?,
                Poll::Pending => return Ok(Poll::Pending),
            },
        };
        self.position += piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
        Ok(Poll::Ready(piece))
    }

    fn advance(&mut self, mut taken: usize) {
        self.sent += taken as u64;
        let length = self.head().len().min(taken);
        self.gone += length;
        taken -= length;
        while let Some(first) = self.queue.front_mut() {
            let length = first.len().min(taken);
            first.advance(length);
            taken -= length;
            if !first.is_empty() {
                return;
            }
            self.queue.pop_front();
        }
    }
}

fn some(bytes: Bytes) -> Option<Bytes> {
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

fn read_piece(file: &File, position: u64, length: u64) -> io::Result<Option<Bytes>> {
    let size = FILE_PIECE.min(length.saturating_sub(position)) as usize;
    let mut piece = vec![0; size];
    file.read_exact_at(&mut piece, position)?;
    Ok((size > 0).then(|| piece.into()))
}

//! The body of a request while peers are tried: in memory, in a file, or still coming.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidegate_config::http::client_body::ClientBody;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::pass::{Pass, Protocol};
use tidegate_config::http::proxy::ProxyVersion;
use tidegate_http::client::{ClientError, NoBody, RequestBody};
use tidegate_http::exchange::Exchange;
use tidegate_http::stop::Stop;

use crate::outbox::Payload;
use crate::temp_file;

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// All of it, in memory.
    Memory(Bytes),
    /// All of it, in a file of so many bytes.
    File(Rc<File>, u64),
    /// Still coming, behind what has come already.
    Live(Bytes),
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The client does not send what it promised.
    Client(ClientError),
    /// The file for it cannot be made or written.
    File(io::Error),
}

/// Reads the body of the request, or its beginning where it is not to be buffered.
pub(crate) async fn take(
    ex: &mut Exchange<'_>,
    pass: &Pass,
    forward: &Forward,
) -> Result<Content, Stop> {
    if !ex.request.has_body() {
        return Ok(Content::Memory(Bytes::new()));
    }
    let settings = &*ex.location.client_body;
    let chunks = match pass.protocol {
        Protocol::Http => ex.location.proxy.http_version != ProxyVersion::Http10,
        _ => false,
    };
    let set = pass.protocol == Protocol::Http && ex.location.proxy.set_body.is_some();
    let live = !forward.request_buffering
        && forward.pass_request_body
        && !set
        && (chunks || !ex.request.chunked);
    let content = if live {
        let limit = settings.buffer_size.0 as usize;
        Content::begin(ex.body.as_mut(), limit).await.map_err(Unread::Client)
    } else {
        Content::read(ex.body.as_mut(), settings).await
    };
    let content = content.map_err(|unread| match unread {
        Unread::Client(error) => {
            ex.log(Level::Info, &format!("{error} while reading client request body"));
            error.into()
        }
        Unread::File(error) => {
            let folder = settings.temp_path.display();
            ex.log(Level::Crit, &format!("a file in \"{folder}\" cannot be written ({error})"));
            Stop::Status(500)
        }
    })?;
    if let Content::File(..) = content {
        ex.log(Level::Warn, "a client request body is buffered to a temporary file");
    }
    if let Some(length) = content.len() {
        ex.request.content_length = Some(length);
        let client = std::mem::replace(&mut ex.body, Box::new(NoBody));
        ex.body = Box::new(Replay { client, content: content.clone(), position: 0 });
    }
    Ok(content)
}

impl Content {
    /// Reads a body to its end, into memory as far as `client_body_buffer_size` allows, else into a
    /// file. Says whether there is a file.
    pub(crate) async fn read(
        body: &mut dyn RequestBody,
        settings: &ClientBody,
    ) -> Result<Self, Unread> {
        let limit = settings.buffer_size.0;
        let mut memory = BytesMut::new();
        let mut file = None;
        let mut length = 0;
        while let Some(bytes) = poll_fn(|cx| body.poll_data(cx)).await {
            let bytes = bytes.map_err(Unread::Client)?;
            length += bytes.len() as u64;
            if file.is_none() && length > limit {
                file = Some(spill(&memory, &settings.temp_path).map_err(Unread::File)?);
            }
            match &mut file {
                Some(file) => file.write_all(&bytes).map_err(Unread::File)?,
                None => memory.extend_from_slice(&bytes),
            }
        }
        Ok(match file {
            Some(file) => Self::File(Rc::new(file), length),
            None => Self::Memory(memory.freeze()),
        })
    }

    /// Takes what has come of a body, up to `limit` bytes; it may be all.
    pub(crate) async fn begin(
        body: &mut dyn RequestBody,
        limit: usize,
    ) -> Result<Self, ClientError> {
        let mut early = BytesMut::new();
        while early.len() < limit {
            match poll_fn(|cx| Poll::Ready(body.poll_data(cx))).await {
                Poll::Ready(Some(bytes)) => early.extend_from_slice(&bytes?),
                Poll::Ready(None) => return Ok(Self::Memory(early.freeze())),
                Poll::Pending => break,
            }
        }
        Ok(Self::Live(early.freeze()))
    }

    /// The length, where all of it is here.
    pub(crate) fn len(&self) -> Option<u64> {
        match self {
            Self::Memory(bytes) => Some(bytes.len() as u64),
            Self::File(_, length) => Some(*length),
            Self::Live(_) => None,
        }
    }

    /// The body for one more try.
    pub(crate) fn payload(&self) -> Payload {
        match self {
            Self::Memory(bytes) => Payload::Memory(bytes.clone()),
            Self::File(file, length) => Payload::File(file.clone(), *length),
            Self::Live(early) => Payload::Live(early.clone()),
        }
    }
}

fn spill(memory: &[u8], folder: &Path) -> io::Result<File> {
    let mut file = temp_file::create(folder)?;
    file.write_all(memory)?;
    Ok(file)
}

/// A body that has been read and can be read again: a request may be forwarded once more, after an
/// `error_page`.
pub(crate) struct Replay {
    /// The client's side.
    pub(crate) client: Box<dyn RequestBody>,
    /// What it sent.
    pub(crate) content: Content,
    /// How much has been read again.
    pub(crate) position: u64,
}

/// How much of a file is read at a time.
const FILE_PIECE: u64 = 64 * 1024;

impl Replay {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        let piece = match &self.content {
            Content::Memory(bytes) => bytes.slice((self.position as usize).min(bytes.len())..),
            Content::File(file, length) => {
                let size = FILE_PIECE.min(length.saturating_sub(self.position));
                let mut piece = vec![0; size as usize];
                file.read_exact_at(&mut piece, self.position)?;
                piece.into()
            }
            Content::Live(_) => Bytes::new(),
        };
        self.position += piece.len() as u64;
        if piece.is_empty() {
            // Whoever reads next begins again.
            self.position = 0;
            return Ok(None);
        }
        Ok(Some(piece))
    }
}

impl RequestBody for Replay {
    fn poll_data(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        Poll::Ready(self.next().map_err(|_| ClientError::Closed).transpose())
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.client.poll_closed(cx)
    }

    fn length(&self) -> Option<u64> {
        self.content.len()
    }

    fn is_done(&self) -> bool {
        self.client.is_done()
    }

    fn set_limits(&mut self, patience: Duration, most: Option<u64>) {
        self.client.set_limits(patience, most);
    }
}

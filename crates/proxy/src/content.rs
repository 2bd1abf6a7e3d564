//! The body of a request while peers are tried: in memory, in a file, or still coming.

use std::future::poll_fn;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidegate_config::http::client_body::{ClientBody, InFileOnly};
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::pass::{Pass, Protocol};
use tidegate_config::http::proxy::ProxyVersion;
use tidegate_http::client::{ClientError, Kept, NoBody, RequestBody};
use tidegate_http::exchange::Exchange;
use tidegate_http::headers::Headers;
use tidegate_http::shortage;
use tidegate_http::stop::Stop;

use crate::fault::System;
use crate::outbox::Payload;
use crate::temp_file::{Name, TempFile};

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// All of it, in memory.
    Memory(Bytes),
    /// All of it, in a file of so many bytes.
    File(Rc<TempFile>, u64),
    /// Still coming, behind what has come already.
    Live(Bytes),
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The client does not send what it promised.
    Client(ClientError),
    /// The file for it cannot be made or written.
    File {
        /// What the system was asked for.
        call: &'static str,
        /// The file, or the folder it was to be in.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The body of a request that has none.
pub(crate) fn at_hand(ex: &Exchange<'_>) -> Option<Content> {
    // One that is told to be empty has a file all the same.
    let asked = ex.location.client_body.in_file_only != InFileOnly::Off
        && ex.request.content_length.is_some();
    (!ex.request.has_body() && !asked).then(|| Content::Memory(Bytes::new()))
}

/// Reads the body of the request, or its beginning where it is not to be buffered.
pub(crate) async fn take(
    ex: &mut Exchange<'_>,
    pass: &Pass,
    forward: &Forward,
) -> Result<Content, Stop> {
    let settings = &*ex.location.client_body;
    if let Some(content) = at_hand(ex) {
        return Ok(content);
    }
    let chunks = match pass.protocol {
        Protocol::Http => ex.location.proxy.http_version != ProxyVersion::Http10,
        Protocol::Grpc => true,
        Protocol::Uwsgi | Protocol::Fastcgi | Protocol::Scgi => false,
    };
    let set = pass.protocol == Protocol::Http && ex.location.proxy.set_body.is_some();
    let live = (!forward.request_buffering || pass.protocol == Protocol::Grpc)
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
            ex.log(error.level(), &format!("{error} while reading client request body"));
            error.into()
        }
        Unread::File { call, path, error } => {
            let text = format!("{call}() \"{}\" failed ({})", path.display(), System(&error));
            if shortage::is_shortage(&error) {
                shortage::told(&text).inspect(|text| ex.log(Level::Crit, text));
                return Stop::Status(503);
            }
            ex.log(Level::Crit, &text);
            Stop::Status(500)
        }
    })?;
    if let Content::File(file, _) = &content {
        let level =
            if settings.in_file_only == InFileOnly::Off { Level::Warn } else { Level::Notice };
        let path = file.path.display();
        ex.log(level, &format!("a client request body is buffered to a temporary file {path}"));
    }
    if let Some(length) = content.len() {
        ex.request.content_length = Some(length);
        let client = std::mem::replace(&mut ex.body, Box::new(NoBody));
        ex.body = Box::new(Replay { client, content: content.clone(), position: 0 });
    }
    Ok(content)
}

impl Content {
    /// Reads a body to its end, into memory as far as `client_body_buffer_size` and
    /// `client_body_in_file_only` allow, else into a file.
    pub(crate) async fn read(
        body: &mut dyn RequestBody,
        settings: &ClientBody,
    ) -> Result<Self, Unread> {
        let limit = settings.buffer_size.0;
        let (mut memory, mut file) = (BytesMut::new(), None);
        let mut length = 0;
        while let Some(bytes) = poll_fn(|cx| body.poll_data(cx)).await {
            let bytes = bytes.map_err(Unread::Client)?;
            length += bytes.len() as u64;
            // What is large is not gathered, but written from where it was read to.
            if file.is_some() && bytes.len() >= LARGE {
                spill(&mut file, memory.split().freeze(), settings).await?;
                spill(&mut file, bytes, settings).await?;
                continue;
            }
            memory.extend_from_slice(&bytes);
            let enough = if file.is_some() { limit.max(PIECE) } else { limit };
            if memory.len() as u64 > enough {
                spill(&mut file, memory.split().freeze(), settings).await?;
            }
        }
        if file.is_some() || settings.in_file_only != InFileOnly::Off {
            spill(&mut file, memory.split().freeze(), settings).await?;
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
            Self::File(file, length) => Payload::File(file.file.clone(), *length),
            Self::Live(early) => Payload::Live(early.clone()),
        }
    }
}

/// How much of a body that has a file is gathered for one more write, in bytes.
const PIECE: u64 = 64 * 1024;

/// So many bytes that have come at once are worth a write of their own.
const LARGE: usize = 8 * 1024;

/// Writes a piece to the file, which is made first.
async fn spill(
    file: &mut Option<TempFile>,
    piece: Bytes,
    settings: &ClientBody,
) -> Result<(), Unread> {
    let file = if let Some(file) = file {
        file
    } else {
        let place = &settings.temp_path;
        let name = match settings.in_file_only {
            InFileOnly::Off => Name::None,
            InFileOnly::Clean => Name::Passing,
            InFileOnly::On => Name::Lasting,
        };
        let path = place.folder.clone();
        let made = TempFile::create(place, name);
        file.insert(made.map_err(|error| Unread::File { call: "open", path, error })?)
    };
    let written = file.write(piece).await;
    written.map_err(|error| Unread::File { call: "write", path: file.path.clone(), error })
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
                file.file.read_exact_at(&mut piece, self.position)?;
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

    fn trailers(&self) -> Option<&Headers> {
        self.client.trailers()
    }

    fn hint(&mut self, fields: &Headers) {
        self.client.hint(fields);
    }

    fn length(&self) -> Option<u64> {
        self.content.len()
    }

    fn is_done(&self) -> bool {
        self.client.is_done()
    }

    fn kept(&self) -> Kept {
        match &self.content {
            Content::Memory(bytes) => Kept::Memory(bytes.clone()),
            Content::File(file, _) => Kept::File(file.path.clone()),
            Content::Live(_) => Kept::Nowhere,
        }
    }

    fn set_limits(&mut self, patience: Duration, most: Option<u64>) {
        self.client.set_limits(patience, most);
    }
}

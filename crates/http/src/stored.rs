//! A request's body that has been read, and can be read again.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidegate_config::http::error_log::Level;

use crate::client::{ClientError, NoBody, RequestBody};
use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::shortage;
use crate::stop::Stop;

/// How much of a file is read at a time.
const PIECE: u64 = 64 * 1024;

/// A body that is here as a whole.
#[derive(Clone, Debug)]
pub struct Stored {
    content: Content,
    position: u64,
}

#[derive(Clone, Debug)]
enum Content {
    Memory(Bytes),
    File(Rc<File>, u64),
}

/// Reads the body of a request, into memory as far as `client_body_buffer_size` allows, else into a
/// file. The request has it again afterwards; `None` where it has none.
pub async fn take(ex: &mut Exchange<'_>) -> Result<Option<Stored>, Stop> {
    if !ex.request.has_body() {
        return Ok(None);
    }
    let settings = &*ex.location.client_body;
    let limit = settings.buffer_size.0;
    let (mut memory, mut file, mut length) = (BytesMut::new(), None, 0);
    while let Some(bytes) = poll_fn(|cx| ex.body.poll_data(cx)).await {
        let bytes = bytes.map_err(|error| {
            ex.log(error.level(), &format!("{error} while reading client request body"));
            Stop::from(error)
        })?;
        length += bytes.len() as u64;
        if file.is_none() && length > limit {
            let made = spill(&memory, &settings.temp_path.folder);
            file = Some(made.map_err(|error| unwritten(ex, &error))?);
        }
        match &mut file {
            Some(file) => file.write_all(&bytes).map_err(|error| unwritten(ex, &error))?,
            None => memory.extend_from_slice(&bytes),
        }
    }
    let content = match file {
        Some(file) => Content::File(Rc::new(file), length),
        None => Content::Memory(memory.freeze()),
    };
    let stored = Stored { content, position: 0 };
    ex.request.content_length = Some(length);
    let client = std::mem::replace(&mut ex.body, Box::new(NoBody));
    ex.body = Box::new(Again { client, stored: stored.clone() });
    Ok(Some(stored))
}

fn unwritten(ex: &Exchange<'_>, error: &io::Error) -> Stop {
    let folder = ex.location.client_body.temp_path.folder.display();
    let text = format!("a file in \"{folder}\" cannot be written ({error})");
    if shortage::is_shortage(error) {
        shortage::told(&text).inspect(|text| ex.log(Level::Crit, text));
        return Stop::Status(503);
    }
    ex.log(Level::Crit, &text);
    Stop::Status(500)
}

/// A file without a name, in the folder for such, or where the system has them.
fn spill(memory: &[u8], folder: &Path) -> io::Result<File> {
    let made = match tempfile::tempfile_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder))
        }
        made => made,
    };
    let mut file = made.or_else(|error| tempfile::tempfile().map_err(|_| error))?;
    file.write_all(memory)?;
    Ok(file)
}

impl Stored {
    /// The length in bytes.
    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::File(_, length) => *length,
        }
    }

    /// Whether it is without a byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn next(&mut self) -> io::Result<Option<Bytes>> {
        let piece = match &self.content {
            Content::Memory(bytes) => bytes.slice((self.position as usize).min(bytes.len())..),
            Content::File(file, length) => {
                let size = PIECE.min(length.saturating_sub(self.position));
                let mut piece = vec![0; size as usize];
                file.read_exact_at(&mut piece, self.position)?;
                piece.into()
            }
        };
        self.position += piece.len() as u64;
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }
}

impl RequestBody for Stored {
    fn poll_data(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        Poll::Ready(self.next().map_err(|_| ClientError::Closed).transpose())
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn length(&self) -> Option<u64> {
        Some(self.len())
    }

    fn is_done(&self) -> bool {
        self.position >= self.len()
    }

    fn set_limits(&mut self, _: Duration, _: Option<u64>) {}
}

/// A stored body, and the client that it came from.
struct Again {
    client: Box<dyn RequestBody>,
    stored: Stored,
}

impl RequestBody for Again {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        self.stored.poll_data(cx)
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.client.poll_closed(cx)
    }

    fn trailers(&self) -> Option<&Headers> {
        self.client.trailers()
    }

    fn length(&self) -> Option<u64> {
        self.stored.length()
    }

    fn is_done(&self) -> bool {
        self.client.is_done()
    }

    fn set_limits(&mut self, patience: Duration, most: Option<u64>) {
        self.client.set_limits(patience, most);
    }
}

//! A body as a stream of bytes, for those who have to see them.

use std::collections::VecDeque;
use std::fs::File;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use super::{Body, BodyStream, FileSlice, Part};

/// The most bytes of a file that are read at once.
const PIECE: usize = 64 * 1024;

impl Body {
    /// Its bytes, one piece after the other. What the kernel has in memory is read at once; what
    /// has to come from the disk is read by another thread. A tunnel has no bytes of its own.
    pub fn into_stream(self) -> BodyStream {
        let parts = match self {
            Self::Stream(stream) => return stream,
            Self::Empty | Self::Tunnel(_) => VecDeque::new(),
            Self::Bytes(bytes) => VecDeque::from([Part::Bytes(bytes)]),
            Self::File(slice) => VecDeque::from([Part::File(slice)]),
            Self::Parts(parts) => parts,
        };
        Box::pin(PartStream { parts, reading: None })
    }
}

struct PartStream {
    parts: VecDeque<Part>,
    /// A read by another thread, of the first part.
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Stream for PartStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let result = ready!(self.poll_piece(cx));
        if let Some(Err(_)) = &result {
            self.parts.clear();
        }
        Poll::Ready(result)
    }
}

impl PartStream {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(reading) = &mut self.reading {
            let read = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
            return Poll::Ready(Some(self.take(read.map_err(io::Error::other).flatten())));
        }
        loop {
            let slice = match self.parts.front() {
                None => return Poll::Ready(None),
                Some(part) if part.is_empty() => {
                    self.parts.pop_front();
                    continue;
                }
                Some(Part::File(slice)) => slice,
                Some(Part::Bytes(bytes)) => {
                    let bytes = bytes.clone();
                    self.parts.pop_front();
                    return Poll::Ready(Some(Ok(bytes)));
                }
            };
            match read_cached(slice) {
                Ok(Some(bytes)) => return Poll::Ready(Some(self.take(Ok(bytes)))),
                Err(error) => return Poll::Ready(Some(Err(error))),
                Ok(None) => match read_elsewhere(slice) {
                    Ok(reading) => self.reading = Some(reading),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
            }
            return self.poll_piece(cx);
        }
    }

    /// Moves the first part, a file, behind what was read of it.
    fn take(&mut self, read: io::Result<Bytes>) -> io::Result<Bytes> {
        let bytes = read?;
        if bytes.is_empty() {
            let error = "file has become shorter while it was sent";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, error));
        }
        if let Some(Part::File(slice)) = self.parts.front_mut() {
            slice.offset += bytes.len() as u64;
            slice.length = slice.length.saturating_sub(bytes.len() as u64);
        }
        Ok(bytes)
    }
}

fn piece(slice: &FileSlice) -> BytesMut {
    let length = usize::try_from(slice.length).unwrap_or(PIECE).min(PIECE);
    BytesMut::zeroed(length)
}

/// Reads what needs no disk; `None` where that is nothing or cannot be known.
fn read_cached(slice: &FileSlice) -> io::Result<Option<Bytes>> {
    let mut buffer = piece(slice);
    let mut pieces = [IoSliceMut::new(&mut buffer)];
    match preadv2(&*slice.file, &mut pieces, slice.offset, ReadWriteFlags::NOWAIT) {
        Ok(length) => {
            buffer.truncate(length);
            Ok(Some(buffer.freeze()))
        }
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read_elsewhere(slice: &FileSlice) -> io::Result<JoinHandle<io::Result<Bytes>>> {
    let file: File = slice.file.try_clone()?;
    let (mut buffer, offset) = (piece(slice), slice.offset);
    Ok(tokio::task::spawn_blocking(move || {
        let length = file.read_at(&mut buffer, offset)?;
        buffer.truncate(length);
        Ok(buffer.freeze())
    }))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;
    use std::rc::Rc;

    use super::*;

    async fn collect(body: Body) -> io::Result<Vec<u8>> {
        let (mut stream, mut all) = (body.into_stream(), Vec::new());
        while let Some(piece) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            let piece = piece?;
            assert!(!piece.is_empty());
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    fn slice(offset: u64, length: u64) -> FileSlice {
        let mut file = tempfile::tempfile().unwrap();
        let text: Vec<u8> = (0..200_000u32).map(|number| number as u8).collect();
        file.write_all(&text).unwrap();
        FileSlice { file: Rc::new(file), offset, length }
    }

    #[tokio::test]
    async fn parts_follow_each_other() {
        let parts = VecDeque::from([
            Part::Bytes("a".into()),
            Part::Bytes(Bytes::new()),
            Part::File(slice(1, 150_000)),
            Part::Bytes("z".into()),
        ]);
        let all = collect(Body::Parts(parts)).await.unwrap();
        assert_eq!((all.len(), all[0], all[1], all[150_001]), (150_002, b'a', 1, b'z'));
        assert_eq!(collect(Body::Empty).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_an_error() {
        let error = collect(Body::File(slice(199_999, 2))).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_cold_file_is_read_by_another_thread() {
        let slice = slice(5, 3);
        let bytes = read_elsewhere(&slice).unwrap().await.unwrap().unwrap();
        assert_eq!(bytes.as_ref(), [5, 6, 7]);
    }
}

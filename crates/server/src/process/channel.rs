//! The channel between the master and its worker process: messages that carry open files.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// The most files that go with one byte (the system's limit is 253).
const BATCH: usize = 200;

/// The most fields of a message, and the most files.
const MOST: u32 = 1 << 20;

/// What is told of a message that is not whole.
pub(super) const LOST: &str = "open files were lost on their way (24: Too many open files)";

/// How long a peer may fail to read.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is said over the channel.
#[derive(Debug)]
pub(super) struct Message {
    /// What it is about; each side knows its own.
    pub(super) kind: u8,
    /// Its text.
    pub(super) fields: Vec<Vec<u8>>,
    /// The open files that came with it.
    pub(super) files: Vec<OwnedFd>,
    /// Whether all of them have come: the system leaves out those that this process may not have any
    /// more.
    pub(super) whole: bool,
}

/// One end of the channel.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    /// The most bytes that a message may have.
    limit: u64,
}

impl Channel {
    /// An end of a stream; what comes from the other end is at most `limit` bytes a message.
    pub(super) fn new(stream: UnixStream, limit: u64) -> io::Result<Self> {
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, limit })
    }

    /// The same, where whoever sends may wait for as long as the other end lives.
    pub(super) fn patient(stream: UnixStream, limit: u64) -> Self {
        Self { stream, limit }
    }

    /// Another handle of the same end.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { stream: self.stream.try_clone()?, limit: self.limit })
    }

    /// Ends it for both, and for whoever holds another handle.
    pub(super) fn close(&self) {
        // One that the other end has ended is at its end.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Sends a message. To be called by one thread at a time.
    pub(super) fn send(
        &self,
        kind: u8,
        fields: &[&[u8]],
        files: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let mut bytes = vec![kind];
        bytes.extend((fields.len() as u32).to_le_bytes());
        bytes.extend((files.len() as u32).to_le_bytes());
        for field in fields {
            bytes.extend((field.len() as u64).to_le_bytes());
            bytes.extend_from_slice(field);
        }
        (&self.stream).write_all(&bytes)?;
        files.chunks(BATCH).try_for_each(|batch| self.send_files(batch))
    }

    fn send_files(&self, files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(files)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        sendmsg(&self.stream, &[IoSlice::new(&[1])], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Waits for a message; an error where the other end is gone, or talks nonsense.
    pub(super) fn receive(&self) -> io::Result<Message> {
        let (mut kind, mut count, mut files) = ([0; 1], [0; 4], [0; 4]);
        for part in [&mut kind[..], &mut count, &mut files] {
            (&self.stream).read_exact(part)?;
        }
        let ([kind], count, files) = (kind, u32::from_le_bytes(count), u32::from_le_bytes(files));
        if count > MOST || files > MOST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut left = self.limit;
        let mut fields = Vec::new();
        for _ in 0..count {
            let mut length = [0; 8];
            (&self.stream).read_exact(&mut length)?;
            let length = u64::from_le_bytes(length);
            left = left.checked_sub(length).ok_or(io::ErrorKind::InvalidData)?;
            let mut field = Vec::new();
            (&self.stream).take(length).read_to_end(&mut field)?;
            if field.len() as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            fields.push(field);
        }
        let count = files as usize;
        let files = self.receive_files(count)?;
        Ok(Message { kind, fields, whole: files.len() == count, files })
    }

    fn receive_files(&self, count: usize) -> io::Result<Vec<OwnedFd>> {
        let mut files = Vec::new();
        for _ in 0..count.div_ceil(BATCH) {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let mut byte = [0];
            let mut bytes = [IoSliceMut::new(&mut byte)];
            let got = recvmsg(&self.stream, &mut bytes, &mut control, RecvFlags::CMSG_CLOEXEC)?;
            if got.bytes == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(more) = message {
                    files.extend(more);
                }
            }
        }
        Ok(files)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn pair() -> (Channel, Channel) {
        let (one, other) = UnixStream::pair().unwrap();
        (Channel::new(one, 1000).unwrap(), Channel::new(other, 1000).unwrap())
    }

    #[test]
    fn many_files_go_with_a_message() {
        let (one, other) = pair();
        let folder = tempfile::tempdir().unwrap();
        let open = |number: usize| {
            let path = folder.path().join(number.to_string());
            std::fs::write(&path, number.to_string()).unwrap();
            File::open(path).unwrap()
        };
        let files: Vec<File> = (0..450).map(open).collect();
        let handles: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        one.send(b'x', &[b"one", b""], &handles).unwrap();
        one.send(b'y', &[], &[]).unwrap();
        let message = other.receive().unwrap();
        assert_eq!((message.kind, message.fields), (b'x', vec![b"one".to_vec(), vec![]]));
        assert_eq!(message.files.len(), 450);
        for (number, file) in message.files.into_iter().enumerate() {
            let mut text = String::new();
            File::from(file).read_to_string(&mut text).unwrap();
            assert_eq!(text, number.to_string());
        }
        assert_eq!(other.receive().unwrap().kind, b'y');
    }

    #[test]
    fn a_message_that_is_too_long_is_refused() {
        let (one, other) = pair();
        one.send(b'x', &[&[0; 600], &[0; 600]], &[]).unwrap();
        assert_eq!(other.receive().unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(one);
        let (one, other) = pair();
        drop(one);
        assert_eq!(other.receive().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}

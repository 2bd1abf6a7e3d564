//! What of an answer waits for its client: first in memory, then in a file that another thread
//! writes and reads.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tidegate_http::body::Told;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::Room;
use super::disk::{read_at, read_cached, unmade, unwritten, write_at};
use crate::temp_file;

/// What waits for the client: what is in memory comes before what is in the file, and that before
/// what is on its way there.
pub(super) struct Store {
    room: Room,
    memory: VecDeque<Bytes>,
    in_memory: usize,
    file: Option<Arc<File>>,
    /// Where the client reads in the file, and where the answer is written.
    read: u64,
    written: u64,
    /// What goes to the file next, and how much of it is there or being written.
    batch: VecDeque<Bytes>,
    batched: u64,
    writing: Option<JoinHandle<Written>>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    /// The answer has ended so, behind what goes to the file.
    ending: Option<io::Result<()>>,
    failed: Option<io::Error>,
    ended: bool,
    /// What is to be told at once: the client may not read on for long.
    pub(super) untold: Option<String>,
    /// The client has left; what comes is thrown away.
    discard: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What has become of a batch.
enum Written {
    /// So much of it is in the file.
    Done(Arc<File>, u64),
    /// There can be no file.
    Nowhere(Vec<Bytes>, String),
    Failed(String),
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl Store {
    /// Nothing waits yet.
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            memory: VecDeque::new(),
            in_memory: 0,
            file: None,
            read: 0,
            written: 0,
            batch: VecDeque::new(),
            batched: 0,
            writing: None,
            reading: None,
            ending: None,
            failed: None,
            ended: false,
            untold: None,
            discard: false,
            reader: None,
            writer: None,
        }
    }

    /// The client has left.
    pub(super) fn discard(&mut self) {
        self.discard = true;
        wake(&mut self.writer);
    }

    /// Whether all that waits is in memory.
    fn is_in_memory(&self) -> bool {
        self.read == self.written && self.batched == 0
    }

    /// Ready when more can be taken over; `false` where nothing more is to come.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if let Some(writing) = &mut self.writing {
            let written = ready!(Pin::new(writing).poll(cx));
            self.writing = None;
            self.wrote(written);
            wake(&mut self.reader);
        }
        if self.batch.is_empty()
            && let Some(ending) = self.ending.take()
        {
            self.end(ending.err());
        }
        if self.ended {
            return Poll::Ready(false);
        }
        let memory = self.is_in_memory() && self.in_memory < self.room.memory;
        let file = self.written + self.batched < self.room.file && self.batched < self.room.batch;
        if self.ending.is_none() && (self.discard || memory || file) {
            return Poll::Ready(true);
        }
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes over what was read.
    pub(super) fn put(&mut self, item: Option<io::Result<Bytes>>) {
        match item {
            None => self.ending = Some(Ok(())),
            Some(Err(error)) => self.ending = Some(Err(error)),
            Some(Ok(_)) if self.discard => {}
            Some(Ok(bytes)) => {
                let room = self.in_memory < self.room.memory || self.room.file == 0;
                if self.is_in_memory() && room {
                    self.in_memory += bytes.len();
                    self.memory.push_back(bytes);
                } else {
                    self.batched += bytes.len() as u64;
                    self.batch.push_back(bytes);
                }
            }
        }
        wake(&mut self.reader);
    }

    fn end(&mut self, error: Option<io::Error>) {
        self.failed = error;
        self.ended = true;
        wake(&mut self.reader);
    }

    /// Whether there is something for the file that is not being written.
    pub(super) fn has_batch(&self) -> bool {
        !self.batch.is_empty() && self.writing.is_none()
    }

    /// Keeps in memory what was to go to the file, where the client has taken all before it.
    pub(super) fn recall(&mut self) -> bool {
        if !self.memory.is_empty() || self.read != self.written || self.writing.is_some() {
            return false;
        }
        self.in_memory += std::mem::take(&mut self.batched) as usize;
        self.memory.extend(self.batch.drain(..));
        wake(&mut self.reader);
        true
    }

    /// Lets another thread write what goes to the file next, in one piece.
    pub(super) fn write(&mut self) {
        let batch = self.next_batch();
        let (file, folder, at) = (self.file.clone(), self.room.folder.clone(), self.written);
        self.writing = Some(spawn_blocking(move || {
            let file = match file.map_or_else(|| temp_file::create(&folder).map(Arc::new), Ok) {
                Ok(file) => file,
                Err(error) => return Written::Nowhere(batch, unmade(&folder, &error)),
            };
            match write_at(&file, &batch, at) {
                Ok(written) => Written::Done(file, written),
                Err(error) => Written::Failed(unwritten(&folder, &error)),
            }
        }));
    }

    /// As much of what goes to the file as is written at once.
    fn next_batch(&mut self) -> Vec<Bytes> {
        let (mut batch, mut left) = (Vec::new(), self.room.batch as usize);
        while let Some(mut bytes) = self.batch.pop_front() {
            if bytes.len() > left {
                let rest = bytes.split_off(left);
                self.batch.push_front(rest);
            }
            left -= bytes.len();
            batch.push(bytes);
            if left == 0 {
                break;
            }
        }
        batch
    }

    #[cfg(test)]
    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// From now on nothing can be written.
    #[cfg(test)]
    pub(super) fn lock(&mut self) {
        self.file = Some(Arc::new(File::open("/dev/null").expect("a file")));
    }

    fn wrote(&mut self, written: Result<Written, JoinError>) {
        match written.unwrap_or_else(|error| Written::Failed(error.to_string())) {
            Written::Done(file, length) => {
                self.file = Some(file);
                self.written += length;
                self.batched -= length;
            }
            Written::Nowhere(batch, why) => {
                self.untold = Some(why);
                // Memory has to do, and the upstream waits for the client.
                self.room.file = 0;
                self.in_memory += std::mem::take(&mut self.batched) as usize;
                self.memory.extend(batch.into_iter().chain(self.batch.drain(..)));
            }
            Written::Failed(why) => {
                self.untold = Some(why);
                self.batch.clear();
                self.batched = 0;
                self.ending = None;
                self.end(Some(io::Error::other(Told)));
            }
        }
    }

    /// What the client gets next.
    pub(super) fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let read = if let Some(reading) = &mut self.reading {
            let read = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
            Some(read.unwrap_or_else(|error| Err(io::Error::other(error))))
        } else {
            None
        };
        if read.is_none()
            && let Some(bytes) = self.memory.pop_front()
        {
            self.in_memory -= bytes.len();
            wake(&mut self.writer);
            return Poll::Ready(Some(Ok(bytes)));
        }
        let read = match (read, self.file.clone().filter(|_| self.read < self.written)) {
            (Some(read), _) => read,
            (None, Some(file)) => {
                let (at, length) = (self.read, self.room.busy.min(self.written - self.read));
                match read_cached(&file, at, length) {
                    Ok(Some(bytes)) => Ok(bytes),
                    Ok(None) => {
                        self.reading = Some(spawn_blocking(move || read_at(&file, at, length)));
                        return self.poll_take(cx);
                    }
                    Err(error) => Err(error),
                }
            }
            (None, None) => return self.poll_end(cx),
        };
        if let Ok(bytes) = &read {
            self.read += bytes.len() as u64;
            if self.is_in_memory() {
                // All of it has gone: the file begins again.
                (self.read, self.written) = (0, 0);
            }
            wake(&mut self.writer);
        }
        Poll::Ready(Some(read))
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

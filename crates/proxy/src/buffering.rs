//! Takes an answer off its upstream faster than the client takes it from us.
//!
//! nginx: `ngx_event_pipe`. The first bytes go straight through; an answer that outlasts the
//! memory allowed for it is read on by a task, into memory and then into a file, so that a slow
//! client does not hold the application.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::JoinHandle;

use crate::temp_file;

/// Where the bytes of an answer come from.
pub(crate) trait Supply: 'static {
    /// The next bytes, or the end.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>>;
}

/// What the configuration says of answers that wait for their client.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// How much may wait in memory, in bytes (nginx: `proxy_buffers`).
    pub(crate) memory: usize,
    /// How much may wait in a file, in bytes (nginx: `proxy_max_temp_file_size`).
    pub(crate) file: u64,
    /// The folder of such files.
    pub(crate) folder: PathBuf,
    /// Whether the answer is read to its end though the client has left (nginx:
    /// `proxy_ignore_client_abort`).
    pub(crate) outlives_client: bool,
}

/// An answer on its way.
pub(crate) enum Buffered<S> {
    /// As it comes. The number is what has been passed on.
    Direct(Option<Box<S>>, usize, Room),
    /// Read ahead.
    Ahead(Ahead),
}

impl<S: Supply> Buffered<S> {
    /// Begins to pass an answer on.
    pub(crate) fn new(supply: Box<S>, room: Room) -> Self {
        Self::Direct(Some(supply), 0, room)
    }
}

impl<S: Supply> Stream for Buffered<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        match this {
            Self::Ahead(ahead) => ahead.poll_bytes(cx),
            Self::Direct(supply, passed, room) => {
                let Some(source) = supply else { return Poll::Ready(None) };
                let item = ready!(source.poll_bytes(cx));
                match &item {
                    Some(Ok(bytes)) => *passed += bytes.len(),
                    _ => *supply = None,
                }
                if *passed >= room.memory
                    && let Some(source) = supply.take()
                {
                    *this = Self::Ahead(Ahead::start(source, room.clone()));
                }
                Poll::Ready(item)
            }
        }
    }
}

/// The client's end of an answer that is read ahead; it owns the task that reads.
pub(crate) struct Ahead {
    store: Rc<RefCell<Store>>,
    task: JoinHandle<()>,
    outlives_client: bool,
}

impl Ahead {
    fn start<S: Supply>(supply: Box<S>, room: Room) -> Self {
        let outlives_client = room.outlives_client;
        let store = Rc::new(RefCell::new(Store::new(room)));
        let task = tokio::task::spawn_local(pump(supply, store.clone()));
        Self { store, task, outlives_client }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let mut store = self.store.borrow_mut();
        match store.take() {
            Ok(Some(bytes)) => Poll::Ready(Some(Ok(bytes))),
            Err(error) => Poll::Ready(Some(Err(error))),
            Ok(None) if store.ended => Poll::Ready(None),
            Ok(None) => {
                store.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        if self.outlives_client {
            let mut store = self.store.borrow_mut();
            store.discard = true;
            wake(&mut store.writer);
        } else {
            self.task.abort();
        }
    }
}

/// Reads an answer to its end, as far as there is room.
async fn pump<S: Supply>(mut supply: Box<S>, store: Rc<RefCell<Store>>) {
    std::future::poll_fn(|cx| {
        loop {
            if !store.borrow_mut().has_room() {
                store.borrow_mut().writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let item = ready!(supply.poll_bytes(cx));
            let mut store = store.borrow_mut();
            let more = store.put(item);
            wake(&mut store.reader);
            if !more {
                return Poll::Ready(());
            }
        }
    })
    .await;
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// What waits for the client: first what is in memory, then what is in the file.
struct Store {
    room: Room,
    memory: VecDeque<Bytes>,
    in_memory: usize,
    file: Option<File>,
    /// Where the client reads in the file, and where the answer is written.
    read: u64,
    written: u64,
    failed: Option<io::Error>,
    ended: bool,
    /// The client has left; what comes is thrown away.
    discard: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// How much of a file is read at a time.
const FILE_PIECE: u64 = 64 * 1024;

impl Store {
    fn new(room: Room) -> Self {
        Self {
            room,
            memory: VecDeque::new(),
            in_memory: 0,
            file: None,
            read: 0,
            written: 0,
            failed: None,
            ended: false,
            discard: false,
            reader: None,
            writer: None,
        }
    }

    fn has_room(&self) -> bool {
        let memory = self.read == self.written && self.in_memory < self.room.memory;
        self.discard || memory || self.written < self.room.file
    }

    /// Takes over what was read; says whether more is to come.
    fn put(&mut self, item: Option<io::Result<Bytes>>) -> bool {
        let result = match item {
            None => {
                self.ended = true;
                return false;
            }
            Some(Ok(_)) if self.discard => Ok(()),
            Some(Ok(bytes)) if self.fits_memory() => {
                self.in_memory += bytes.len();
                self.memory.push_back(bytes);
                Ok(())
            }
            Some(Ok(bytes)) => self.spill(bytes),
            Some(Err(error)) => Err(error),
        };
        match result {
            Ok(()) => true,
            Err(error) => {
                self.failed = Some(error);
                self.ended = true;
                false
            }
        }
    }

    fn fits_memory(&self) -> bool {
        self.read == self.written && (self.in_memory < self.room.memory || self.room.file == 0)
    }

    /// Puts bytes behind those in the file. Where there can be no file, memory has to do, and the
    /// upstream waits for the client.
    fn spill(&mut self, bytes: Bytes) -> io::Result<()> {
        if self.file.is_none() {
            self.file = temp_file::create(&self.room.folder).ok();
        }
        if let Some(file) = &self.file {
            file.write_all_at(&bytes, self.written)?;
            self.written += bytes.len() as u64;
        } else {
            self.room.file = 0;
            self.in_memory += bytes.len();
            self.memory.push_back(bytes);
        }
        Ok(())
    }

    /// What the client gets next, if anything is there.
    fn take(&mut self) -> io::Result<Option<Bytes>> {
        let bytes = if let Some(bytes) = self.memory.pop_front() {
            self.in_memory -= bytes.len();
            bytes
        } else if let Some(file) = self.file.as_ref().filter(|_| self.read < self.written) {
            let mut piece = vec![0; FILE_PIECE.min(self.written - self.read) as usize];
            file.read_exact_at(&mut piece, self.read)?;
            self.read += piece.len() as u64;
            if self.read == self.written {
                // All of it has gone: the file begins again.
                (self.read, self.written) = (0, 0);
            }
            piece.into()
        } else if let Some(error) = self.failed.take() {
            return Err(error);
        } else {
            return Ok(None);
        };
        wake(&mut self.writer);
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;

    use tokio::task::LocalSet;

    use super::*;

    /// Gives numbered pieces of 1000 bytes as fast as they are asked for, then an end or a fault.
    struct Pieces {
        given: Rc<Cell<usize>>,
        count: usize,
        fails: bool,
    }

    impl Supply for Pieces {
        fn poll_bytes(&mut self, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
            let number = self.given.get();
            if number == self.count {
                return Poll::Ready(self.fails.then(|| Err(io::ErrorKind::ConnectionReset.into())));
            }
            self.given.set(number + 1);
            Poll::Ready(Some(Ok(vec![number as u8; 1000].into())))
        }
    }

    struct Case {
        given: Rc<Cell<usize>>,
        answer: Buffered<Pieces>,
        _folder: tempfile::TempDir,
    }

    fn case(count: usize, fails: bool, memory: usize, file: u64) -> Case {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let given = Rc::default();
        let pieces = Pieces { given: Rc::clone(&given), count, fails };
        let room = Room { memory, file, folder: path, outlives_client: false };
        Case { given, answer: Buffered::new(Box::new(pieces), room), _folder: folder }
    }

    async fn next(answer: &mut Buffered<Pieces>) -> Option<io::Result<Bytes>> {
        poll_fn(|cx| Pin::new(&mut *answer).poll_next(cx)).await
    }

    async fn rest(answer: &mut Buffered<Pieces>) -> Result<Vec<u8>, io::Error> {
        let mut all = Vec::new();
        while let Some(bytes) = next(answer).await {
            all.extend_from_slice(&bytes?);
        }
        Ok(all)
    }

    fn expected(count: usize) -> Vec<u8> {
        (0..count).flat_map(|number| vec![number as u8; 1000]).collect()
    }

    #[tokio::test]
    async fn a_slow_client_leaves_the_answer_in_a_file() {
        let test = async {
            let mut case = case(200, false, 3000, 1 << 30);
            let mut all = Vec::new();
            for _ in 0..4 {
                all.extend_from_slice(&next(&mut case.answer).await.unwrap().unwrap());
            }
            tokio::task::yield_now().await;
            assert_eq!(case.given.get(), 200);
            all.extend(rest(&mut case.answer).await.unwrap());
            assert_eq!(all, expected(200));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn without_a_file_the_upstream_waits() {
        let test = async {
            let mut case = case(200, false, 3000, 0);
            let mut all = Vec::new();
            for _ in 0..4 {
                all.extend_from_slice(&next(&mut case.answer).await.unwrap().unwrap());
            }
            tokio::task::yield_now().await;
            assert!(case.given.get() <= 8);
            all.extend(rest(&mut case.answer).await.unwrap());
            assert_eq!(all, expected(200));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn where_no_file_can_be_made_the_upstream_waits_too() {
        let test = async {
            let mut case = case(200, false, 3000, 1 << 30);
            if let Buffered::Direct(_, _, room) = &mut case.answer {
                room.folder = "/nonexistent".into();
            }
            let first = next(&mut case.answer).await.unwrap().unwrap();
            let all = [first.to_vec(), rest(&mut case.answer).await.unwrap()].concat();
            assert_eq!(all, expected(200));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn a_fault_comes_behind_what_was_read_before_it() {
        let test = async {
            let mut case = case(20, true, 3000, 5000);
            let mut length = 0;
            while let Some(Ok(bytes)) = next(&mut case.answer).await {
                length += bytes.len();
            }
            assert_eq!(length, 20_000);
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn a_client_that_leaves_ends_the_reading() {
        let test = async {
            let mut case = case(usize::MAX, false, 3000, 0);
            for _ in 0..4 {
                next(&mut case.answer).await.unwrap().unwrap();
            }
            let before = case.given.get();
            drop(case.answer);
            tokio::task::yield_now().await;
            assert!(case.given.get() <= before + 4);
        };
        LocalSet::new().run_until(test).await;
    }
}

//! Takes an answer off its upstream faster than the client takes it from us.
//!
//! nginx: `ngx_event_pipe`. The first bytes go straight through; an answer that outlasts the
//! memory allowed for it is read on by a task, into memory and then into a file, so that a slow
//! client does not hold the application. Disks may be slow, too: the file is another thread's.

mod disk;
mod store;

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::task::JoinHandle;

use store::Store;

/// Where the bytes of an answer come from.
pub(crate) trait Supply: 'static {
    /// The next bytes, or the end.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>>;

    /// Tells at once what has become of them, at level `error`.
    fn tell(&mut self, text: &str);
}

/// What the configuration says of answers that wait for their client.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// How much may wait in memory, in bytes (nginx: `proxy_buffers`).
    pub(crate) memory: usize,
    /// How much may wait in a file, in bytes (nginx: `proxy_max_temp_file_size`).
    pub(crate) file: u64,
    /// How much is on its way to the client at a time (nginx: `proxy_busy_buffers_size`).
    pub(crate) busy: u64,
    /// How much of it is written at once, where so much has come (nginx:
    /// `proxy_temp_file_write_size`).
    pub(crate) batch: u64,
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

    /// Reads an answer ahead from its beginning.
    pub(crate) fn ahead(supply: Box<S>, room: Room) -> Self {
        Self::Ahead(Ahead::start(supply, room))
    }
}

impl<S: Supply> Stream for Buffered<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        match this {
            Self::Ahead(ahead) => ahead.store.borrow_mut().poll_take(cx),
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
}

impl Drop for Ahead {
    fn drop(&mut self) {
        if self.outlives_client {
            self.store.borrow_mut().discard();
        } else {
            self.task.abort();
        }
    }
}

/// Reads an answer to its end, as far as there is room.
async fn pump<S: Supply>(mut supply: Box<S>, store: Rc<RefCell<Store>>) {
    let mut has_waited = false;
    std::future::poll_fn(|cx| {
        loop {
            let room = store.borrow_mut().poll_room(cx);
            let untold = store.borrow_mut().untold.take();
            if let Some(text) = untold {
                supply.tell(&text);
            }
            match room {
                Poll::Ready(false) => return Poll::Ready(()),
                Poll::Ready(true) => {
                    if let Poll::Ready(item) = supply.poll_bytes(cx) {
                        store.borrow_mut().put(item);
                        continue;
                    }
                }
                Poll::Pending => {}
            }
            let mut store = store.borrow_mut();
            if !store.has_batch() {
                return Poll::Pending;
            }
            // No more at the moment: it is the client's turn. Who keeps up needs no file.
            has_waited = !has_waited;
            if has_waited {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // What it has not taken goes to the file.
            if !store.recall() {
                store.write();
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;

    use tidegate_http::body::Told;
    use tokio::task::LocalSet;

    use super::*;

    /// Gives numbered pieces of 1000 bytes as fast as they are asked for, then an end or a fault.
    struct Pieces {
        given: Rc<Cell<usize>>,
        count: usize,
        fails: bool,
        told: Rc<RefCell<String>>,
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

        fn tell(&mut self, text: &str) {
            self.told.borrow_mut().push_str(text);
        }
    }

    struct Case {
        given: Rc<Cell<usize>>,
        told: Rc<RefCell<String>>,
        answer: Buffered<Pieces>,
        _folder: tempfile::TempDir,
    }

    fn case(count: usize, fails: bool, memory: usize, file: u64) -> Case {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let (given, told) = (Rc::default(), Rc::default());
        let pieces = Pieces { given: Rc::clone(&given), count, fails, told: Rc::clone(&told) };
        let room = Room {
            memory,
            file,
            batch: 4096,
            busy: 64 * 1024,
            folder: path,
            outlives_client: false,
        };
        Case { given, told, answer: Buffered::new(Box::new(pieces), room), _folder: folder }
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

    #[tokio::test]
    async fn who_keeps_up_needs_no_file() {
        let client = async {
            let Case { mut answer, _folder, .. } = case(200, false, 10_000, 1 << 20);
            let all = rest(&mut answer).await.unwrap();
            assert_eq!(all.len(), 200_000);
            assert!(all.chunks(1000).enumerate().all(|(at, piece)| piece == [at as u8; 1000]));
            let Buffered::Ahead(ahead) = &answer else { panic!("it was not read ahead") };
            assert!(!ahead.store.borrow().has_file());
        };
        let set = LocalSet::new();
        let client = set.spawn_local(client);
        set.run_until(client).await.unwrap();
    }

    async fn settled(condition: impl Fn() -> bool) {
        let begun = std::time::Instant::now();
        while !condition() {
            assert!(begun.elapsed().as_secs() < 30, "it never settles");
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
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
            // Long before the client asks for more.
            settled(|| case.given.get() == 200).await;
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
    async fn a_file_is_bounded_and_begins_again() {
        let test = async {
            let mut case = case(200, false, 3000, 10_000);
            let mut all = Vec::new();
            while let Some(bytes) = next(&mut case.answer).await {
                all.extend_from_slice(&bytes.unwrap());
                tokio::time::sleep(std::time::Duration::from_micros(300)).await;
                let waiting = case.given.get() * 1000 - all.len();
                assert!(waiting <= 3000 + 10_000 + 64 * 1024, "{waiting}");
            }
            assert_eq!(all, expected(200));
        };
        LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_told_before_the_client_asks() {
        let test = async {
            let mut case = case(200, false, 3000, 1 << 30);
            let Buffered::Direct(supply, _, room) = &mut case.answer else {
                panic!("it has begun")
            };
            let ahead = Buffered::ahead(supply.take().unwrap(), room.clone());
            case.answer = ahead;
            let Buffered::Ahead(ahead) = &case.answer else { panic!("it was not read ahead") };
            // A file that nobody may write to.
            ahead.store.borrow_mut().lock();
            settled(|| case.told.borrow().starts_with("pwrite() to a temporary file in ")).await;
            let error = rest(&mut case.answer).await.unwrap_err();
            assert!(Told::is(&error), "{error}");
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

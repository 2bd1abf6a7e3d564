//! A socket that the event loop watches when it is first waited for.

use std::cell::{Cell, OnceCell};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::coop::poll_proceed;

/// A socket. Most requests are there when their connection is taken, and their answers fit:
/// a connection of one request ends without ever having been waited for, and the kernel need not be
/// told to watch it, nor that it need not any more.
pub(crate) struct Socket {
    /// Before it is watched. In a cell without a count of borrows, for many of these wait.
    bare: Cell<Option<OwnedFd>>,
    /// Something has been tried in vain, so that the next wait is one.
    tried: Cell<bool>,
    /// Something to read may have been left there, of which the event loop does not tell again.
    left: Cell<bool>,
    /// Whatever kind of a socket it is: no more than its descriptor is used.
    watched: OnceCell<TcpStream>,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl Socket {
    /// Takes a socket that does not block.
    pub(crate) fn new(socket: OwnedFd) -> Self {
        let bare = Cell::new(Some(socket));
        Self { bare, tried: Cell::new(false), left: Cell::new(false), watched: OnceCell::new() }
    }

    /// Makes a call that may say that it would have to wait.
    pub(super) fn try_io<T>(
        &self,
        interest: Interest,
        mut call: impl FnMut(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> io::Result<T> {
        match self.watched.get() {
            Some(watched) => {
                if self.left.get() && interest == Interest::READABLE {
                    match call(watched.as_fd()) {
                        Err(Errno::WOULDBLOCK) => self.left.set(false),
                        done => return Ok(done?),
                    }
                }
                watched.try_io(interest, || Ok(call(watched.as_fd())?))
            }
            None => self.try_bare(call),
        }
    }

    fn try_bare<T>(
        &self,
        mut call: impl FnMut(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> io::Result<T> {
        let bare = self.bare.take().ok_or(io::ErrorKind::NotConnected)?;
        let done = call(bare.as_fd());
        self.bare.set(Some(bare));
        if matches!(done, Err(Errno::WOULDBLOCK)) {
            self.tried.set(true);
        }
        Ok(done?)
    }

    /// The same of a call that reads, until it need not wait.
    pub(crate) async fn read_by<T>(
        &self,
        mut call: impl FnMut(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> io::Result<T> {
        loop {
            match self.try_io(Interest::READABLE, &mut call) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
            std::future::poll_fn(|cx| self.poll_read_ready(cx)).await?;
        }
    }

    /// Reads what is there into the room of a buffer; 0 is the end.
    pub(super) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        if let Some(watched) = self.watched.get()
            && !self.left.get()
        {
            return watched.try_read_buf(buffer);
        }
        let before = buffer.len();
        buffer.resize(buffer.capacity(), 0);
        let room = buffer.get_mut(before..).unwrap_or_default();
        let receive = |socket: BorrowedFd<'_>| Ok(recv(socket, &mut *room, RecvFlags::empty())?.0);
        let read = self.try_io(Interest::READABLE, receive);
        buffer.truncate(before + read.as_ref().map_or(0, |read| *read));
        read
    }

    /// Whether there is something to read, or it has not been tried.
    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.watched.get() {
            Some(_) if self.left.get() => poll_turn(cx).map(Ok),
            Some(watched) => watched.poll_read_ready(cx),
            None if self.tried.get() => self.watch()?.poll_read_ready(cx),
            None => poll_turn(cx).map(Ok),
        }
    }

    /// Ready when the other end sends nothing more, or is gone; what it has sent is left there.
    pub(super) fn poll_hung_up(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.with(has_hung_up).unwrap_or(true) {
                return Poll::Ready(());
            }
            let watched = match self.watched.get() {
                Some(watched) => watched,
                None => match self.watch() {
                    Ok(watched) => watched,
                    Err(_) => return Poll::Ready(()),
                },
            };
            match ready!(watched.poll_read_ready(cx)) {
                // There is more to read: the event loop is to tell of what comes next.
                Ok(()) => {
                    self.left.set(true);
                    let _ = watched.try_io(Interest::READABLE, || {
                        Err::<(), _>(io::ErrorKind::WouldBlock.into())
                    });
                }
                Err(_) => return Poll::Ready(()),
            }
        }
    }

    /// Whether something fits, or it has not been tried.
    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.watched.get() {
            Some(watched) => watched.poll_write_ready(cx),
            None if self.tried.get() => self.watch()?.poll_write_ready(cx),
            None => poll_turn(cx).map(Ok),
        }
    }

    /// Has the event loop of this thread watch it.
    #[cold]
    fn watch(&self) -> io::Result<&TcpStream> {
        let bare = self.bare.take().ok_or(io::ErrorKind::NotConnected)?;
        let watched = TcpStream::from_std(bare.into())?;
        Ok(self.watched.get_or_init(|| watched))
    }

    /// Does something with the descriptor that cannot wait.
    pub(in crate::connection) fn with<T>(
        &self,
        act: impl FnOnce(BorrowedFd<'_>) -> T,
    ) -> io::Result<T> {
        if let Some(watched) = self.watched.get() {
            return Ok(act(watched.as_fd()));
        }
        let bare = self.bare.take().ok_or(io::ErrorKind::NotConnected)?;
        let done = act(bare.as_fd());
        self.bare.set(Some(bare));
        Ok(done)
    }
}

/// Whether the other end has closed its side, whatever there still is to be read.
fn has_hung_up(socket: BorrowedFd<'_>) -> bool {
    let mut asked = [PollFd::from_borrowed_fd(socket, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    poll(&mut asked, Some(&now)).is_ok() && asked.iter().any(|one| one.revents().intersects(gone))
}

/// Ready unless the task has gone on for so long that it is another one's turn, as the runtime has it
/// for sockets that it watches: a client that sends without a pause would be served alone.
fn poll_turn(cx: &mut Context<'_>) -> Poll<()> {
    ready!(poll_proceed(cx)).made_progress();
    Poll::Ready(())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::os::unix::net::UnixStream;

    use rustix::net::{SendFlags, send};

    use super::*;

    fn pair() -> (Socket, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        (Socket::new(near.into()), far)
    }

    #[tokio::test]
    async fn what_is_there_is_read_and_answered_without_being_watched() {
        let (socket, far) = pair();
        send(&far, b"asked", SendFlags::empty()).unwrap();
        let mut buffer = BytesMut::with_capacity(64);
        poll_fn(|cx| socket.poll_read_ready(cx)).await.unwrap();
        assert_eq!(socket.try_read_buf(&mut buffer).unwrap(), 5);
        assert_eq!(&buffer[..], b"asked");
        let answered = |socket: BorrowedFd<'_>| send(socket, b"answered", SendFlags::empty());
        assert_eq!(socket.try_io(Interest::WRITABLE, answered).unwrap(), 8);
        assert!(socket.watched.get().is_none());
    }

    #[tokio::test]
    async fn a_client_that_never_pauses_is_not_served_alone() {
        let (socket, _far) = pair();
        let mut turns = 0;
        let pending = poll_fn(|cx| {
            while turns < 100_000 {
                if socket.poll_read_ready(cx).is_pending() {
                    return Poll::Ready(true);
                }
                turns += 1;
            }
            Poll::Ready(false)
        });
        assert!(pending.await, "it has had {turns} turns");
        assert!(turns > 0 && socket.watched.get().is_none());
    }

    #[tokio::test]
    async fn what_is_not_there_is_waited_for() {
        let (socket, far) = pair();
        let mut buffer = BytesMut::with_capacity(64);
        let error = socket.try_read_buf(&mut buffer).unwrap_err();
        assert_eq!((error.kind(), buffer.len()), (io::ErrorKind::WouldBlock, 0));
        let later = tokio::task::spawn_blocking(move || {
            send(&far, b"asked", SendFlags::empty()).unwrap();
            far
        });
        loop {
            poll_fn(|cx| socket.poll_read_ready(cx)).await.unwrap();
            if let Ok(length) = socket.try_read_buf(&mut buffer) {
                assert_eq!((length, &buffer[..]), (5, &b"asked"[..]));
                break;
            }
        }
        assert!(socket.watched.get().is_some());
        drop(later.await.unwrap());
        poll_fn(|cx| socket.poll_read_ready(cx)).await.unwrap();
        buffer.clear();
        assert_eq!(socket.try_read_buf(&mut buffer).unwrap(), 0);
    }

    #[tokio::test]
    async fn an_end_behind_what_is_not_read_is_seen_and_what_is_there_is_read_later() {
        let (socket, far) = pair();
        send(&far, b"asked", SendFlags::empty()).unwrap();
        let once = |socket: &Socket| {
            let waker = std::task::Waker::noop();
            socket.poll_hung_up(&mut Context::from_waker(waker)).is_ready()
        };
        assert!(!once(&socket));
        // Until the event loop has told of what is there.
        while !socket.left.get() {
            tokio::task::yield_now().await;
            assert!(!once(&socket));
        }
        let mut buffer = BytesMut::with_capacity(3);
        poll_fn(|cx| socket.poll_read_ready(cx)).await.unwrap();
        assert_eq!(socket.try_read_buf(&mut buffer).unwrap(), 3);
        poll_fn(|cx| socket.poll_read_ready(cx)).await.unwrap();
        let (mut rest, room) = ([0; 8], RecvFlags::empty());
        let mut read = || socket.try_io(Interest::READABLE, |fd| Ok(recv(fd, &mut rest, room)?.0));
        assert_eq!(read().unwrap(), 2);
        assert_eq!(read().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(!socket.left.get());
        // It is told of what comes later as before.
        let later = async {
            tokio::task::yield_now().await;
            send(&far, b"more", SendFlags::empty()).unwrap();
        };
        let (told, ()) = tokio::join!(poll_fn(|cx| socket.poll_read_ready(cx)), later);
        told.unwrap();
        assert!(!once(&socket));
        let leaves = async {
            tokio::task::yield_now().await;
            drop(far);
        };
        tokio::join!(poll_fn(|cx| socket.poll_hung_up(cx)), leaves);
        buffer.clear();
        buffer.reserve(8);
        assert_eq!(socket.try_read_buf(&mut buffer).unwrap(), 4);
        assert_eq!(socket.try_read_buf(&mut buffer).unwrap(), 0);
    }
}

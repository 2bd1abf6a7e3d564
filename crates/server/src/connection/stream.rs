//! A client's socket, whatever kind it is.

pub(crate) mod encrypted;
pub(crate) mod socket;
mod tcp_info;

use std::io::{self, IoSlice};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use bytes::BytesMut;
use rustix::fs::{fstat, sendfile};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags, sendmsg};
use tidegate_http::client::TcpInfo;
use tokio::io::Interest;

use encrypted::Encrypted;
use socket::Socket;

/// A client's socket. All methods take it by reference, for a request's body may be read while its
/// answer is written.
#[derive(Debug)]
pub(crate) enum Stream {
    /// TCP.
    Tcp(Socket),
    /// A unix socket.
    Unix(Socket),
    /// TLS over one of the others.
    Tls(Box<Encrypted>),
}

impl Stream {
    /// A connection over TCP, whose socket does not block.
    pub(crate) fn tcp(socket: OwnedFd) -> Self {
        Self::Tcp(Socket::new(socket))
    }

    /// A connection over a unix socket that does not block.
    pub(crate) fn unix(socket: OwnedFd) -> Self {
        Self::Unix(Socket::new(socket))
    }

    /// Reads what is there; 0 is the end.
    pub(crate) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) | Self::Unix(stream) => stream.try_read_buf(buffer),
            Self::Tls(stream) => stream.try_read_buf(buffer),
        }
    }

    /// Reads what is there, below TLS; 0 is the end.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.try_receive(buffer, RecvFlags::DONTWAIT)
    }

    /// Looks at what is there below TLS, and leaves it there.
    pub(crate) fn try_peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.try_receive(buffer, RecvFlags::PEEK | RecvFlags::DONTWAIT)
    }

    fn try_receive(&self, buffer: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) | Self::Unix(stream) => stream.try_io(Interest::READABLE, |socket| {
                Ok(rustix::net::recv(socket, &mut *buffer, flags)?.0)
            }),
            Self::Tls(stream) => stream.socket().try_receive(buffer, flags),
        }
    }

    /// Writes as much as fits. What TLS has taken may still be on its way until
    /// [`try_flush`](Self::try_flush) is done.
    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => {
                self.try_write_by(|socket| rustix::io::writev(socket, slices))
            }
            Self::Tls(stream) => stream.try_write_vectored(slices),
        }
    }

    /// Writes as much as fits of one piece, which is less work for the kernel than the same of several.
    pub(crate) fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        let Self::Tcp(_) = self else { return self.try_write_vectored(&[IoSlice::new(bytes)]) };
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        self.try_write_by(|socket| rustix::net::send(socket, bytes, flags))
    }

    /// The same of the last that is written: where all of it fits, it goes with the [`end`](Self::end) in
    /// one packet, and the client wakes up once.
    pub(crate) fn try_send_last(&self, bytes: &[u8]) -> io::Result<usize> {
        let Self::Tcp(_) = self else { return self.try_send(bytes) };
        let flags = SendFlags::MORE | SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        self.try_write_by(|socket| rustix::net::send(socket, bytes, flags))
    }

    /// Says the end behind what [`try_send_last`](Self::try_send_last) has sent.
    pub(crate) fn end(&self) {
        if let Self::Tcp(_) = self {
            self.shutdown();
        }
    }

    /// Writes as much as fits of what more follows at once, so that it need not go in a packet of its
    /// own, for which a client would wake up (nginx: `tcp_nopush`).
    pub(crate) fn try_write_more(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let Self::Tcp(_) = self else { return self.try_write_vectored(slices) };
        let flags = SendFlags::MORE | SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        self.try_write_by(|socket| {
            sendmsg(socket, slices, &mut SendAncillaryBuffer::default(), flags)
        })
    }

    /// Sends what has been taken and has not gone yet; `WouldBlock` while it does not fit.
    pub(crate) fn try_flush(&self) -> io::Result<()> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => Ok(()),
            Self::Tls(stream) => stream.try_flush(),
        }
    }

    /// Whether there is something to read.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) | Self::Unix(stream) => stream.poll_read_ready(cx),
            Self::Tls(stream) if stream.is_waiting() => Poll::Ready(Ok(())),
            Self::Tls(stream) => stream.socket().poll_read_ready(cx),
        }
    }

    /// Ready when the client sends nothing more, or is gone; what it has sent is left there.
    pub(crate) fn poll_hung_up(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Tcp(stream) | Self::Unix(stream) => stream.poll_hung_up(cx),
            Self::Tls(stream) => stream.socket().poll_hung_up(cx),
        }
    }

    /// Whether something fits.
    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) | Self::Unix(stream) => stream.poll_write_ready(cx),
            Self::Tls(stream) => stream.socket().poll_write_ready(cx),
        }
    }

    /// Takes note that all there was has been read; the kernel tells of more. TLS knows by itself.
    pub(crate) fn forget_readiness(&self) {
        if let Self::Tcp(stream) | Self::Unix(stream) = self {
            let _ = stream.try_io(Interest::READABLE, |_| Err::<(), _>(Errno::WOULDBLOCK));
        }
    }

    /// Waits until there is something to read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_read_ready(cx)).await
    }

    /// Waits until something fits.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_write_ready(cx)).await
    }

    /// Sends a piece of a file, without copying it through this process where it is not encrypted;
    /// 0 is the file's end.
    pub(crate) fn try_send_file(
        &self,
        file: BorrowedFd<'_>,
        offset: &mut u64,
        length: usize,
    ) -> io::Result<usize> {
        if let Self::Tls(stream) = self {
            return stream.try_send_file(file, offset, length);
        }
        let sent = self.try_write_by(|socket| sendfile(socket, file, Some(offset), length))?;
        // A socket that took a part is full, and the kernel tells when it is not: trying once more
        // would have it fetch the file's pages in vain. Unless it was the file that ended.
        if sent < length && fstat(file).is_ok_and(|stat| stat.st_size.unsigned_abs() > *offset) {
            let _full = self.try_write_by(|_| Err(Errno::WOULDBLOCK));
        }
        Ok(sent)
    }

    /// Lets a call write to the socket below TLS; it may say that nothing fits.
    fn try_write_by(
        &self,
        call: impl FnMut(BorrowedFd<'_>) -> Result<usize, Errno>,
    ) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) | Self::Unix(stream) => stream.try_io(Interest::WRITABLE, call),
            Self::Tls(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Takes note that an answer could not be sent whole, so that TLS does not end in due form.
    pub(crate) fn abandon(&self) {
        if let Self::Tls(stream) = self {
            stream.abandon();
        }
    }

    /// What the kernel has measured; `None` where it is not TCP.
    pub(crate) fn tcp_info(&self) -> Option<TcpInfo> {
        match self {
            Self::Tcp(stream) => stream.with(tcp_info::of).ok()?,
            Self::Unix(_) => None,
            Self::Tls(stream) => stream.socket().tcp_info(),
        }
    }

    /// Whether what is written goes at once, however short it is.
    #[cfg(test)]
    pub(crate) fn is_hurried(&self) -> bool {
        let Self::Tcp(stream) = self else { return false };
        stream.with(|socket| rustix::net::sockopt::tcp_nodelay(socket).unwrap()).unwrap()
    }

    /// Lets the end of the connection be a reset, which asks nothing more of the kernel's memory.
    pub(crate) fn reset_on_close(&self) {
        if let Self::Tcp(stream) = self {
            let none = Some(std::time::Duration::ZERO);
            let _ = stream.with(|socket| socket2::SockRef::from(&socket).set_linger(none));
        }
    }

    /// Tells the client that nothing more comes.
    pub(crate) fn shutdown(&self) {
        match self {
            Self::Tcp(stream) | Self::Unix(stream) => {
                let write = rustix::net::Shutdown::Write;
                let _ = stream.with(|socket| rustix::net::shutdown(socket, write));
            }
            Self::Tls(stream) => {
                stream.say_farewell();
                stream.socket().shutdown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn pair() -> (Stream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, _) = listener.accept().unwrap();
        near.set_nonblocking(true).unwrap();
        (Stream::tcp(near.into()), client)
    }

    fn packets(stream: &Stream) -> u32 {
        let Stream::Tcp(socket) = stream else { panic!("not over TCP") };
        socket.with(tcp_info::packets).unwrap().unwrap()
    }

    #[test]
    fn the_last_that_is_written_and_the_end_go_in_one_packet() {
        let (stream, mut client) = pair();
        let before = packets(&stream);
        assert_eq!(stream.try_send_last(b"the last").unwrap(), 8);
        assert_eq!(packets(&stream), before);
        stream.end();
        assert_eq!(packets(&stream), before + 1);
        let mut read = Vec::new();
        client.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"the last");
    }

    #[test]
    fn what_does_not_fit_is_not_the_end() {
        let (stream, mut client) = pair();
        let long = vec![b'x'; 32 << 20];
        let sent = stream.try_send_last(&long).unwrap();
        assert!(sent < long.len());
        let mut read = vec![0; sent];
        client.read_exact(&mut read).unwrap();
        client.set_nonblocking(true).unwrap();
        let error = client.read(&mut read).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}

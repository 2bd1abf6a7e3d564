//! Opens a connection for each request, at a rate or as fast as it goes, and tells how many were answered.
//!
//! `short ADDRESS PATH WORD RATE SECONDS`: a connection is opened, asked by HTTP/1.0, and read until
//! the server closes it; the answer has to be a 200 and to end with the word. At a RATE, connections
//! are due at even times that do not depend on answers; at 0, as many as may be are open all the time.
//! As JSON: answers a second, how many were answered, answered otherwise, refused, reset before their
//! answer was whole, lost (not answered within five seconds of being asked), and never offered; the
//! longest time from when one was due to when its answer was read, in milliseconds; the processor time
//! of one here, in microseconds.
//!
//! However slow the machine, all that are due are offered, late: an answer is what is waited for, and no
//! time of day. Only where one was lost no more are offered, for each would be waited for as long.
//!
//! It is to cost less than what it measures. Each thread opens and asks ahead, and reads those that it
//! opened first: they have been answered by then, so that it seldom waits, and needs nobody to tell
//! it where to read. The answer and the end of the connection are read by one call. By then the server
//! has closed it; our side ends by a reset, as a load balancer ends what an application has closed, so
//! that nothing of it stays at either end, and the same socket begins the next connection. That is four
//! system calls for each: connect, send, recv, and connect to nobody.

use std::collections::VecDeque;
use std::io::Error;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, connect_unspec, recv,
    send, socket_with,
};

/// How many connections a thread has open at most.
const AHEAD: usize = 64;

/// How many threads there are.
const THREADS: u32 = 2;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often connections that are due are opened: more at a time cost less.
const TURN: Duration = Duration::from_millis(1);

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, word, rate, seconds] = arguments.as_slice() else {
        return Err(Error::other("short ADDRESS PATH WORD RATE SECONDS"));
    };
    let number = |text: &String| text.parse::<f64>().map_err(Error::other);
    let storm = Storm {
        to: address.parse().map_err(Error::other)?,
        request: format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"),
        word: word.clone(),
        rate: number(rate)?,
        length: Duration::from_secs_f64(number(seconds)?),
        patience: PATIENCE,
    };
    let (seconds, told) = (storm.length.as_secs_f64(), storm.run());
    println!(
        r#"{{"rate": {:.0}, "answered": {}, "other": {}, "refused": {}, "reset": {}, "lost": {}, "unoffered": {}, "longest": {:.1}, "cost": {:.1}}}"#,
        told.answered as f64 / seconds.max(told.took.as_secs_f64()),
        told.answered,
        told.other,
        told.refused,
        told.reset,
        told.lost,
        told.unoffered,
        told.longest.as_secs_f64() * 1e3,
        spent().as_secs_f64() * 1e6 / told.answered.max(1) as f64,
    );
    Ok(())
}

/// The processor time of this process so far.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    // In hundredths of a second, of the user and of the kernel.
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// What is asked, and how often.
#[derive(Clone, Debug)]
pub struct Storm {
    /// Who is asked.
    pub to: SocketAddr,
    /// What is sent on each connection.
    pub request: String,
    /// How answers end.
    pub word: String,
    /// How many a second; 0 is as many as can be.
    pub rate: f64,
    /// For how long.
    pub length: Duration,
    /// How long one may take, from when it was asked.
    pub patience: Duration,
}

/// What has come of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// How many have had their answer.
    pub answered: u64,
    /// How many have had another.
    pub other: u64,
    /// How many could not connect.
    pub refused: u64,
    /// How many were cut off.
    pub reset: u64,
    /// How many were asked and have waited in vain.
    pub lost: u64,
    /// How many were due and never opened, for others were lost.
    pub unoffered: u64,
    /// The longest that one took, from when it was due.
    pub longest: Duration,
    /// How long all took.
    pub took: Duration,
}

/// The same while it goes on.
#[derive(Debug, Default)]
struct Counts {
    opened: AtomicU64,
    answered: AtomicU64,
    other: AtomicU64,
    refused: AtomicU64,
    reset: AtomicU64,
    lost: AtomicU64,
    /// In microseconds.
    longest: AtomicU64,
}

/// A connection that was asked, and when it was due.
struct Asked {
    socket: OwnedFd,
    since: Instant,
}

impl Storm {
    /// Asks; it takes as long as was said, and as much longer as the last that was due then.
    pub fn run(self) -> Told {
        let counts = Arc::new(Counts::default());
        let start = Instant::now();
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (storm, counts) = (self.clone(), Arc::clone(&counts));
                thread::spawn(move || storm.share(start, &counts))
            })
            .collect();
        let has_failed = threads.into_iter().map(thread::JoinHandle::join).any(|end| end.is_err());
        assert!(!has_failed, "a thread of the load has failed");
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let due = if self.rate > 0.0 {
            u64::from(THREADS) * self.due(self.length)
        } else {
            read(&counts.opened)
        };
        Told {
            answered: read(&counts.answered),
            other: read(&counts.other),
            refused: read(&counts.refused),
            reset: read(&counts.reset),
            lost: read(&counts.lost),
            unoffered: due.saturating_sub(read(&counts.opened)),
            longest: Duration::from_micros(read(&counts.longest)),
            took: start.elapsed(),
        }
    }

    /// How many are due by then, of each thread.
    fn due(&self, by: Duration) -> u64 {
        (by.as_secs_f64() * self.rate / f64::from(THREADS)) as u64
    }

    /// What one thread does.
    fn share(&self, start: Instant, counts: &Counts) {
        let mut open: VecDeque<Asked> = VecDeque::with_capacity(AHEAD);
        let mut ended: Vec<OwnedFd> = Vec::with_capacity(AHEAD);
        let mut buffer = vec![0; 16 << 10];
        let (mut opened, mut in_vain) = (0, false);
        loop {
            let by = start.elapsed().min(self.length);
            let is_over = by == self.length;
            let has_lost = counts.lost.load(Ordering::Relaxed) > 0;
            let due = if self.rate > 0.0 { self.due(by) } else { u64::from(!is_over) + opened };
            if opened < due && open.len() < AHEAD && !has_lost {
                let since = if self.rate > 0.0 {
                    let gap = f64::from(THREADS) / self.rate;
                    start + Duration::from_secs_f64(opened as f64 * gap)
                } else {
                    Instant::now()
                };
                opened += 1;
                counts.opened.fetch_add(1, Ordering::Relaxed);
                match self.ask(ended.pop()) {
                    Ok(socket) => open.push_back(Asked { socket, since }),
                    Err(count) => _ = count(counts).fetch_add(1, Ordering::Relaxed),
                }
            } else if let Some(Asked { socket, since }) = open.pop_front() {
                let judged = self.judge(&socket, &mut buffer, in_vain, counts);
                judged.fetch_add(1, Ordering::Relaxed);
                in_vain |= std::ptr::eq(judged, &raw const counts.lost);
                let took = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
                counts.longest.fetch_max(took, Ordering::Relaxed);
                if connect_unspec(&socket).is_ok() {
                    ended.push(socket);
                }
            } else if is_over || has_lost {
                return;
            } else {
                thread::sleep(TURN);
            }
        }
    }

    /// Opens a connection and asks; what it counts as where that cannot be.
    fn ask(&self, before: Option<OwnedFd>) -> Result<OwnedFd, fn(&Counts) -> &AtomicU64> {
        let Ok(socket) = before.map_or_else(|| self.socket(), Ok) else {
            return Err(|counts| &counts.refused);
        };
        match connect(&socket, &self.to) {
            Ok(()) => {}
            // As long as may be, and nobody has said no.
            Err(Errno::INPROGRESS | Errno::TIMEDOUT) => return Err(|counts| &counts.lost),
            Err(_) => return Err(|counts| &counts.refused),
        }
        match send(&socket, self.request.as_bytes(), SendFlags::NOSIGNAL) {
            Ok(length) if length == self.request.len() => Ok(socket),
            _ => Err(|counts| &counts.reset),
        }
    }

    /// A socket that is waited for so long and no longer.
    fn socket(&self) -> Result<OwnedFd, Errno> {
        let family = if self.to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(self.patience))?;
        set_socket_timeout(&socket, Timeout::Send, Some(self.patience))?;
        Ok(socket)
    }

    /// Reads an answer to its end; what it counts as. Where the thread has waited in vain, those that it
    /// had asked by then have waited for as long, and are only looked at.
    fn judge<'a>(
        &self,
        socket: &OwnedFd,
        buffer: &mut [u8],
        at_once: bool,
        counts: &'a Counts,
    ) -> &'a AtomicU64 {
        let wait = if at_once { RecvFlags::DONTWAIT } else { RecvFlags::WAITALL };
        let mut length = 0;
        loop {
            // It waits for the end, or for more than an answer has.
            let ended = match recv(socket, &mut buffer[length..], wait) {
                Ok((more, _)) => {
                    length += more;
                    more == 0
                }
                Err(Errno::INTR) => false,
                Err(Errno::AGAIN) => return &counts.lost,
                Err(_) => return &counts.reset,
            };
            let answer = &buffer[..length];
            let is_good =
                answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(self.word.as_bytes());
            if is_good {
                return &counts.answered;
            }
            if ended {
                return &counts.other;
            }
        }
    }
}

//! Opens a connection for each request, at a rate or as fast as it goes, and tells how many were answered.
//!
//! `short ADDRESS PATH WORD RATE SECONDS`: a connection is opened, asked by HTTP/1.0, and read until
//! the server closes it; the answer has to be a 200 and to end with the word. At a RATE, connections
//! are due at even times that do not depend on answers; at 0, as many as may be are open all the time.
//! As JSON: answers a second, how many were answered, answered otherwise, refused, reset before their
//! answer was whole, and not answered within five seconds of the end; the longest time from when one
//! was due to when its answer was read, in milliseconds; the processor time of one here, in
//! microseconds.
//!
//! It is to cost less than what it measures. Each thread opens and asks ahead, and reads those that it
//! opened first: they have been answered by then, so that it seldom waits, and needs nobody to tell
//! it where to read. That is six system calls for each: socket, connect, write, read, read, close. The
//! server closes first, so that no port of ours is held by TIME_WAIT.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many connections a thread has open at most.
const AHEAD: usize = 64;

/// How many threads there are.
const THREADS: u32 = 2;

/// How long the last may take.
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
        r#"{{"rate": {:.0}, "answered": {}, "other": {}, "refused": {}, "reset": {}, "unanswered": {}, "longest": {:.1}, "cost": {:.1}}}"#,
        told.answered as f64 / seconds.max(told.took.as_secs_f64()),
        told.answered,
        told.other,
        told.refused,
        told.reset,
        told.unanswered,
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
    /// How long the last may take beyond that.
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
    /// How many have waited in vain.
    pub unanswered: u64,
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
    /// In microseconds.
    longest: AtomicU64,
}

impl Storm {
    /// Asks; it takes as long as was said, and no longer than the patience more.
    pub fn run(self) -> Told {
        let counts = Arc::new(Counts::default());
        let start = Instant::now();
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (storm, counts) = (self.clone(), Arc::clone(&counts));
                thread::spawn(move || storm.share(start, &counts))
            })
            .collect();
        // What a thread waits for in vain it cannot tell.
        while threads.iter().any(|thread| !thread.is_finished())
            && start.elapsed() < self.length + self.patience
        {
            thread::sleep(TURN);
        }
        let took = start.elapsed();
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut told = Told {
            answered: read(&counts.answered),
            other: read(&counts.other),
            refused: read(&counts.refused),
            reset: read(&counts.reset),
            unanswered: 0,
            longest: Duration::from_micros(read(&counts.longest)),
            took,
        };
        let offered = if self.rate > 0.0 {
            u64::from(THREADS) * self.due(self.length)
        } else {
            read(&counts.opened)
        };
        told.unanswered =
            offered.saturating_sub(told.answered + told.other + told.refused + told.reset);
        told
    }

    /// How many are due by then, of each thread.
    fn due(&self, by: Duration) -> u64 {
        (by.as_secs_f64() * self.rate / f64::from(THREADS)) as u64
    }

    /// What one thread does.
    fn share(&self, start: Instant, counts: &Counts) {
        let mut open: VecDeque<(TcpStream, Instant)> = VecDeque::with_capacity(AHEAD);
        let mut buffer = vec![0; 16 << 10];
        let mut opened = 0;
        loop {
            let by = start.elapsed().min(self.length);
            let is_over = by == self.length;
            let due = if self.rate > 0.0 { self.due(by) } else { u64::from(!is_over) + opened };
            if opened < due && open.len() < AHEAD {
                let since = if self.rate > 0.0 {
                    let gap = f64::from(THREADS) / self.rate;
                    start + Duration::from_secs_f64(opened as f64 * gap)
                } else {
                    Instant::now()
                };
                opened += 1;
                counts.opened.fetch_add(1, Ordering::Relaxed);
                if let Some(stream) = self.ask(counts) {
                    open.push_back((stream, since));
                }
            } else if let Some((stream, since)) = open.pop_front() {
                self.judge(stream, &mut buffer, counts);
                let took = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
                counts.longest.fetch_max(took, Ordering::Relaxed);
            } else if is_over {
                return;
            } else {
                thread::sleep(TURN);
            }
        }
    }

    /// Opens a connection and asks.
    fn ask(&self, counts: &Counts) -> Option<TcpStream> {
        let Ok(mut stream) = TcpStream::connect(self.to) else {
            counts.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        if stream.write_all(self.request.as_bytes()).is_err() {
            counts.reset.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(stream)
    }

    /// Reads an answer to its end.
    fn judge(&self, mut stream: TcpStream, buffer: &mut [u8], counts: &Counts) {
        let mut length = 0;
        let count = loop {
            match stream.read(&mut buffer[length..]) {
                Ok(0) => {
                    let answer = &buffer[..length];
                    let is_good = answer.starts_with(b"HTTP/1.1 200 ")
                        && answer.ends_with(self.word.as_bytes());
                    break if is_good { &counts.answered } else { &counts.other };
                }
                Ok(more) => length += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break &counts.reset,
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

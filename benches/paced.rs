//! Asks a server at a rate, whatever it takes, and tells how long answers take.
//!
//! `paced ADDRESS PATH RATE CONNECTIONS SECONDS`: requests are due at times that do not depend on
//! the answers, as those of users who know nothing of each other (exponentially distributed gaps).
//! The time of one goes from when it was due, not from when it was sent: a server that stalls makes
//! all of them late that were due meanwhile, and a client that waits for it would hide them
//! ("coordinated omission"). Quantiles in microseconds, and the rate that was reached, as JSON.

use std::io::{Error, Read, Result, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, rate, connections, seconds] = arguments.as_slice() else {
        return Err(Error::other("paced ADDRESS PATH RATE CONNECTIONS SECONDS"));
    };
    let number = |text: &String| text.parse::<f64>().map_err(Error::other);
    let (rate, connections, seconds) = (number(rate)?, number(connections)?, number(seconds)?);
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // Connections are made, and used once, before time begins.
    let start = Instant::now() + Duration::from_millis(300);
    let clients: Vec<_> = (0..connections as u64)
        .map(|seed| {
            let (address, request) = (address.clone(), request.clone());
            let pace = Pace {
                gap: connections / rate,
                random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            };
            thread::spawn(move || client(&address, request.as_bytes(), pace, start, seconds))
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.join().map_err(|_| Error::other("a client has panicked"))??);
    }
    times.sort_unstable();
    let at =
        |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_nanos() as f64 / 1000.0;
    println!(
        r#"{{"p50": {:.1}, "p99": {:.1}, "p999": {:.1}, "rate": {:.0}}}"#,
        at(0.5),
        at(0.99),
        at(0.999),
        times.len() as f64 / start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// One connection: how long each of its requests took.
fn client(
    address: &str,
    request: &[u8],
    mut pace: Pace,
    start: Instant,
    seconds: f64,
) -> Result<Vec<Duration>> {
    wake_at_once();
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut buffer = vec![0; 64 << 10];
    ask(&mut stream, request, &mut buffer)?;
    let mut times = Vec::new();
    let mut due = start;
    loop {
        due += pace.next();
        if due.duration_since(start).as_secs_f64() > seconds {
            return Ok(times);
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        ask(&mut stream, request, &mut buffer)?;
        times.push(due.elapsed());
    }
}

/// Sleeps end when they should; by default the kernel adds up to 50 µs.
fn wake_at_once() {
    if let Ok(this) = std::fs::read_link("/proc/thread-self")
        && let Some(thread) = this.file_name()
    {
        let _ =
            std::fs::write(std::path::Path::new("/proc").join(thread).join("timerslack_ns"), "1");
    }
}

/// When requests are due.
struct Pace {
    /// Seconds between two, in the mean.
    gap: f64,
    random: u64,
}

impl Pace {
    fn next(&mut self) -> Duration {
        // xorshift64
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let even = ((self.random >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        Duration::from_secs_f64(-even.ln() * self.gap)
    }
}

/// Sends a request and reads its answer, which has a length.
fn ask(stream: &mut TcpStream, request: &[u8], buffer: &mut [u8]) -> Result<()> {
    stream.write_all(request)?;
    let mut read = 0;
    let (mut left, status) = loop {
        let more = stream.read(&mut buffer[read..])?;
        if more == 0 {
            return Err(Error::other("the server has closed the connection"));
        }
        read += more;
        if let Some(end) = buffer[..read].windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize =
                length.and_then(|text| text.parse().ok()).ok_or(Error::other("no length"))?;
            break ((end + 4 + length).saturating_sub(read), head.starts_with("http/1.1 200"));
        }
    };
    while left > 0 {
        match stream.read(buffer)? {
            0 => return Err(Error::other("the server has closed the connection")),
            more => left = left.saturating_sub(more),
        }
    }
    if status { Ok(()) } else { Err(Error::other("an answer other than 200")) }
}

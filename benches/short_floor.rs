//! The least that serves short connections: it takes them, reads once, says the same to all, and closes.
//!
//! `short_floor PORT THREADS`: what the kernel takes for that, no server can do without.

use std::io::{Error, Read, Result, Write};
use std::net::TcpListener;
use std::thread;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nServer: nobody/0.0.0\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
    Content-Type: text/plain\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere";

fn main() -> Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u16>());
    let (Some(Ok(port)), Some(Ok(threads))) = (numbers.next(), numbers.next()) else {
        return Err(Error::other("short_floor PORT THREADS"));
    };
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let serve = |listener: TcpListener| {
        let mut request = [0; 1024];
        loop {
            let (mut client, _) = listener.accept()?;
            // Whoever leaves first is nobody's loss.
            let _ = client.read(&mut request).and_then(|_| client.write_all(ANSWER));
        }
    };
    let more = (1..threads).map(|_| listener.try_clone());
    for listener in more.collect::<Result<Vec<_>>>()? {
        thread::spawn(move || -> Result<()> { serve(listener) });
    }
    serve(listener)
}

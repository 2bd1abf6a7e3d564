//! The smallest thing that answers uwsgi requests: a backend that costs the bench next to nothing.
//!
//! `uwsgi_responder ADDRESS`: takes one connection after another, reads the packet of variables
//! (a modifier, the length in two little-endian bytes, a modifier, the variables), answers, closes.

use std::io::{Read, Result, Write};
use std::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";

fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9000".to_owned());
    for client in TcpListener::bind(address)?.incoming() {
        // A client that leaves early is its own affair.
        let _ = client.and_then(answer);
    }
    Ok(())
}

fn answer(mut client: TcpStream) -> Result<()> {
    let mut head = [0; 4];
    client.read_exact(&mut head)?;
    let mut variables = vec![0; usize::from(u16::from_le_bytes([head[1], head[2]]))];
    client.read_exact(&mut variables)?;
    client.write_all(ANSWER)
}

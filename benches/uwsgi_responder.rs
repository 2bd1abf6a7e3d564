//! The smallest thing that answers uwsgi requests: a backend that costs the bench next to nothing.
//!
//! `uwsgi_responder ADDRESS|unix:PATH [BYTES]`: takes one connection after another, reads the packet
//! of variables (a modifier, the length in two little-endian bytes, a modifier, the variables),
//! answers with so many bytes of HTML, closes.

use std::io::{Read, Result, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9000".to_owned());
    let length = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(6);
    let page = "<p>some words of a page\n".bytes().cycle().take(length);
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n");
    answer.extend(page.map(char::from));
    // A client that leaves early is its own affair.
    if let Some(path) = address.strip_prefix("unix:") {
        for client in UnixListener::bind(path)?.incoming() {
            let _ = client.and_then(|client| serve(client, answer.as_bytes()));
        }
    } else {
        for client in TcpListener::bind(address)?.incoming() {
            let _ = client.and_then(|client| serve(client, answer.as_bytes()));
        }
    }
    Ok(())
}

fn serve(mut client: impl Read + Write, answer: &[u8]) -> Result<()> {
    let mut head = [0; 4];
    client.read_exact(&mut head)?;
    let mut variables = vec![0; usize::from(u16::from_le_bytes([head[1], head[2]]))];
    client.read_exact(&mut variables)?;
    client.write_all(answer)
}

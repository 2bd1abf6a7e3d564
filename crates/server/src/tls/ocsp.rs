//! Asking responders of OCSP, by plain HTTP (RFC 6960, appendix A).

use std::io;
use std::time::{Duration, SystemTime};

use tidegate_config::http::ssl::ocsp::Responder;
use tidegate_http::tls::ocsp::{Question, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a responder may take (nginx: `ngx_ssl_ocsp_start`).
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest answer that is read, its head included, in bytes.
const LONGEST: u64 = 64 * 1024;

/// What a responder says of a certificate: its answer, and what that comes to.
pub(super) async fn ask(
    responder: &Responder,
    question: &Question,
) -> Result<(Vec<u8>, Verdict), String> {
    let asked = timeout(PATIENCE, fetch(responder, &question.request())).await;
    let answer = asked.map_err(|_| "OCSP responder timed out".to_owned())??;
    let verdict = question.judge(&answer, now())?;
    Ok((answer, verdict))
}

/// What is told of a question that has come to nothing.
pub(super) fn told(why: &str, responder: &Responder) -> String {
    format!("{why} while requesting certificate status, responder: {}", responder.url())
}

/// In seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

async fn fetch(responder: &Responder, question: &[u8]) -> Result<Vec<u8>, String> {
    let Responder { host, port, path } = responder;
    let told = |error: io::Error| format!("OCSP responder cannot be asked ({error})");
    let mut stream = TcpStream::connect((host.as_str(), *port)).await.map_err(told)?;
    let head = format!(
        "POST {path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/ocsp-request\r\n\
         Content-Length: {}\r\n\r\n",
        question.len()
    );
    stream.write_all(&[head.as_bytes(), question].concat()).await.map_err(told)?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await.map_err(told)?;
    body(&answer).map(<[u8]>::to_vec)
}

/// The body of an answer of HTTP/1.0, which ends with the connection.
fn body(answer: &[u8]) -> Result<&[u8], String> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (head, rest) = end.and_then(|end| answer.split_at_checked(end)).unwrap_or_default();
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let is_http = words.next().is_some_and(|word| word.starts_with(b"HTTP/1."));
    if is_http && words.next() == Some(b"200") {
        return Ok(rest.get(4..).unwrap_or_default());
    }
    let line = String::from_utf8_lossy(line.get(..line.len().min(80)).unwrap_or_default());
    Err(format!("OCSP responder sent invalid response \"{}\"", line.escape_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_stands_behind_a_head_of_200() {
        assert_eq!(body(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\nxyz").unwrap(), b"xyz");
        for bad in ["", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 404 No\r\n\r\nx", "SSH-2.0\r\n\r\n"] {
            assert!(body(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}

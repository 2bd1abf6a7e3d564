//! A backend that speaks HTTP/2, on the library's own server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Backend, Kept, listen};
use crate::harness::tls::{self, Made};

type Answer = dyn Fn(&str) -> String + Send + Sync;

impl Backend {
    /// Speaks HTTP/2 from the first byte. The function gets `POST http://host/path`, a line a
    /// field, an empty line, the body, and a line for each field behind it, and returns a status, fields, a body and trailers in the
    /// same way: `200\nname: value\n\nbody\n\nname: value`. `reset 7` resets the stream.
    pub async fn http2(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::http2_over(None, answer).await
    }

    /// The same, over TLS where a certificate is given.
    pub async fn http2_over(
        made: Option<&Made>,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let (listener, port) = listen().await;
        let kept = Kept::default();
        let acceptor = made.map(tls::acceptor);
        let task = tokio::spawn(accept(listener, acceptor, kept.clone(), Arc::new(answer)));
        Self { port, kept, task }
    }

    /// How many requests over HTTP/2 have begun.
    pub fn begun(&self) -> usize {
        self.kept.begun.load(Ordering::Relaxed)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    kept: Kept,
    answer: Arc<Answer>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (kept, answer, acceptor) = (kept.opened(), answer.clone(), acceptor.clone());
        connections.spawn(async move {
            match acceptor {
                None => converse(stream, kept, answer).await,
                Some(acceptor) => {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    converse(stream, kept, answer).await;
                }
            }
        });
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    kept: Kept,
    answer: Arc<Answer>,
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut streams = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        kept.begun.fetch_add(1, Ordering::Relaxed);
        streams.spawn(serve(request, respond, kept.clone(), answer.clone()));
    }
}

async fn serve(
    request: Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    kept: Kept,
    answer: Arc<Answer>,
) {
    let (head, mut body) = request.into_parts();
    let mut text = format!("{} {}\n", head.method, head.uri);
    for (name, value) in &head.headers {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    text += "\n";
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        text += &String::from_utf8_lossy(&data);
    }
    if let Ok(Some(trailers)) = body.trailers().await {
        for (name, value) in &trailers {
            text += &format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    kept.received.lock().expect("no panic before").push(text.clone().into_bytes());
    let said = answer(&text);
    if let Some(code) = said.strip_prefix("reset ") {
        respond.send_reset(h2::Reason::from(code.parse::<u32>().expect("a code")));
        return;
    }
    let mut parts = said.splitn(3, "\n\n");
    let (head, body) = (parts.next().unwrap_or_default(), parts.next());
    let (status, head) = head.split_once('\n').unwrap_or((head, ""));
    let mut response = Response::builder().status(status).body(()).expect("a status");
    *response.headers_mut() = fields(head);
    let Ok(mut stream) = respond.send_response(response, body.is_none()) else { return };
    let Some(body) = body else { return };
    let trailers = parts.next();
    let ends = trailers.is_none();
    let _ = stream.send_data(Bytes::copy_from_slice(body.as_bytes()), ends);
    if let Some(trailers) = trailers {
        let _ = stream.send_trailers(fields(trailers));
    }
    // The stream lives until all of it has gone.
    let _ = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
}

fn fields(text: &str) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
    }
    map
}

//! Applications on real sockets, and what comes of asking them.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::task::Context;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytes::BytesMut;
use tidegate_config::block::Config;
use tidegate_http::client::{ClientError, Connection, Endpoint};
use tidegate_http::exchange::UpstreamTry;
use tidegate_http::head::{Parsed, Parser, Rules as HeadRules};
use tidegate_http::log::Logs;
use tidegate_http::log::file::LogFiles;
use tokio::task::LocalSet;

use super::*;

/// A configuration at work, without a server around it.
struct Site {
    config: Config,
    upstreams: Upstreams,
    logs: Logs,
    connection: Connection,
    _folder: tempfile::TempDir,
}

/// What came of a request.
struct Outcome {
    result: Result<(Box<Response>, Vec<u8>, bool), Stop>,
    tries: Vec<UpstreamTry>,
}

impl Site {
    fn new(http: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["proxy_temp", "uwsgi_temp", "client_body_temp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, format!("events {{}} http {{ {http} }}")).unwrap();
        let prefix = folder.path().to_owned();
        let options = tidegate_config::Options { prefix, ..Default::default() };
        let loaded = tidegate_config::load(&path, &options);
        let messages = loaded.messages();
        let config = loaded.config.expect(&messages);
        let upstreams = Upstreams::new(&config.http, None);
        let end = Endpoint::Ip(([127, 0, 0, 1], 1).into());
        let connection = Connection {
            number: 1,
            peer: end.clone(),
            local: end,
            started: Instant::now(),
            tls: None,
            to_tls: false,
            proxy_protocol: None,
            debug: false,
            transport: None,
        };
        let logs = Logs::new(&config, LogFiles::default().into());
        Self { config, upstreams, logs, connection, _folder: folder }
    }

    /// `server { location / { … } }` with these upstreams.
    fn at(location: &str) -> Self {
        Self::new(&format!("server {{ listen 1; location / {{ {location} }} }}"))
    }

    async fn get(&self, path: &str) -> Outcome {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"), Client::default()).await
    }

    async fn send(&self, head: &str, client: Client) -> Outcome {
        let http = &self.config.http;
        let server = &http.servers[0];
        let mut bytes = BytesMut::from(head);
        let Parsed::Complete(head) = Parser::new().parse(&mut bytes, &RULES) else {
            panic!("{head}")
        };
        let mut ex =
            Exchange::new((http, &self.logs), &self.connection, server, head, Box::new(client));
        ex.location = server.location.locations.longest_prefix(&ex.uri).unwrap();
        let pass = ex.location.pass.to.as_ref().unwrap();
        let result = match respond(&mut ex, pass, &self.upstreams).await {
            Err(stop) => Err(stop),
            Ok(mut response) => {
                let (body, whole) = drain(std::mem::take(&mut response.body)).await;
                Ok((response, body, whole))
            }
        };
        let tries = ex.upstream.borrow().clone();
        Outcome { result, tries }
    }
}

const RULES: HeadRules = HeadRules {
    buffer_size: 4096,
    large_buffers: 4,
    large_buffer_size: 8192,
    max_headers: 1000,
    ignore_invalid: true,
    underscores: false,
    merge_slashes: true,
};

impl Outcome {
    fn status(&self) -> u16 {
        match &self.result {
            Ok((response, ..)) => response.status,
            Err(Stop::Status(status)) => *status,
            Err(stop) => panic!("{stop:?}"),
        }
    }

    fn body(&self) -> &[u8] {
        &self.result.as_ref().unwrap().1
    }

    fn header(&self, name: &str) -> Option<&Bytes> {
        self.result.as_ref().unwrap().0.headers.get(name)
    }

    fn statuses(&self) -> Vec<u16> {
        self.tries.iter().map(|one| one.status).collect()
    }
}

/// The whole of a body, and whether it ended as it should.
async fn drain(body: Body) -> (Vec<u8>, bool) {
    match body {
        Body::Bytes(bytes) => (bytes.to_vec(), true),
        Body::Stream(mut stream) => {
            let mut all = Vec::new();
            while let Some(item) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
                match item {
                    Ok(bytes) => all.extend_from_slice(&bytes),
                    Err(_) => return (all, false),
                }
            }
            (all, true)
        }
        _ => (Vec::new(), true),
    }
}

/// A client's body, and whether the client has left.
#[derive(Default)]
struct Client {
    pieces: VecDeque<Bytes>,
    left: bool,
}

impl Client {
    fn body(pieces: &[&'static str]) -> Self {
        let pieces = pieces.iter().map(|&piece| Bytes::from(piece)).collect();
        Self { pieces, left: false }
    }
}

impl RequestBody for Client {
    fn poll_data(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        Poll::Ready(self.pieces.pop_front().map(Ok))
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        if self.left { Poll::Ready(()) } else { Poll::Pending }
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn is_done(&self) -> bool {
        self.pieces.is_empty()
    }

    fn set_limits(&mut self, _: Duration, _: Option<u64>) {}
}

/// An application: what it does with its connections, one after the other, is a function each.
fn app<F>(connections: Vec<F>) -> (u16, Receiver<String>)
where
    F: FnOnce(&mut Peer) + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for serve in connections {
            let (stream, _) = listener.accept().unwrap();
            let mut peer = Peer { stream, heard: String::new() };
            serve(&mut peer);
            let _ = sender.send(peer.heard);
        }
    });
    (port, receiver)
}

/// An application's side of a connection.
struct Peer {
    stream: TcpStream,
    heard: String,
}

impl Peer {
    /// Reads until something is in what was told of this request.
    fn until(&mut self, text: &str) {
        let start = self.heard.len();
        let mut byte = [0];
        while !self.heard[start..].ends_with(text) {
            assert_eq!(self.stream.read(&mut byte).unwrap(), 1, "{}", self.heard);
            self.heard.push(byte[0].into());
        }
    }

    fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }
}

fn ok(peer: &mut Peer) {
    peer.until("\r\n\r\n");
    peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

fn closes(peer: &mut Peer) {
    peer.until("\r\n\r\n");
}

fn rubbish(peer: &mut Peer) {
    peer.until("\r\n\r\n");
    peer.say("\u{15}\u{3}\u{1} nothing\r\n\r\n");
}

async fn within<F: Future>(test: F) -> F::Output {
    let patience = tokio::time::timeout(Duration::from_secs(20), test);
    LocalSet::new().run_until(patience).await.expect("the test hangs")
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let twice = |peer: &mut Peer| {
        ok(peer);
        ok(peer);
    };
    let (port, told) = app(vec![twice]);
    let site = Site::at(&format!("proxy_pass http://127.0.0.1:{port};"));
    within(async {
        for path in ["/one?a=b", "/two"] {
            let outcome = site.get(path).await;
            assert_eq!((outcome.status(), outcome.body()), (200, &b"ok"[..]));
            assert_eq!(outcome.tries[0].address, format!("127.0.0.1:{port}"));
            assert_eq!(outcome.tries[0].response_length, 2);
            assert_eq!(outcome.tries[0].bytes_received, 40);
        }
    })
    .await;
    let expected = format!("Host: 127.0.0.1:{port}\r\n\r\n");
    assert_eq!(
        told.recv().unwrap(),
        format!("GET /one?a=b HTTP/1.1\r\n{expected}GET /two HTTP/1.1\r\n{expected}")
    );
}

#[tokio::test]
async fn the_next_peer_answers_for_one_that_fails() {
    let ((first, _), (second, told)) = (app(vec![closes]), app(vec![ok]));
    let site = Site::new(&format!(
        "upstream app {{ server 127.0.0.1:{first}; server 127.0.0.1:{second}; }}
         server {{ listen 1; location / {{ proxy_pass http://app; }} }}"
    ));
    within(async {
        let outcome = site.get("/").await;
        assert_eq!((outcome.status(), outcome.statuses()), (200, vec![502, 200]));
        drop(site);
    })
    .await;
    assert_eq!(told.recv().unwrap(), "GET / HTTP/1.1\r\nHost: app\r\n\r\n");
}

#[tokio::test]
async fn what_may_have_had_an_effect_is_not_sent_twice() {
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
    for (more, expected) in
        [("", vec![502]), ("proxy_next_upstream error non_idempotent;", vec![502, 200])]
    {
        let ((first, _), (second, told)) = (app(vec![closes]), app(vec![ok]));
        let site = Site::new(&format!(
            "upstream app {{ server 127.0.0.1:{first}; server 127.0.0.1:{second}; }}
             server {{ listen 1; location / {{ {more} proxy_pass http://app; }} }}"
        ));
        within(async {
            let outcome = site.send(request, Client::body(&["bo", "dy"])).await;
            assert_eq!(outcome.statuses(), expected);
        })
        .await;
        drop(told);
    }
}

#[tokio::test]
async fn a_refused_peer_is_passed_over_whatever_the_method() {
    let (port, _told) = app(vec![ok]);
    let site = Site::new(&format!(
        "upstream app {{ server unix:/nonexistent.sock; server 127.0.0.1:{port}; }}
         server {{ listen 1; location / {{ proxy_pass http://app; }} }}"
    ));
    within(async {
        let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
        let outcome = site.send(request, Client::default()).await;
        assert_eq!(outcome.statuses(), [502, 200]);
        assert_eq!(outcome.tries[0].address, "unix:/nonexistent.sock");
        assert_eq!(outcome.tries[0].connect_time, None);
    })
    .await;
}

#[tokio::test]
async fn rubbish_silence_and_absence_have_their_statuses() {
    let (port, _told) = app(vec![rubbish]);
    let site = Site::at(&format!("proxy_pass http://127.0.0.1:{port};"));
    assert_eq!(within(site.get("/")).await.status(), 502);

    let silent = |peer: &mut Peer| {
        peer.until("\r\n\r\n");
        std::thread::sleep(Duration::from_secs(2));
    };
    let (port, _told) = app(vec![silent]);
    let site = Site::at(&format!("proxy_read_timeout 100ms; proxy_pass http://127.0.0.1:{port};"));
    assert_eq!(within(site.get("/")).await.status(), 504);

    let site = Site::at("set $app no-such-host.invalid; proxy_pass http://$app:80;");
    let outcome = within(site.get("/")).await;
    assert_eq!(outcome.status(), 500, "an unset variable is no address");
    let site = Site::at("proxy_pass http://no-such-host.invalid;");
    assert_eq!(within(site.get("/")).await.status(), 502);
}

#[tokio::test]
async fn an_answer_to_half_a_request_is_not_lost() {
    // The application answers without reading the body, and closes with it unread.
    let objects = |peer: &mut Peer| {
        peer.until("\r\n\r\n");
        peer.say("HTTP/1.1 413 Too Much\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno!");
    };
    let (port, _told) = app(vec![objects]);
    let site = Site::at(&format!("proxy_pass http://127.0.0.1:{port};"));
    let piece: &'static str = Box::leak("x".repeat(1 << 20).into_boxed_str());
    let length = 32 << 20;
    within(async {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        let outcome = site.send(&head, Client::body(&[piece; 32])).await;
        assert_eq!((outcome.status(), outcome.body()), (413, &b"no!"[..]));
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_not_buffered_goes_in_chunks() {
    let reads = |peer: &mut Peer| {
        peer.until("0\r\n\r\n");
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    };
    let (port, told) = app(vec![reads]);
    let site = Site::at(&format!(
        "client_body_buffer_size 4; proxy_request_buffering off;
         proxy_pass http://127.0.0.1:{port};"
    ));
    within(async {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let outcome = site.send(head, Client::body(&["hello", "world!"])).await;
        assert_eq!(outcome.status(), 200);
        drop(site);
    })
    .await;
    let told = told.recv().unwrap();
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    assert!(head.ends_with("Transfer-Encoding: chunked"), "{head}");
    assert_eq!(body, "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_large_body_goes_by_a_file_and_has_a_length() {
    let reads = |peer: &mut Peer| {
        peer.until("abcdefgh");
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    };
    let (port, told) = app(vec![reads]);
    let site = Site::at(&format!("client_body_buffer_size 4; proxy_pass http://127.0.0.1:{port};"));
    within(async {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let outcome = site.send(head, Client::body(&["abc", "defgh"])).await;
        assert_eq!(outcome.status(), 200);
        drop(site);
    })
    .await;
    assert!(told.recv().unwrap().contains("Content-Length: 8\r\n\r\nabcdefgh"));
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_request() {
    let (port, _told) = app(vec![closes]);
    let site = Site::at(&format!("proxy_pass http://127.0.0.1:{port};"));
    let left = Client { left: true, ..Client::default() };
    let outcome = within(site.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n", left)).await;
    assert!(matches!(outcome.result, Err(Stop::Unanswered(499))));
    assert_eq!(outcome.statuses(), [0]);
}

#[tokio::test]
async fn a_cut_answer_is_not_taken_for_a_whole_one() {
    let cuts = |peer: &mut Peer| {
        peer.until("\r\n\r\n");
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort");
    };
    let (port, _told) = app(vec![cuts]);
    let site = Site::at(&format!("proxy_pass http://127.0.0.1:{port};"));
    let outcome = within(site.get("/")).await;
    let (_, body, whole) = outcome.result.unwrap();
    assert_eq!((&body[..], whole), (&b"short"[..], false));
}

#[tokio::test]
async fn a_long_answer_comes_whole_whichever_way_it_is_buffered() {
    let text = "0123456789abcdef".repeat(64 * 1024);
    for more in [
        "",
        "proxy_buffering off;",
        "proxy_max_temp_file_size 0;",
        "proxy_buffers 2 4k; proxy_busy_buffers_size 4k;",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        let long = move |peer: &mut Peer| {
            peer.until("\r\n\r\n");
            peer.say(&answer);
        };
        let (port, _told) = app(vec![long]);
        let site = Site::at(&format!("{more} proxy_pass http://127.0.0.1:{port};"));
        let outcome = within(site.get("/")).await;
        assert!(outcome.body() == text.as_bytes(), "{more}");
        assert_eq!(outcome.tries[0].response_length, text.len() as u64);
        assert!(outcome.tries[0].response_time.is_some());
    }
}

#[tokio::test]
async fn fields_are_hidden_rewritten_and_heeded() {
    let talks = |peer: &mut Peer| {
        peer.until("\r\n\r\n");
        peer.say(
            "HTTP/1.1 302 Over There\r\nServer: app\r\nX-Powered-By: x\r\nLocation: http://back/a\r\n\
             Set-Cookie: s=1; Domain=back; Path=/a\r\nRefresh: 0;url=http://back/b\r\n\
             X-Accel-Limit-Rate: 100\r\nContent-Length: 0\r\n\r\n",
        );
    };
    let (port, _told) = app(vec![talks]);
    let site = Site::at(&format!(
        "proxy_redirect http://back/ /front/; proxy_hide_header X-Powered-By;
         proxy_cookie_domain back front; proxy_cookie_path / /front/; proxy_cookie_flags s secure;
         proxy_pass http://127.0.0.1:{port};"
    ));
    let outcome = within(site.get("/")).await;
    let response = &outcome.result.as_ref().unwrap().0;
    assert_eq!(response.location.as_ref().unwrap(), "/front/a");
    assert_eq!(outcome.header("Refresh").unwrap(), "0;url=/front/b");
    assert_eq!(outcome.header("Set-Cookie").unwrap(), "s=1; Domain=front; Path=/front/a; Secure");
    assert_eq!(response.headers.len(), 2, "{:?}", response.headers);
    assert_eq!(response.reason.as_ref().unwrap(), "Over There");
}

#[tokio::test]
async fn an_application_may_leave_the_answer_to_another_uri() {
    let leads = |peer: &mut Peer| {
        peer.until("\r\n\r\n");
        peer.say(
            "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /files/a%20b?c\r\nContent-Type: x/y\r\n\
             X-Own: 1\r\nContent-Length: 0\r\n\r\n",
        );
        peer.until("\r\n\r\n");
        peer.say("HTTP/1.1 200 OK\r\nX-Accel-Redirect: /../etc\r\nContent-Length: 0\r\n\r\n");
        peer.until("\r\n\r\n");
        peer.say("HTTP/1.1 200 OK\r\nX-Accel-Redirect: @named\r\nContent-Length: 0\r\n\r\n");
    };
    let (port, _told) = app(vec![leads]);
    let site = Site::at(&format!("proxy_pass http://127.0.0.1:{port};"));
    within(async {
        let stop = site.get("/").await.result.unwrap_err();
        let Stop::Redirect { uri, args } = stop else { panic!("{stop:?}") };
        assert_eq!((uri, args), ("/files/a b".into(), Some("c".into())));
        assert_eq!(site.get("/").await.status(), 404);
        assert!(matches!(site.get("/").await.result, Err(Stop::Named(name)) if name == "@named"));
    })
    .await;
}

#[tokio::test]
async fn errors_are_intercepted_where_a_page_is_for_them() {
    let lost = |peer: &mut Peer| {
        peer.until("\r\n\r\n");
        peer.say("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nlost");
        peer.until("\r\n\r\n");
        peer.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!");
    };
    let (port, _told) = app(vec![lost]);
    let site = Site::at(&format!(
        "proxy_intercept_errors on; error_page 404 /x; proxy_pass http://127.0.0.1:{port};"
    ));
    within(async {
        assert!(matches!(site.get("/").await.result, Err(Stop::Status(404))));
        assert_eq!(site.get("/").await.body(), b"no!");
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_becomes_a_tunnel() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let echoes = |peer: &mut Peer| {
        peer.until("\r\n\r\n");
        peer.say("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nearly");
        peer.until("ping");
        peer.say("pong");
    };
    let (port, told) = app(vec![echoes]);
    let site = Site::at(&format!(
        "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
         proxy_pass http://127.0.0.1:{port};"
    ));
    within(async {
        let http = &site.config.http;
        let mut bytes = BytesMut::from("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n");
        let Parsed::Complete(head) = Parser::new().parse(&mut bytes, &RULES) else { panic!() };
        let server = &http.servers[0];
        let body = Box::new(Client::default());
        let mut ex = Exchange::new((http, &site.logs), &site.connection, server, head, body);
        ex.location = server.location.locations.longest_prefix(b"/").unwrap();
        let pass = ex.location.pass.to.as_ref().unwrap();
        let response = respond(&mut ex, pass, &site.upstreams).await.unwrap();
        assert_eq!((response.status, response.headers.get("Upgrade").unwrap()), (101, &"x".into()));
        let Body::Tunnel(mut tunnel) = response.body else { panic!("{:?}", response.body) };
        assert_eq!(tunnel.early, "early");
        tunnel.stream.write_all(b"ping").await.unwrap();
        let mut answer = [0; 4];
        tunnel.stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"pong");
    })
    .await;
    assert!(told.recv().unwrap().contains("Upgrade: x\r\nConnection: upgrade\r\n"));
}

/// A client that sends the second half of its body when it has heard of the first.
struct Talks {
    halves: VecDeque<&'static str>,
    answered: Rc<Cell<bool>>,
}

impl RequestBody for Talks {
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        if self.halves.len() == 1 && !self.answered.get() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.halves.pop_front().map(|half| Ok(half.into())))
    }

    fn poll_closed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn length(&self) -> Option<u64> {
        None
    }

    fn is_done(&self) -> bool {
        self.halves.is_empty()
    }

    fn set_limits(&mut self, _: Duration, _: Option<u64>) {}
}

#[tokio::test]
async fn a_body_goes_on_while_its_answer_comes() {
    let echoes = |peer: &mut Peer| {
        peer.until("hello\r\n");
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none");
        peer.until("0\r\n\r\n");
        peer.say("two");
    };
    let (port, told) = app(vec![echoes]);
    let site = Site::at(&format!(
        "proxy_request_buffering off; proxy_buffering off; proxy_pass http://127.0.0.1:{port};"
    ));
    within(async {
        let text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut bytes = BytesMut::from(text);
        let Parsed::Complete(head) = Parser::new().parse(&mut bytes, &RULES) else { panic!() };
        let server = &site.config.http.servers[0];
        let answered = Rc::new(Cell::new(false));
        let body = Talks { halves: ["hello", "world"].into(), answered: answered.clone() };
        let connection = &site.connection;
        let mut ex = Exchange::new(
            (&site.config.http, &site.logs),
            connection,
            server,
            head,
            Box::new(body),
        );
        ex.location = server.location.locations.longest_prefix(b"/").unwrap();
        let pass = ex.location.pass.to.as_ref().unwrap();
        let response = respond(&mut ex, pass, &site.upstreams).await.unwrap();
        let Body::Stream(mut stream) = response.body else { panic!("{:?}", response.body) };
        let first = poll_fn(|cx| stream.as_mut().poll_next(cx)).await.unwrap().unwrap();
        assert_eq!(first, "one");
        answered.set(true);
        assert_eq!(drain(Body::Stream(stream)).await, (b"two".to_vec(), true));
        drop(ex);
        drop(site);
    })
    .await;
    assert!(told.recv().unwrap().ends_with("5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"));
}

#[tokio::test]
async fn uwsgi_sends_variables_and_reads_what_cgi_says() {
    let answers = |peer: &mut Peer| {
        peer.until("body");
        peer.say("Status: 201 Made\r\nServer: app\r\nX: y\r\n\r\nuntil the end");
    };
    let (port, told) = app(vec![answers]);
    let site = Site::at(&format!(
        "uwsgi_param CONTENT_LENGTH $content_length; uwsgi_param EMPTY '' if_not_empty;
         uwsgi_pass 127.0.0.1:{port};"
    ));
    within(async {
        let head = "POST /x HTTP/1.1\r\nHost: a:81\r\nX-Y: z\r\nTransfer-Encoding: chunked\r\n\r\n";
        let outcome = site.send(head, Client::body(&["bo", "dy"])).await;
        assert_eq!((outcome.status(), outcome.body()), (201, &b"until the end"[..]));
        assert_eq!(outcome.header("Server").unwrap(), "app");
        assert_eq!(outcome.result.as_ref().unwrap().0.reason.as_ref().unwrap(), "Made");
    })
    .await;
    let packet = told.recv().unwrap();
    assert!(packet.contains("\u{e}\0CONTENT_LENGTH\u{1}\u{0}4"), "{packet:?}");
    assert!(packet.contains("\u{9}\0HTTP_HOST\u{4}\0a:81") && packet.contains("HTTP_X_Y\u{1}\0z"));
    assert!(packet.ends_with("body") && !packet.contains("EMPTY"));
}

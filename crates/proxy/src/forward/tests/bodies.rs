//! Requests with bodies, whole or on their way.

use std::os::unix::net::UnixListener;
use std::pin::pin;

use super::*;

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

#[tokio::test(start_paused = true)]
async fn the_time_of_a_slow_client_is_not_that_of_the_application() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app");
    let listener = UnixListener::bind(&path).unwrap();
    // What is not there at once is missing.
    listener.set_nonblocking(true).unwrap();
    let site = Site::at(&format!(
        "proxy_request_buffering off; proxy_read_timeout 60s; proxy_pass http://unix:{}:/;",
        path.display()
    ));
    let answered = Rc::new(Cell::new(false));
    let body = Talks { halves: ["hello", "world"].into(), answered: answered.clone() };
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let test = async {
        let mut sent = pin!(site.send(head, body));
        assert!(poll_fn(|cx| Poll::Ready(sent.as_mut().poll(cx).is_pending())).await);
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut application = Peer { stream, heard: String::new() };
        application.until("5\r\nhello\r\n");
        tokio::time::advance(Duration::from_hours(1)).await;
        answered.set(true);
        assert!(poll_fn(|cx| Poll::Ready(sent.as_mut().poll(cx).is_pending())).await);
        application.until("5\r\nworld\r\n0\r\n\r\n");
        tokio::time::resume();
        application.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        let outcome = tokio::time::timeout(Duration::from_secs(20), sent).await;
        assert_eq!(outcome.expect("the test hangs").status(), 200);
    };
    LocalSet::new().run_until(test).await;
}

//! upstream_wait: a request waits for an application that is being restarted.

use std::time::{Duration, Instant};

use crate::harness::{Backend, Tidegate, backend};

/// A server in front of a socket that is not there yet.
async fn waiting(directives: &str) -> Tidegate {
    Tidegate::start(&format!(
        "log_format wait '$request $status $upstream_addr $upstream_status $upstream_error';
         access_log logs/access.log wait;
         upstream two {{ server unix:app.sock; server unix:other.sock; }}
         upstream queued {{ server unix:app.sock; queue 1 timeout=300ms; }}
         server {{
             listen 127.0.0.1:8080;
             {directives}
             location / {{ proxy_pass http://unix:app.sock; }}
             location /two {{ proxy_pass http://two; }}
             location /queued {{ proxy_pass http://queued; }}
             location /streamed {{ proxy_request_buffering off; proxy_pass http://unix:app.sock; }}
             location /off {{ upstream_wait off; proxy_pass http://unix:app.sock; }}
             location /named {{ proxy_pass http://$arg_host; }}
         }}"
    ))
    .await
}

fn starts(server: &Tidegate) -> Backend {
    Backend::http_at(&server.folder().join("app.sock"), backend::ok)
}

#[tokio::test]
async fn requests_wait_for_an_application_and_arrive_whole() {
    let server = waiting("upstream_wait 10s;").await;
    let body = "0123456789".repeat(10_000);
    let post = format!("POST /posted || {body}");
    let streamed = format!("POST /streamed || {body}");
    let asks = async {
        tokio::join!(
            server.get("/got"),
            server.ask(&post),
            server.ask(&streamed),
            server.get("/two")
        )
    };
    let start = async {
        server.logs("connect() to unix:app.sock failed (2: No such file or directory)").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let left = server.get("/off").await;
        (starts(&server), left)
    };
    let ((got, posted, streamed, two), (backend, left)) = tokio::join!(asks, start);
    left.is(502);
    got.is(200).mentions("GET /got HTTP/1.1");
    two.is(200);
    for answer in [&posted, &streamed] {
        assert!(answer.is(200).text().ends_with(&body));
    }
    assert_eq!(backend.received().len(), 4, "each is sent once");
    server.logs("can be reached again after ").await;
    let log = server.access_log(5).await;
    let line = log.iter().find(|line| line.contains("/got")).unwrap();
    assert!(line.ends_with("200 unix:app.sock 200 -"), "{line}");
    let tries = server.error_log().matches("No such file").count();
    assert!(tries <= 9, "{tries} lines:\n{}", server.error_log());
}

#[tokio::test]
async fn waiting_is_bounded_in_time_and_in_number() {
    let server = waiting("upstream_wait 3s requests=1;").await;
    let wait = Duration::from_millis(2990);
    let start = Instant::now();
    let (one, two) = tokio::join!(server.get("/"), async {
        server.logs("; the request waits for it").await;
        let answer = server.get("/").await;
        (answer, start.elapsed())
    });
    one.is(502);
    assert!(start.elapsed() > wait, "{:?}", start.elapsed());
    two.0.is(502);
    assert!(two.1 < wait, "{:?}", two.1);
    server.logs("; waited 3.").await;
    // A group's queue has bounds of its own.
    let start = Instant::now();
    server.get("/queued").await.is(502);
    assert!(start.elapsed() < wait, "{:?}", start.elapsed());
    let line = server.access_log(3).await.pop().unwrap();
    assert!(
        line.contains("502 unix:app.sock 502 connect() to unix:app.sock failed (2: No"),
        "{line}"
    );
}

#[tokio::test]
async fn one_who_leaves_is_given_back_at_once() {
    let server = waiting("upstream_wait 10s;").await;
    let mut connection = server.connect().await;
    connection.send("GET /left HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.logs("No such file or directory").await;
    drop(connection);
    let line = server.access_log(1).await.remove(0);
    assert!(line.contains("GET /left HTTP/1.1 499"), "{line}");
    server.logs("client prematurely closed connection while waiting for upstream").await;
}

#[tokio::test]
async fn a_request_that_was_lost_is_sent_again_once_unless_it_may_have_acted() {
    let lost = Backend::http(|_| String::new()).await;
    let conf = "upstream_wait 10s;
        server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8090; }
                 location /next { proxy_next_upstream non_idempotent error; proxy_pass http://127.0.0.1:8090; }
                 location /off { proxy_next_upstream off; proxy_pass http://127.0.0.1:8090; } }";
    let server = Tidegate::start(conf).with_port(8090, lost.port()).await;
    for (ask, times) in
        [("/", 2), ("POST / || x", 1), ("POST /next || x", 2), ("/off", 1), ("DELETE /", 2)]
    {
        server.ask(ask).await.is(502);
        assert_eq!(lost.received().len(), times, "{ask}");
    }
}

#[tokio::test]
async fn a_request_that_a_restart_drops_waits_for_the_end_of_it() {
    let server = waiting("upstream_wait 10s;").await;
    let socket = server.folder().join("app.sock");
    let place = socket.clone();
    // It takes the request, is gone, and so is the other one.
    let ends = Backend::http_at(&socket, move |_| {
        let _ = std::fs::remove_file(&place);
        String::new()
    });
    let start = async {
        server.logs("the request waits for it").await;
        starts(&server)
    };
    let (answer, backend) = tokio::join!(server.get("/two"), start);
    answer.is(200).mentions("GET /two HTTP/1.1");
    assert_eq!((ends.received().len(), backend.received().len()), (1, 1));
}

#[tokio::test]
async fn a_full_backlog_is_waited_for() {
    let server = waiting("upstream_wait 10s;").await;
    let path = server.folder().join("app.sock");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    let _first = std::os::unix::net::UnixStream::connect(&path).unwrap();
    server.get("/off").await.is(502);
    let answers = async {
        server.logs("(11: Resource temporarily unavailable)").await;
        std::fs::remove_file(&path).unwrap();
        drop(socket);
        starts(&server)
    };
    let (answer, _backend) = tokio::join!(server.get("/"), answers);
    answer.is(200);
}

#[tokio::test]
async fn by_default_requests_wait_ten_seconds() {
    let server = Tidegate::start(
        "events {} error_log logs/error.log info; http {
             server { listen 127.0.0.1:8080; location / { proxy_pass http://127.0.0.1:8098; } } }",
    )
    .await;
    let asked = tokio::time::timeout(Duration::from_millis(500), server.get("/"));
    assert!(asked.await.is_err(), "it waits");
    server.logs("(111: Connection refused) while connecting to upstream").await;
    server.logs("; the request waits for it").await;
}

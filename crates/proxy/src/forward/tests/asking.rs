//! Who is asked, and who next.

use super::*;

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
            assert_eq!(outcome.tries[0].address.to_string(), format!("127.0.0.1:{port}"));
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
        assert_eq!(outcome.tries[0].address.to_string(), "unix:/nonexistent.sock");
        assert_eq!(outcome.tries[0].connect_time(), None);
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

//! What becomes of answers over HTTP.

use super::*;

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
        assert!(outcome.tries[0].response_time().is_some());
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

//! sticky: a client is kept with the server that served it first.

use super::compare::alike;
use super::upstream::named;

#[tokio::test]
async fn cookies_and_routes() {
    let one = named("one").await;
    let two = named("two").await;
    // nginx's name for a server is the hash of its address; both servers ask the same addresses.
    let first = md5_of(&format!("127.0.0.1:{}", one.port()));
    let asks = [
        "/plain".to_owned(),
        "/plain".to_owned(),
        "/plain | Cookie: srv=nobody".to_owned(),
        "/plain | Cookie: srv=".to_owned(),
        format!("/plain | Cookie: srv={first}"),
        format!("/plain | Cookie: srv={first}"),
        format!("/plain?drop-one | Cookie: srv={first}"),
        format!("/full?s=none | Cookie: a=b; srv={first}; c=d"),
        "/full?s=other | Cookie: srv=bb".to_owned(),
        "/full | Cookie: srv=bb".to_owned(),
        "/route?x=a".to_owned(),
        "/route?x=a".to_owned(),
        "/route?y=bb".to_owned(),
        "/route?x=zz&y=bb".to_owned(),
        "/route".to_owned(),
        "/route".to_owned(),
        "/drained".to_owned(),
        "/drained".to_owned(),
        "/drained?x=a".to_owned(),
        "/alldrained".to_owned(),
        "/conn".to_owned(),
        "/conn | Cookie: srv=bb".to_owned(),
        "/conn | Cookie: srv=bb".to_owned(),
        "/backup | Cookie: srv=cc".to_owned(),
        "/backup".to_owned(),
        "/backup".to_owned(),
        "/hash?k=1 | Cookie: srv=bb".to_owned(),
        "/hash?k=1 | Cookie: srv=a".to_owned(),
        "/hash".to_owned(),
        "/hash | Cookie: srv=bb".to_owned(),
        "/hash".to_owned(),
        "/hash".to_owned(),
    ];
    // After hits the others have their turns.
    let kept = |number: usize| match number % 7 {
        0 | 1 | 4 => "/turns?x=a",
        2 => "/turns?x=c",
        _ => "/turns",
    };
    let asks = asks.into_iter().chain((0..60).map(|number| kept(number).to_owned()));
    let asks: Vec<String> = asks.collect();
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"
        upstream plain { sticky cookie srv; server 127.0.0.1:8091 max_fails=0; server 127.0.0.1:8092 max_fails=0; }
        upstream full { server 127.0.0.1:8091 max_fails=0; server 127.0.0.1:8092 route=bb max_fails=0; sticky cookie srv path=/x samesite=$arg_s secure httponly domain=.example.com; }
        upstream route { server 127.0.0.1:8091 route=a; server 127.0.0.1:8092 route=bb; sticky route $arg_x $arg_y; }
        upstream drained { server 127.0.0.1:8091 route=a drain; server 127.0.0.1:8092 route=bb; sticky route $arg_x $arg_y; }
        upstream turns { server 127.0.0.1:8091 route=a weight=3; server 127.0.0.1:8092 route=bb weight=2; server 127.0.0.1:8093 route=c; sticky route $arg_x; }
        upstream backup { server 127.0.0.1:8091 route=a; server 127.0.0.1:8092 route=bb; server 127.0.0.1:8093 route=cc backup; sticky cookie srv; }
        upstream hash { hash $arg_k; server 127.0.0.1:8091 route=a; server 127.0.0.1:8092 route=bb; sticky cookie srv; }
        upstream alldrained { server 127.0.0.1:8091 drain; server 127.0.0.1:8092 drain; }
        upstream conn { least_conn; sticky cookie srv; server 127.0.0.1:8091; server 127.0.0.1:8092 route=bb; }
        server {
            listen 127.0.0.1:8080;
            location /plain { proxy_pass http://plain; }
            location /full { proxy_pass http://full; }
            location /route { proxy_pass http://route; }
            location /drained { proxy_pass http://drained; }
            location /alldrained { proxy_pass http://alldrained; }
            location /turns { proxy_pass http://turns; }
            location /backup { proxy_pass http://backup; }
            location /hash { proxy_pass http://hash; }
            location /conn { proxy_pass http://conn; }
        }"#,
    )
    .with_backend(8091, one)
    .with_backend(8092, two)
    .with_backend(8093, named("three").await)
    .mainline()
    .answers(&asks)
    .await;
}

#[tokio::test]
async fn sessions_that_servers_begin() {
    let backend = |name: &'static str| {
        crate::harness::Backend::http(move |request| {
            let begins = request.contains("/begin");
            let sid = if begins { format!("Sid: of-{name}\r\n") } else { String::new() };
            format!("HTTP/1.1 200 OK\r\n{sid}Content-Length: {}\r\n\r\n{name}", name.len())
        })
    };
    alike(
        "upstream learn { server 127.0.0.1:8091; server 127.0.0.1:8092;
             sticky learn create=$upstream_http_sid lookup=$arg_sid zone=learned:1m timeout=1h; }
         server { listen 127.0.0.1:8080; location / { proxy_pass http://learn; } }",
    )
    .with_backend(8091, backend("one").await)
    .with_backend(8092, backend("two").await)
    .mainline()
    .answers(&[
        "/begin",
        "/begin",
        "/?sid=of-one",
        "/?sid=of-one",
        "/?sid=of-two",
        "/?sid=of-two",
        "/?sid=nobody",
        "/?sid=of-one",
    ])
    .await;
}

fn md5_of(text: &str) -> String {
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("printf %s '{text}' | md5sum")])
        .output()
        .expect("md5sum runs");
    String::from_utf8_lossy(&output.stdout)[..32].to_owned()
}

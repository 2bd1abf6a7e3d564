//! upstream: who is asked, in which order, and who next.

use super::compare::{alike, echo};
use crate::harness::Backend;

/// A backend that gives its name, or a 503 or nothing where asked to.
pub async fn named(name: &'static str) -> Backend {
    Backend::http(move |request| {
        let line = request.split(" HTTP").next().unwrap_or_default();
        if line.contains(&format!("fail-{name}")) {
            return "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy".to_owned();
        }
        if line.contains(&format!("drop-{name}")) {
            return String::new();
        }
        crate::harness::backend::ok(name)
    })
    .await
}

#[tokio::test]
async fn smooth_weighted_round_robin() {
    let get = |path: &'static str| std::iter::repeat_n(path, 9);
    let asks: Vec<&str> =
        get("/even").chain(get("/weighted")).chain(get("/down")).chain(get("/backup")).collect();
    alike(
        r#"
        upstream even { server 127.0.0.1:8091; server 127.0.0.1:8092; server 127.0.0.1:8093; }
        upstream weighted { server 127.0.0.1:8091 weight=5; server 127.0.0.1:8092; server 127.0.0.1:8093 weight=2; }
        upstream down { server 127.0.0.1:8091 down; server 127.0.0.1:8092 weight=2; server 127.0.0.1:8093; }
        upstream backup { server 127.0.0.1:8098 max_fails=1 fail_timeout=1h; server 127.0.0.1:8092 backup; server 127.0.0.1:8093 backup weight=2; }
        server {
            listen 127.0.0.1:8080;
            add_header X-Addr "$upstream_addr $upstream_status" always;
            location /even { proxy_pass http://even; }
            location /weighted { proxy_pass http://weighted; }
            location /down { proxy_pass http://down; }
            location /backup { proxy_pass http://backup; }
        }"#,
    )
    .with_backend(8091, named("one").await)
    .with_backend(8092, named("two").await)
    .with_backend(8093, named("three").await)
    .mainline()
    .answers(&asks)
    .await;
}

#[tokio::test]
async fn the_next_is_asked_where_told() {
    alike(
        r#"
        upstream both { server 127.0.0.1:8091 max_fails=0; server 127.0.0.1:8092 max_fails=0; }
        upstream dead { server 127.0.0.1:8098 max_fails=0; server 127.0.0.1:8092 max_fails=0; }
        upstream alldead { server 127.0.0.1:8098 max_fails=0; server 127.0.0.1:8099 max_fails=0; }
        upstream failing { server 127.0.0.1:8098 max_fails=1 fail_timeout=1h; server 127.0.0.1:8099 max_fails=1 fail_timeout=1h; }
        server {
            listen 127.0.0.1:8080;
            add_header X-Status "$upstream_status" always;
            location /default { proxy_pass http://both; }
            location /503 { proxy_next_upstream error timeout http_503; proxy_pass http://both; }
            location /503idem { proxy_next_upstream error http_503 non_idempotent; proxy_pass http://both; }
            location /off { proxy_next_upstream off; proxy_pass http://both; }
            location /one { proxy_next_upstream http_503; proxy_next_upstream_tries 1; proxy_pass http://both; }
            location /dead { proxy_pass http://dead; }
            location /alldead { proxy_pass http://alldead; }
            location /failing { proxy_pass http://failing; }
            location /invalid { proxy_next_upstream invalid_header; proxy_pass http://both; }
        }"#,
    )
    .with_backend(8091, named("one").await)
    .with_backend(8092, named("two").await)
    .mainline()
    .answers(&[
        "/default", "/default?fail-one", "/default?fail-two", "/default?drop-one", "/default?drop-two",
        "/503?fail-one", "/503?fail-two", "/503?fail-one&fail-two", "POST /503?fail-one || x",
        "POST /503?fail-two || x", "POST /503idem?fail-one || x", "POST /503idem?fail-two || x", "/off?drop-one",
        "/off?drop-two", "/one?fail-one", "/one?fail-two", "/dead", "/dead", "/dead", "POST /dead || abc",
        "POST /dead || abc", "/alldead", "/alldead", "/failing", "/failing?again", "/failing?again", "/invalid?drop-one",
        "PUT /503?fail-one || x", "PUT /503?fail-two || x", "PATCH /503?fail-one || x", "PATCH /503?fail-two || x",
    ])
    .await;
}

#[tokio::test]
async fn other_balancers() {
    let backend = echo(&[]).await;
    alike(
        r#"
        upstream least { least_conn; server 127.0.0.1:8091 max_fails=0; server 127.0.0.1:8092 weight=2 max_fails=0; server 127.0.0.1:8093 max_fails=0; }
        upstream backup { least_conn; server 127.0.0.1:8098 max_fails=1 fail_timeout=1h; server 127.0.0.1:8092 backup; server 127.0.0.1:8093 backup; }
        upstream lot { random; server 127.0.0.1:8091; server 127.0.0.1:8092 down; }
        upstream two { random two least_conn; server 127.0.0.1:8091; server 127.0.0.1:8092 down; }
        upstream kept { server 127.0.0.1:8090; keepalive 2; }
        server {
            listen 127.0.0.1:8080;
            location /least { proxy_pass http://least; }
            location /backup { proxy_pass http://backup; }
            location /lot { proxy_pass http://lot; }
            location /two { proxy_pass http://two; }
            location /kept { proxy_pass http://kept; }
            location /kept11 { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://kept; }
        }"#,
    )
    .with_backend(8090, backend)
    .with_backend(8091, named("one").await)
    .with_backend(8092, named("two").await)
    .with_backend(8093, named("three").await)
    .mainline()
    .answers(&[
        "/least", "/least", "/least", "/least", "/least", "/least?drop-one", "/least?drop-two", "/least?drop-three",
        "/backup", "/backup", "/backup", "/lot", "/lot", "/two", "/two", "/kept", "/kept", "/kept11",
    ])
    .await;
}

#[tokio::test]
async fn a_client_asks_the_same_server() {
    let clients: Vec<String> = (0..40)
        .map(|number| format!("/address | X-Real-IP: 10.{number}.{}.{number}", number * 37 % 256))
        .chain((0..20).map(|number| format!("/address | X-Real-IP: 2001:db8::{number}:{number}")))
        .collect();
    let asks =
        ["/address", "/address", "/address?drop-one", "/address?drop-two&drop-three", "/down"];
    let mut all: Vec<&str> = asks.to_vec();
    all.extend(clients.iter().map(String::as_str));
    all.extend(["/one", "/late", "/late"]);
    alike(
        r#"
        upstream address { ip_hash; server 127.0.0.1:8091 max_fails=0; server 127.0.0.1:8092 weight=2 max_fails=0; server 127.0.0.1:8093 max_fails=0; }
        upstream down { ip_hash; server 127.0.0.1:8091 down; server 127.0.0.1:8092 down; server 127.0.0.1:8093; }
        upstream one { ip_hash; server 127.0.0.1:8091; }
        upstream late { server 127.0.0.1:8098 max_fails=1 fail_timeout=1h; server 127.0.0.1:8091 backup; ip_hash; }
        set_real_ip_from 127.0.0.1;
        server {
            listen 127.0.0.1:8080;
            location /address { proxy_pass http://address; }
            location /down { proxy_pass http://down; }
            location /one { proxy_pass http://one; }
            location /late { proxy_pass http://late; }
        }"#,
    )
    .with_backend(8091, named("one").await)
    .with_backend(8092, named("two").await)
    .with_backend(8093, named("three").await)
    .mainline()
    .answers(&all)
    .await;
}

#[tokio::test]
async fn a_key_asks_the_same_server() {
    let paths: Vec<String> = ["/hash", "/ring", "/twice"]
        .iter()
        .flat_map(|place| (0..40).map(move |number| format!("{place}?key{}", number * 7919)))
        .collect();
    let mut asks: Vec<&str> = paths.iter().map(String::as_str).collect();
    asks.extend([
        "/hash?drop-one",
        "/hash?drop-two&drop-three",
        "/hash?a&drop-one&drop-two",
        "/hash?b&drop-one&drop-two&drop-three",
        "/ring?drop-one",
        "/ring?drop-two&drop-three",
        "/ring?a&drop-one&drop-two",
        "/ring?b&drop-one&drop-two&drop-three",
        "/empty",
        "/empty",
        "/empty",
        "/emptyring",
        "/emptyring",
        "/emptyring",
        "/some?1",
        "/some?2",
        "/some?3",
        "/some?4",
    ]);
    alike(
        r#"
        upstream hash { hash $request_uri; server 127.0.0.1:8091 max_fails=0; server 127.0.0.1:8092 weight=2 max_fails=0; server 127.0.0.1:8093 max_fails=0; }
        upstream ring { hash $request_uri consistent; server 127.0.0.1:8091 max_fails=0; server 127.0.0.1:8092 weight=2 max_fails=0; server 127.0.0.1:8093 max_fails=0; }
        upstream twice { hash "$uri $args" consistent; server 127.0.0.1:8091; server 127.0.0.1:8092; server 127.0.0.1:8092; }
        upstream some { hash $args; server 127.0.0.1:8091 down; server 127.0.0.1:8092; server 127.0.0.1:8093; }
        upstream empty { hash $arg_none; server 127.0.0.1:8091; server 127.0.0.1:8092; }
        upstream emptyring { hash $arg_none consistent; server 127.0.0.1:8091; server 127.0.0.1:8092; }
        server {
            listen 127.0.0.1:8080;
            location /hash { proxy_pass http://hash; }
            location /ring { proxy_pass http://ring; }
            location /twice { proxy_pass http://twice; }
            location /some { proxy_pass http://some; }
            location = /empty { proxy_pass http://empty; }
            location = /emptyring { proxy_pass http://emptyring; }
        }"#,
    )
    .with_backend(8091, named("one").await)
    .with_backend(8092, named("two").await)
    .with_backend(8093, named("three").await)
    .mainline()
    .answers(&asks)
    .await;
}

/// A thousand requests to each server: who answers which.
#[tokio::test]
async fn a_thousand_keys_come_to_the_servers_that_nginx_chooses() {
    let Some(oracle) = super::nginx::oracle() else { return };
    let backends =
        [named("one").await, named("two").await, named("three").await, named("four").await];
    let conf = r#"
        upstream turn { server 127.0.0.1:8091 weight=5; server 127.0.0.1:8092; server 127.0.0.1:8093 weight=2; server 127.0.0.1:8094 weight=3; }
        upstream ring { hash $arg_key consistent; server 127.0.0.1:8091 weight=5; server 127.0.0.1:8092; server 127.0.0.1:8093 weight=2; server 127.0.0.1:8094; }
        upstream hash { hash $arg_key; server 127.0.0.1:8091 weight=5; server 127.0.0.1:8092; server 127.0.0.1:8093 weight=2; server 127.0.0.1:8094; }
        upstream address { ip_hash; server 127.0.0.1:8091 weight=5; server 127.0.0.1:8092; server 127.0.0.1:8093 weight=2; server 127.0.0.1:8094; }
        upstream least { least_conn; server 127.0.0.1:8091 weight=5; server 127.0.0.1:8092; server 127.0.0.1:8093 weight=2; server 127.0.0.1:8094; }
        set_real_ip_from 127.0.0.1;
        server {
            listen 127.0.0.1:8080;
            keepalive_requests 10000;
            location / { proxy_pass http://$arg_group; }
        }"#;
    let start = |binary: &std::path::Path| {
        let ports = backends.iter().zip(8091..);
        let start = crate::harness::Tidegate::start(conf).with_binary(binary);
        ports.fold(start, |start, (backend, port)| start.with_port(port, backend.port()))
    };
    let nginx = start(&oracle.binary).await;
    let ours = start(&crate::harness::process::binary()).await;
    let chosen = async |server: &crate::harness::Tidegate| {
        let mut connection = server.connect().await;
        let mut names = Vec::new();
        for number in 0..5000_u32 {
            let group = ["turn", "ring", "hash", "address", "least"][(number % 5) as usize];
            let [_, a, b, c] = number.wrapping_mul(2_654_435_761).to_be_bytes();
            let ask = format!(
                "GET /?group={group}&key={} HTTP/1.1\r\nHost: a\r\nX-Real-IP: {a}.{b}.{c}.1\r\n\r\n",
                number / 5
            );
            connection.send(ask).await;
            names.push((group, connection.answer().await.text()));
        }
        names
    };
    let (expected, got) = (chosen(&nginx).await, chosen(&ours).await);
    let differ = expected.iter().zip(&got).filter(|(expected, got)| expected != got).count();
    assert_eq!(differ, 0, "of {} choices", got.len());
    let turn = got.iter().filter(|(group, _)| *group == "turn");
    let ones = turn.filter(|(_, name)| name == "one").count();
    assert_eq!(ones, 454, "5 of 11 in 1000");
}

//! The ways a server of a group is chosen, where nginx's choice cannot be compared: by chance, by
//! time, by what is known of servers; and what of it a reload keeps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate, backend, eventually};

const NAMES: [&str; 3] = ["one", "two", "three"];

async fn named() -> [Backend; 3] {
    let [one, two, three] = NAMES.map(|name| Backend::http(move |_| backend::ok(name)));
    [one.await, two.await, three.await]
}

/// A server with these groups, each at its own path.
async fn grouped(backends: &[Backend; 3], groups: &str) -> Tidegate {
    let conf = format!(
        "{groups}
         server {{
             listen 127.0.0.1:8080;
             keepalive_requests 10000;
             location / {{ proxy_pass http://$arg_group; }}
         }}"
    );
    let start = Tidegate::start(&conf);
    let ports = backends.iter().zip(8091..);
    ports.fold(start, |start, (backend, port)| start.with_port(port, backend.port())).await
}

/// Who answers so many requests.
async fn who(server: &Tidegate, path: &str, times: usize) -> BTreeMap<String, usize> {
    let mut connection = server.connect().await;
    let mut seen = BTreeMap::new();
    for _ in 0..times {
        connection.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        *seen.entry(connection.answer().await.is(200).text()).or_default() += 1;
    }
    seen
}

#[tokio::test]
async fn chance_is_fair_and_weighs() {
    let backends = named().await;
    let server = grouped(
        &backends,
        "upstream even { random; server 127.0.0.1:8091; server 127.0.0.1:8092; server 127.0.0.1:8093; }
         upstream uneven { random; server 127.0.0.1:8091 weight=4; server 127.0.0.1:8092; server 127.0.0.1:8093 down; }
         upstream two { random two least_conn; server 127.0.0.1:8091; server 127.0.0.1:8092; server 127.0.0.1:8093; }",
    )
    .await;
    // So far from the mean it comes once in ten million times.
    for group in ["even", "two"] {
        let seen = who(&server, &format!("/?group={group}"), 900).await;
        assert!(
            seen.values().all(|count| (225..=375).contains(count)) && seen.len() == 3,
            "{seen:?}"
        );
    }
    let seen = who(&server, "/?group=uneven", 1000).await;
    assert!((735..=865).contains(&seen["one"]) && seen.len() == 2, "{seen:?}");
}

#[tokio::test]
async fn who_answers_sooner_is_asked_more_often() {
    let [one, _, other] = named().await;
    let slow = Backend::raw(|mut stream| async move {
        let mut request = [0; 4096];
        while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let _ = stream.write_all(backend::ok("slow").as_bytes()).await;
        }
    })
    .await;
    let backends = [one, slow, other];
    let server = grouped(
        &backends,
        "upstream time { least_time header; server 127.0.0.1:8091; server 127.0.0.1:8092; }
         upstream last { least_time last_byte; server 127.0.0.1:8091; server 127.0.0.1:8092; }
         upstream lots { random two least_time=header; server 127.0.0.1:8091; server 127.0.0.1:8092; }",
    )
    .await;
    for group in ["time", "last", "lots"] {
        let seen = who(&server, &format!("/?group={group}"), 20).await;
        let slow = seen.get("slow").copied().unwrap_or_default();
        assert!((1..=2).contains(&slow) || group == "lots" && slow <= 2, "{group}: {seen:?}");
    }
}

#[tokio::test]
async fn no_server_has_more_connections_than_it_may() {
    let go = Arc::new(AtomicBool::new(false));
    let held = |name: &'static str, go: &Arc<AtomicBool>| {
        let go = Arc::clone(go);
        Backend::raw(move |mut stream| {
            let go = Arc::clone(&go);
            async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                while !go.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                let _ = stream.write_all(backend::ok(name).as_bytes()).await;
            }
        })
    };
    let backends = [held("one", &go).await, held("two", &go).await, held("three", &go).await];
    let server = grouped(
        &backends,
        "upstream full { server 127.0.0.1:8091 max_conns=2; server 127.0.0.1:8092 max_conns=1; server 127.0.0.1:8093 backup max_conns=1; }
         upstream queued { queue 1 timeout=10s; server 127.0.0.1:8091 max_conns=1; }",
    )
    .await;
    let client = server.at(8080);
    let ask = |group: &'static str| {
        tokio::spawn(async move { client.get(&format!("/?group={group}")).await })
    };
    let open = |count: usize| {
        let text = String::from_utf8_lossy(&server.command(&["status"]).stdout).into_owned();
        let number = |line: &str| -> Option<usize> {
            line.strip_suffix(" connections")?.rsplit(' ').next()?.parse().ok()
        };
        text.lines().filter_map(number).sum::<usize>() == count
    };
    let mut asked: Vec<_> = (0..4).map(|_| ask("full")).collect();
    eventually("four are asked", || async { open(4) }).await;
    server.get("/?group=full").await.is(502);
    server.logs("(of 3 servers 3 have all their max_conns)").await;
    asked.push(ask("queued"));
    eventually("five are asked", || async { open(5) }).await;
    asked.push(ask("queued"));
    // The queue has one place.
    server.logs("the request waits for it").await;
    server.get("/?group=queued").await.is(502);
    go.store(true, Ordering::Relaxed);
    let mut seen = BTreeMap::new();
    for asked in asked {
        let answer = asked.await.expect("an answer");
        *seen.entry(answer.is(200).text()).or_insert(0) += 1;
    }
    assert_eq!(
        seen,
        [("one", 4), ("two", 1), ("three", 1)].map(|(name, count)| (name.to_owned(), count)).into()
    );
}

#[tokio::test]
async fn one_that_is_back_begins_slowly_and_one_that_drains_keeps_its_own() {
    let well = Arc::new(AtomicBool::new(true));
    let [_, two, three] = named().await;
    let told = Arc::clone(&well);
    let one = Backend::http(move |_| {
        let well = told.load(Ordering::Relaxed);
        let unwell = || "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_owned();
        if well { backend::ok("one") } else { unwell() }
    })
    .await;
    let backends = [one, two, three];
    let conf = |groups: &str| {
        format!(
            "upstream slow {{ server 127.0.0.1:8091 slow_start=20s; server 127.0.0.1:8092; }}
             upstream kept {{
                 sticky route $arg_route;
                 server 127.0.0.1:8092 route=a {groups};
                 server 127.0.0.1:8093 route=b;
             }}
             server {{
                 listen 127.0.0.1:8080;
                 location /slow {{ proxy_pass http://slow; health_check interval=20ms; }}
                 location / {{ proxy_pass http://kept; }}
             }}"
        )
    };
    let start = Tidegate::start(&conf(""));
    let ports = backends.iter().zip(8091..);
    let start = ports.fold(start, |start, (backend, port)| start.with_port(port, backend.port()));
    let mut server = start.await;
    assert_eq!(who(&server, "/slow", 40).await["one"], 20);
    well.store(false, Ordering::Relaxed);
    server.logs("peer is unhealthy").await;
    well.store(true, Ordering::Relaxed);
    server.logs("peer is healthy").await;
    let seen = who(&server, "/slow", 40).await;
    assert!(seen.get("one").is_none_or(|one| *one < 14), "{seen:?}");

    assert_eq!(who(&server, "/?route=a", 5).await["two"], 5);
    server.reload(&conf("drain"));
    eventually("new clients go elsewhere", || async {
        who(&server, "/", 4).await == [("three".to_owned(), 4)].into()
    })
    .await;
    assert_eq!(who(&server, "/?route=a", 5).await["two"], 5);
}

#[tokio::test]
async fn a_reload_keeps_turns_failures_and_idle_connections() {
    let backends = named().await;
    let conf = |more: &str| {
        format!(
            "worker_processes 1;
             events {{}}
             http {{
                 upstream app {{
                     server 127.0.0.1:8091 weight=5;
                     server 127.0.0.1:8092 weight=2;
                     server 127.0.0.1:8098 fail_timeout=1h;
                     server 127.0.0.1:8093;
                 }}
                 server {{
                     listen 127.0.0.1:8080;
                     {more}
                     location / {{ proxy_pass http://app; add_header X-Addr $upstream_addr; }}
                 }}
             }}"
        )
    };
    let start = Tidegate::start(&conf("location /new { return 404; }"));
    let ports = backends.iter().zip(8091..);
    let start = ports.fold(start, |start, (backend, port)| start.with_port(port, backend.port()));
    let mut server = start.await;
    // The dead one is found out once.
    let mut tries = 0;
    for _ in 0..16 {
        let answer = server.get("/").await;
        tries += answer.is(200).field("X-Addr").expect("an address").split(", ").count();
    }
    assert_eq!(tries, 17);
    let order = async |server: &Tidegate, times: usize| {
        let mut names = Vec::new();
        for _ in 0..times {
            let answer = server.get("/").await;
            let addresses = answer.is(200).field("X-Addr").expect("an address").to_owned();
            assert!(!addresses.contains(", "), "nobody asks the dead one: {addresses}");
            names.push(answer.text());
        }
        names
    };
    // Eight requests are one round: it goes on where it was.
    let round = order(&server, 8).await;
    let before: Vec<usize> = backends.iter().map(Backend::connections).collect();
    let first = order(&server, 3).await;
    server.reload(&conf("location /new { return 204; }"));
    let is_new = || async { server.get("/new").await.status == 204 };
    eventually("it has reloaded", is_new).await;
    let second = order(&server, 5).await;
    assert_eq!([first, second].concat(), round);
    let after: Vec<usize> = backends.iter().map(Backend::connections).collect();
    assert_eq!(after, before, "idle connections are used again");
}

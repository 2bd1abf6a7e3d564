//! resolver: names of upstreams, asked for again while the server runs.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use crate::harness::dns::{Dns, Record};
use crate::harness::{Backend, Tidegate, backend, eventually, process};

/// Backends of one port on several addresses of this machine, each saying its own.
async fn backends(addresses: &[&'static str]) -> (u16, Vec<Backend>) {
    let mut made = Vec::new();
    let mut port = 0;
    for address in addresses {
        let backend =
            Backend::http_on(&format!("{address}:{port}"), |_| backend::ok(address)).await;
        port = backend.port();
        made.push(backend);
    }
    (port, made)
}

async fn who(server: &Tidegate, path: &str, times: usize) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for _ in 0..times {
        seen.insert(server.get(path).await.text());
    }
    seen
}

fn all(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn addresses_of_a_name_come_and_go_with_their_time() {
    let (port, _backends) = backends(&["127.0.0.1", "127.0.0.2", "127.0.0.3"]).await;
    let (begun, dns) = (Instant::now(), Dns::start().await);
    dns.addresses("app.test", 1, &["127.0.0.1", "127.0.0.2"]);
    dns.addresses("long.test", 600, &["127.0.0.1"]);
    dns.addresses("valid.test", 600, &["127.0.0.1"]);
    let server = Tidegate::start(&format!(
        "resolver 127.0.0.1:8053 ipv6=off;
         upstream app {{ zone app 64k; server app.test:{port} resolve; }}
         upstream long {{ zone long 64k; server long.test:{port} resolve; }}
         upstream valid {{ zone valid 64k; resolver 127.0.0.1:8053 valid=1s ipv6=off; server valid.test:{port} resolve; }}
         server {{
             listen 127.0.0.1:8080;
             location /app {{ proxy_pass http://app; }}
             location /long {{ proxy_pass http://long; }}
             location /valid {{ proxy_pass http://valid; }}
             location /named {{ proxy_pass http://$arg_host:{port}; }}
         }}"
    ))
    .with_port(8053, dns.port())
    .await;
    eventually("both are asked", || async {
        who(&server, "/app", 4).await == all(&["127.0.0.1", "127.0.0.2"])
    })
    .await;
    assert_eq!(who(&server, "/long", 2).await, all(&["127.0.0.1"]));
    assert_eq!(who(&server, "/valid", 2).await, all(&["127.0.0.1"]));
    server.get("/named?host=app.test").await.is(200);
    server.get("/named?host=nobody.test").await.is(502);
    server.logs("nobody.test could not be resolved (3: Host not found").await;
    for name in ["app.test", "long.test", "valid.test"] {
        dns.addresses(name, 1, &["127.0.0.3"]);
    }
    for path in ["/app", "/valid"] {
        eventually("the new one is asked", || async {
            who(&server, path, 2).await == all(&["127.0.0.3"])
        })
        .await;
    }
    assert_eq!(who(&server, "/long", 2).await, all(&["127.0.0.1"]));
    let asked = dns.asked();
    // Those of a second are asked for again each second.
    let seconds = begun.elapsed().as_secs() as usize;
    assert!(asked < 30 + 4 * seconds, "answers are remembered: {asked} questions in {seconds}");
}

#[tokio::test]
async fn a_name_without_an_address_is_waited_for() {
    if !process::is_ours() {
        return;
    }
    let (port, _backends) = backends(&["127.0.0.1"]).await;
    let dns = Dns::start().await;
    let server = Tidegate::start(&format!(
        "resolver 127.0.0.1:8053;
         upstream_wait 10s;
         upstream app {{ zone app 64k; server late.test:{port} resolve; }}
         server {{ listen 127.0.0.1:8080; location / {{ proxy_pass http://app; }} }}"
    ))
    .with_port(8053, dns.port())
    .await;
    let appears = async {
        server.logs("late.test could not be resolved (3: Host not found)").await;
        dns.addresses("late.test", 60, &["127.0.0.1"]);
    };
    let (answer, ()) = tokio::join!(server.get("/"), appears);
    answer.is(200);
}

#[tokio::test]
async fn a_name_without_an_address_is_502_and_asked_for_again() {
    if !process::is_ours() {
        return;
    }
    let (port, _backends) = backends(&["127.0.0.1"]).await;
    let dns = Dns::start().await;
    let server = Tidegate::start(&format!(
        "resolver 127.0.0.1:8053 valid=1s;
         upstream app {{ zone app 64k; server late.test:{port} resolve; }}
         server {{ listen 127.0.0.1:8080;
         location / {{ proxy_pass http://app; }}
         location /never {{ proxy_pass http://nowhere.invalid; }} }}"
    ))
    .with_port(8053, dns.port())
    .await;
    server.get("/").await.is(502);
    server.get("/never").await.is(502);
    dns.addresses("late.test", 60, &["127.0.0.1"]);
    eventually("the name is asked for again", || async { server.get("/").await.status == 200 })
        .await;
}

#[tokio::test]
async fn services_say_ports_shares_and_who_comes_first() {
    let first = Backend::http(|_| backend::ok("first")).await;
    let second = Backend::http(|_| backend::ok("second")).await;
    let third = Backend::http(|_| backend::ok("third")).await;
    let dns = Dns::start().await;
    dns.addresses("host.test", 60, &["127.0.0.1"]);
    let at = |priority, weight, backend: &Backend| {
        Record::Service(priority, weight, backend.port(), "host.test")
    };
    let records = [at(1, 3, &first), at(1, 1, &second), at(2, 1, &third)];
    dns.set("_http._tcp.app.test", 1, &records);
    dns.set("_other._udp.app.test", 1, &[at(1, 1, &third)]);
    let server = Tidegate::start(
        "resolver 127.0.0.1:8053 ipv6=off;
         upstream app { zone app 64k; server app.test service=http resolve; }
         upstream other { zone other 64k; server app.test service=_other._udp resolve; }
         server {
             listen 127.0.0.1:8080;
             location /app { proxy_pass http://app; }
             location /other { proxy_pass http://other; }
         }",
    )
    .with_port(8053, dns.port())
    .await;
    eventually("they are known", || async { server.get("/app").await.status == 200 }).await;
    for _ in 0..8 {
        server.get("/app").await.is(200);
    }
    let (one, two) = (first.received().len(), second.received().len());
    assert!(one >= 6 && two >= 2 && third.received().is_empty(), "{one} {two}");
    assert_eq!(who(&server, "/other", 3).await, all(&["third"]));
    dns.set("_http._tcp.app.test", 1, &records[2..]);
    eventually("only the last is left", || async {
        who(&server, "/app", 2).await == all(&["third"])
    })
    .await;
}

#[tokio::test]
async fn a_name_server_that_is_silent_is_waited_for_as_long_as_is_said() {
    // It hears and says nothing; where nothing is said it is waited for half a minute.
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let server = Tidegate::start(
        "resolver 127.0.0.1:8053 ipv6=off;
         upstream app { zone app 64k; resolver 127.0.0.1:8053; resolver_timeout 200ms; server app.test:1 resolve; }
         server {
             listen 127.0.0.1:8080;
             location / { proxy_pass http://app; }
             location /named { resolver_timeout 200ms; proxy_pass http://$arg_host:1; }
         }",
    )
    .with_port(8053, silent.local_addr().expect("an address").port())
    .await;
    for (path, name) in [("/", "app.test"), ("/named?host=other.test", "other.test")] {
        server.get(path).await.is(502);
        server.logs(&format!("{name} could not be resolved (110: Operation timed out)")).await;
    }
}

#[tokio::test]
async fn without_a_resolver_it_is_the_systems() {
    if !process::is_ours() {
        return;
    }
    // Name servers of `/etc/resolv.conf` listen on port 53: on an address of this test's own.
    let [_, _, one, two] = std::process::id().to_be_bytes();
    let address = format!("127.77.{one}.{two}");
    let Some(dns) = Dns::start_on(&format!("{address}:53")).await else {
        eprintln!("skipped: nobody may listen on port 53");
        return;
    };
    let (port, _backends) = backends(&["127.0.0.1"]).await;
    dns.addresses("app.test", 600, &["127.0.0.1"]);
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("resolv.conf"), format!("nameserver {address}\n")).expect("a file");
    std::fs::write(at("hosts"), "127.0.0.1 known.test\n").expect("a file");
    // The same program, in a place of its own where /etc is another one.
    let script = format!(
        "#!/bin/sh\nexec unshare -m sh -c 'mount --bind {0}/resolv.conf /etc/resolv.conf && mount --bind \
         {0}/hosts /etc/hosts && exec {1} \"$@\"' tidegate \"$@\"\n",
        folder.path().display(),
        process::binary().display()
    );
    std::fs::write(at("tidegate"), script).expect("a file");
    std::fs::set_permissions(at("tidegate"), std::fs::Permissions::from_mode(0o755))
        .expect("its own file");
    let tried = std::process::Command::new(at("tidegate")).arg("-v").output().expect("a shell");
    if !tried.status.success() {
        eprintln!("skipped: {}", String::from_utf8_lossy(&tried.stderr));
        return;
    }
    let server = Tidegate::start(&format!(
        "upstream app {{ server app.test:{port} resolve; }}
         server {{
             listen 127.0.0.1:8080;
             location / {{ proxy_pass http://app; }}
             location /named {{ proxy_pass http://$arg_host:{port}; }}
         }}"
    ))
    .with_binary(&at("tidegate"))
    .await;
    server.get("/").await.is(200).says("127.0.0.1");
    assert!(dns.asked() > 0, "the name server was asked");
    server.get("/named?host=known.test").await.is(200);
}

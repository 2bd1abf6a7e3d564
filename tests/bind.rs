//! *_bind: every protocol is spoken from the address that was said.

use std::sync::{Arc, Mutex};

use crate::harness::{Backend, Tidegate, eventually, process};

#[tokio::test]
async fn every_protocol_is_spoken_from_the_address_that_was_said() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = Arc::clone(&seen);
    let app = Backend::raw(move |stream| {
        let keep = Arc::clone(&keep);
        async move {
            let address = stream.peer_addr().expect("an address").ip().to_string();
            keep.lock().expect("no panic before").push(address);
        }
    })
    .await;
    let families = ["proxy", "uwsgi", "fastcgi", "scgi", "grpc"];
    let places = families.map(|family| {
        let scheme = if family == "proxy" { "http://" } else { "" };
        format!("location /{family} {{ {family}_pass {scheme}127.0.0.1:8090; {family}_bind $arg_from; }}")
    });
    let conf = format!("server {{ listen 127.0.0.1:8080; {} }}", places.concat());
    let server = Tidegate::start(&conf).with_port(8090, app.port()).await;
    for (number, family) in families.iter().enumerate() {
        let from = format!("127.0.1.{number}");
        server.get(&format!("/{family}?from={from}")).await.is(502);
        let mut seen = seen.lock().expect("no panic before");
        assert!(!seen.is_empty() && seen.drain(..).all(|seen| seen == from), "{family}");
    }
}

#[tokio::test]
async fn what_cannot_be_bound_is_refused() {
    for (words, fault) in [
        ("proxy_bind nowhere;", "invalid address \"nowhere\""),
        ("proxy_bind off transparent;", "invalid address \"off\""),
        ("uwsgi_bind 127.0.0.1 sometimes;", "invalid parameter \"sometimes\""),
    ] {
        let (good, text) =
            Tidegate::start(&format!("{words} server {{ listen 127.0.0.1:8080; }}")).check(&["-t"]);
        assert!(!good && text.contains(fault), "{words}: {text}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_used_for_its_own_address_alone() {
    let server = Tidegate::start(
        r#"server { listen 127.0.0.1:8081; return 200 "$remote_addr "; }
        upstream app { server 127.0.0.1:8081; keepalive 4; }
        server { listen 127.0.0.1:8080; location / { proxy_pass http://app; proxy_bind $arg_from; } }"#,
    )
    .await;
    for from in ["127.0.0.7", "127.0.0.8", "127.0.0.7", "", "127.0.0.8"] {
        let seen = if from.is_empty() { "127.0.0.1" } else { from };
        server.at(8080).get(&format!("/?from={from}")).await.is(200).says(format!("{seen} "));
    }
}

/// Runs tests in a net of their own, where what is sent to 192.0.2.0/24 comes back.
fn run_apart(tests: &[&str]) {
    let tools =
        ["unshare", "ip"].map(|tool| std::process::Command::new(tool).arg("--help").output());
    if !rustix::process::geteuid().is_root() || tools.iter().any(Result::is_err) {
        eprintln!("skipped: a net of its own takes root, unshare and ip");
        return;
    }
    let net = "ip link set lo up && ip route add local 192.0.2.0/24 dev lo table 100 && \
        ip rule add pref 100 lookup 100 && exec \"$@\"";
    let output = std::process::Command::new("unshare")
        .args(["-n", "sh", "-c", net, "sh"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "--test-threads", "1"])
        .args(tests)
        .env("TIDEGATE_APART", "1")
        .output()
        .expect("unshare");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let passed = format!("{} passed", tests.len());
    assert!(output.status.success() && text.contains(&passed), "{text}");
}

#[test]
fn the_address_of_another_machine_may_be_taken() {
    run_apart(&["bind::taken_apart", "oracle::bind::apart"]);
}

/// The rights of the worker process.
fn rights(server: &Tidegate) -> String {
    let workers = process::children(server.pid());
    let status = std::fs::read_to_string(format!("/proc/{}/status", workers.last().expect("one")));
    let status = status.expect("a worker process");
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:\t"));
    line.expect("rights").to_owned()
}

#[tokio::test]
#[ignore = "runs in a net of its own"]
async fn taken_apart() {
    if std::env::var_os("TIDEGATE_APART").is_none() {
        return;
    }
    let conf = |transparent: &str| {
        format!(
            "user nobody nogroup; events {{}} error_log logs/error.log info; http {{
                # What the next one kept would keep the former one.
                server {{ listen 127.0.0.1:8081; keepalive_timeout 0; return 200 \"$remote_addr \"; }}
                server {{ listen 127.0.0.1:8080; location / {{
                    proxy_pass http://127.0.0.1:8081; proxy_bind $arg_from {transparent}; }} }} }}"
        )
    };
    let mut server = Tidegate::start(&conf("")).await;
    server.at(8080).get("/?from=192.0.2.7").await.is(500);
    assert_eq!(rights(&server), "0000000000000000");
    server.logs("bind() failed (99: Cannot assign requested address) while connecting to upstream (proxy_bind names an address of another machine, which takes `transparent`)").await;
    server.reload(&conf("transparent"));
    // From then on the former one takes no connection, which it would keep for the next request.
    server.logs("the new configuration holds").await;
    eventually("the former one is gone", async || process::children(server.pid()).len() == 1).await;
    for from in ["192.0.2.7", "192.0.2.8", "192.0.2.7"] {
        server.at(8080).get(&format!("/?from={from}")).await.is(200).says(format!("{from} "));
    }
    // To send as another, and nothing else of root's.
    assert_eq!(rights(&server), "0000000000002000");
    server.reload(&conf(""));
    eventually("the right is given up", async || rights(&server) == "0000000000000000").await;
}

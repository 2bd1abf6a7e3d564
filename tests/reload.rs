//! Reloading: what succeeds drops nothing, and what fails changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate, eventually, process, tls};

fn says(word: &str) -> String {
    format!("server {{ listen 127.0.0.1:8080; location / {{ return 200 {word}; }} }}")
}

#[tokio::test]
async fn a_reload_under_load_loses_no_request() {
    let mut server = Tidegate::start(&says("word0")).await;
    let client = server.at(8080);
    client.get("/").await.says("word0");
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..4)
        .map(|number| {
            let stop = stop.clone();
            // nginx closes idle connections in a race with the next request; tidegate does not.
            let keeps = number % 2 == 0 && process::is_ours();
            tokio::spawn(async move {
                let mut count = 0;
                let mut connection = client.connect().await;
                while !stop.load(Ordering::Relaxed) {
                    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
                    let answer = connection.answer().await;
                    assert!(answer.text().starts_with("word"), "{answer:?}");
                    count += 1;
                    if !keeps || !answer.keeps_alive() {
                        connection = client.connect().await;
                    }
                }
                count
            })
        })
        .collect();
    for number in 1..=5 {
        let word = format!("word{number}");
        server.reload(&says(&word));
        eventually(&word, || async { client.get("/").await.text() == word }).await;
    }
    stop.store(true, Ordering::Relaxed);
    for worker in workers {
        assert!(worker.await.expect("no request is lost") > 0);
    }
}

#[tokio::test]
async fn a_bad_reload_changes_nothing() {
    let mut server = Tidegate::start(&says("old")).await;
    server.get("/").await.says("old");
    server.reload("server { listen 127.0.0.1:8080; no_such_directive on; }");
    server.logs("unknown directive \"no_such_directive\"").await;
    server.get("/").await.is(200).says("old");
    server.reload(&says("new"));
    eventually("the mended configuration", || async { server.get("/").await.text() == "new" })
        .await;
}

#[tokio::test]
async fn a_request_in_progress_keeps_its_configuration() {
    let backend = Backend::raw(|mut stream| async move {
        let mut buffer = [0; 1024];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nbegu").await;
        // The rest comes once the test connects again.
        let mut byte = [0];
        let _ = stream.read(&mut byte).await;
    })
    .await;
    let conf = |word: &str| {
        format!(
            "server {{
                listen 127.0.0.1:8080;
                location /word {{ return 200 {word}; }}
                location / {{ proxy_buffering off; add_header X-Word {word}; proxy_pass http://127.0.0.1:8090; }}
            }}"
        )
    };
    let mut server = Tidegate::start(&conf("old")).with_port(8090, backend.port()).await;
    let mut slow = server.connect().await;
    slow.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let begun = slow.until("begu").await;
    server.reload(&conf("new"));
    eventually("the new one", || async { server.get("/word").await.text() == "new" }).await;
    assert!(begun.contains("X-Word: old"), "{begun}");
}

#[tokio::test]
async fn ports_come_and_go() {
    let mut server = Tidegate::start(&says("one")).await;
    server.get("/").await.says("one");
    let second = server.name_port(8081);
    server.reload(&says("two").replace("listen", "listen 127.0.0.1:8081; listen"));
    let other = crate::harness::Client::of_port(second);
    eventually("the new port", || async { other.is_open().await }).await;
    other.get("/").await.says("two");
    server.reload(&says("three"));
    eventually("the port is closed", || async { !other.is_open().await }).await;
    server.get("/").await.says("three");
}

#[tokio::test]
async fn a_hangup_without_change_is_harmless() {
    let server = Tidegate::start(&says("same")).await;
    server.get("/").await.says("same");
    for _ in 0..3 {
        server.signal(Signal::HUP);
        server.get("/").await.says("same");
    }
}

#[tokio::test]
async fn what_takes_a_restart_is_told() {
    let conf = |daemon: &str| {
        format!(
            "daemon {daemon}; error_log logs/error.log warn; events {{}} http {{ {} }}",
            says("same")
        )
    };
    let mut server = Tidegate::start(&conf("off")).await;
    if !process::is_ours() {
        return;
    }
    server.get("/").await.says("same");
    server.put_conf(&conf("on"));
    let output = server.command(&["-s", "reload"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = "\"daemon\" has changed, which takes a restart";
    assert!(output.status.success() && said.contains(told), "{output:?}");
    server.logs(told).await;
    server.get("/").await.says("same");
}

#[tokio::test]
async fn a_fault_in_any_step_changes_nothing() {
    if !process::is_ours() {
        return;
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port();
    let conf = |main: &str, http: &str| {
        format!(
            "{main} error_log logs/error.log info; events {{}} http {{ access_log logs/access.log; {http} }}"
        )
    };
    let old = "listen 127.0.0.1:8080; listen unix:s.sock;";
    let good = |word: &str, listen: &str| {
        format!("server {{ {old} {listen} location / {{ return 200 {word}; }} }}")
    };
    let mut server = Tidegate::start(&conf("", &good("old", "")))
        .with_certificate(&["a"])
        .with_prefix_file("other.pem", "no certificate")
        .with_prefix_file("folder/x", "")
        .await;
    server.get("/").await.says("old");
    let more = crate::harness::Client::of_port(server.name_port(8081));
    let new = "listen 127.0.0.1:8081; listen unix:new.sock;";
    let open = |server: &Tidegate| {
        std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count()
    };
    let before = (open(&server), process::children(server.pid()));
    let tls = |pem: &str| {
        format!(
            "{} server {{ listen 127.0.0.1:8081 ssl; ssl_certificate {pem}; ssl_certificate_key key.pem; }}",
            good("new", "listen unix:new.sock;")
        )
    };
    let steps = [
        (conf("", &(good("new", new) + " nonsense;")), "unknown directive \"nonsense\""),
        (conf("", &tls("other.pem")), "other.pem"),
        (conf("", &tls("none.pem")), "none.pem"),
        (conf("", &(good("new", new) + " access_log no/where.log;")), "no/where.log\" failed"),
        // Whether the good socket or the bad one comes first.
        (conf("", &good("new", &format!("{new} listen 192.0.2.1:81;"))), "bind() to 192.0.2.1:81"),
        (conf("", &good("new", &format!("listen 192.0.2.1:81; {new}"))), "bind() to 192.0.2.1:81"),
        (
            conf("", &good("new", &format!("{new} listen 127.0.0.1:{taken};"))),
            "still could not bind",
        ),
        (conf("pid folder;", &good("new", new)), "folder\" failed"),
    ];
    for (broken, says) in steps {
        server.put_conf(&broken);
        let output = server.command(&["-s", "reload"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{says}: {said}");
        // The command reads the configuration as well; a hangup reaches the server.
        let lines = || server.error_log().matches("the old configuration holds on").count();
        let told = lines();
        if !says.contains("still") {
            server.signal(Signal::HUP);
            eventually("it is told", || async { lines() > told }).await;
        }
        server.get("/").await.says("old");
        assert!(!more.is_open().await, "{says}");
        assert!(!server.folder().join("new.sock").exists(), "{says}");
        assert!(server.folder().join("s.sock").exists(), "{says}");
        let mut connection =
            crate::harness::Connection::unix(&server.folder().join("s.sock")).await;
        connection.send("GET / HTTP/1.0\r\n\r\n").await;
        connection.answer().await.says("old");
    }
    eventually("nothing is left open", || async { open(&server) <= before.0 }).await;
    assert_eq!(process::children(server.pid()), before.1);
    server.put_conf(&conf("", &good("new", new)));
    eventually("the mended one", || async {
        server.command(&["-s", "reload"]).status.success() && server.get("/").await.text() == "new"
    })
    .await;
    assert!(more.is_open().await);
}

#[tokio::test]
async fn sessions_and_idle_connections_to_upstreams_are_kept() {
    let backend = Backend::http(|_| crate::harness::backend::ok("here")).await;
    let conf = |word: &str| {
        format!(
            "upstream app {{ server 127.0.0.1:8090; keepalive 4; }}
             server {{
                 listen 127.0.0.1:8080;
                 location /word {{ return 200 {word}; }}
                 location / {{ proxy_http_version 1.1; proxy_set_header Connection ''; proxy_pass http://app; }}
             }}
             server {{
                 listen 127.0.0.1:8443 ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem;
                 return 200 \"reused=$ssl_session_reused\";
             }}"
        )
    };
    let mut server = Tidegate::start(&conf("one"))
        .with_port(8090, backend.port())
        .with_certificate(&["localhost"])
        .await;
    if !process::is_ours() {
        return;
    }
    let port = server.port(8443);
    let over_tls = async |server: &Tidegate, options: &str| {
        let words = format!("s_client -connect 127.0.0.1:{port} -quiet -no_ign_eof {options}");
        tls::openssl(server.folder(), &words, "GET / HTTP/1.0\r\n\r\n").await
    };
    server.get("/").await.says("here");
    let first = over_tls(&server, "-sess_out s").await;
    assert!(first.contains("reused=."), "{first}");
    for number in 0..3 {
        let word = format!("word{number}");
        server.reload(&conf(&word));
        eventually(&word, || async { server.get("/word").await.text() == word }).await;
        server.get("/").await.says("here");
        let again = over_tls(&server, "-sess_in s").await;
        assert!(again.contains("reused=r"), "{again}");
    }
    assert_eq!(backend.connections(), 1);
}

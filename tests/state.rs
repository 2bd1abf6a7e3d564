//! state, zone: a group whose servers stand in a file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::harness::{Backend, Tidegate, backend, eventually, process};

#[tokio::test]
async fn servers_are_read_from_their_file() {
    let [one, two] = ["one", "two"].map(|name| Backend::http(move |_| backend::ok(name)));
    let (one, two) = (one.await, two.await);
    let line = |backend: &Backend| format!("server 127.0.0.1:{} weight=3;\n", backend.port());
    let conf = "upstream app { zone app 64k; state app.servers; }
        server { listen 127.0.0.1:8080; location / { proxy_pass http://app; } }";
    let mut server = Tidegate::start(conf).await;
    // There is no file yet, nor anybody to ask.
    server.get("/").await.is(502);
    server.logs("no live upstreams while connecting to upstream (of 0 servers)").await;
    std::fs::write(server.folder().join("app.servers"), line(&one)).unwrap();
    server.reload(conf);
    eventually("the file is read", || async { server.get("/").await.text() == "one" }).await;
    std::fs::write(server.folder().join("app.servers"), line(&one) + &line(&two)).unwrap();
    server.reload(conf);
    eventually("it is read again", || async { server.get("/").await.text() == "two" }).await;
}

#[test]
fn what_is_no_list_of_servers_is_refused() {
    for (lines, words, fault) in [
        ("listen 80;", "", "directive \"listen\" is not allowed in the state file"),
        ("server 127.0.0.1:1 weight=x;", "", "invalid parameter \"weight=x\""),
        ("server 127.0.0.1:1", "", "in the state file \""),
        ("", "server 127.0.0.1:8090;", "\"state\" stands in place of \"server\""),
    ] {
        let conf = format!(
            "upstream app {{ state app.servers; {words} }} server {{ listen 127.0.0.1:8080; }}"
        );
        let start = Tidegate::start(&conf).with_prefix_file("app.servers", lines);
        let (good, text) = start.check(&["-t"]);
        assert!(!good && text.contains(fault), "{lines}: {text}");
    }
}

/// Asks the running server, and tells whether it was done, and what was said.
async fn upstream(server: &Tidegate, words: &[&str]) -> (bool, String) {
    let mut command = process::command(&process::binary(), server.folder());
    command.arg("upstream").args(words);
    // The clients of this test go on meanwhile.
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("no panic").expect("the binary can be run");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The same, of what is done.
async fn done(server: &Tidegate, words: &[&str]) -> String {
    let (good, said) = upstream(server, words).await;
    assert!(good, "{words:?}: {said}");
    said
}

const KEPT: &str = "upstream app { state app.servers; }
    server { listen 127.0.0.1:8080; location / { proxy_pass http://app; } }";

#[tokio::test]
async fn servers_are_changed_while_it_runs_and_kept() {
    let [one, two] = ["one", "two"].map(|name| Backend::http(move |_| backend::ok(name)));
    let (one, two) = (one.await, two.await);
    let [first, second] = [&one, &two].map(|backend| format!("127.0.0.1:{}", backend.port()));
    let mut server = Tidegate::start(KEPT).await;
    let file = server.folder().join("app.servers");
    let kept = || std::fs::read_to_string(&file).unwrap_or_default();
    server.get("/").await.is(502);
    let said = done(&server, &["app", "add", &format!("server {first} weight=2;")]).await;
    let place = file.display();
    assert_eq!(
        said,
        format!("upstream app: server {first} weight=2 is added, kept in \"{place}\"\n")
    );
    server.get("/").await.is(200).says("one");
    assert_eq!(kept(), format!("server {first} weight=2;\n"));
    done(&server, &["APP", "add", &second, "max_fails=0"]).await;
    let mut both =
        [server.get("/").await.text(), server.get("/").await.text(), server.get("/").await.text()];
    both.sort();
    assert_eq!(both, ["one", "one", "two"]);
    // Down, it is asked by nobody; those who are kept with it ask one that drains.
    done(&server, &["app", "down", &first]).await;
    for _ in 0..3 {
        server.get("/").await.is(200).says("two");
    }
    let lines = format!("server {first} weight=2 down;\nserver {second} max_fails=0;\n");
    assert_eq!(kept(), lines);
    let expected = format!(
        "servers, kept in \"{place}\":\n  server {first} weight=2 down;\n  server {second} max_fails=0;\n\
         upstream app:\n  {first} down, 0 connections\n  {second} up, 0 connections\n"
    );
    eventually("it is listed", || async { done(&server, &["app"]).await == expected }).await;
    done(&server, &["app", "drain", &second]).await;
    let drains = format!(
        "upstream app:\n  {first} down, 0 connections\n  {second} draining, 0 connections\n"
    );
    eventually("all are listed", || async { done(&server, &[]).await == drains }).await;
    done(&server, &["app", "up", &first]).await;
    // A reload reads what was written.
    server.reload(KEPT);
    server.logs("the new configuration holds").await;
    assert_eq!(kept(), format!("server {first} weight=2;\nserver {second} max_fails=0 drain;\n"));
    server.get("/").await.is(200).says("one");
    done(&server, &["app", "remove", &second]).await;
    assert_eq!(kept(), format!("server {first} weight=2;\n"));
    server.get("/").await.is(200).says("one");
    server.logs(&format!("upstream app: server {second} is removed, kept in ")).await;
}

#[tokio::test]
async fn a_change_that_cannot_be_kept_leaves_nothing_open() {
    let server = Tidegate::start(KEPT).await;
    let open = format!("/proc/{}/fd", process::serving(server.pid()));
    let open = || std::fs::read_dir(&open).expect("a process").count();
    let before = open();
    std::fs::create_dir(server.folder().join("app.servers")).expect("a folder");
    let (good, said) = upstream(&server, &["app", "add", "127.0.0.1:1"]).await;
    assert!(!good && said.contains("rename() to \""), "{said}");
    eventually("it is forgotten", || async { open() <= before }).await;
}

#[tokio::test]
async fn without_a_file_a_change_lasts_until_the_next_reload() {
    let [one, two] = ["one", "two"].map(|name| Backend::http(move |_| backend::ok(name)));
    let (one, two) = (one.await, two.await);
    let conf = "upstream app { server 127.0.0.1:8090; }
        server { listen 127.0.0.1:8080; location / { proxy_pass http://app; } }";
    let mut server = Tidegate::start(conf).with_port(8090, one.port()).await;
    let [first, second] = [&one, &two].map(|backend| format!("127.0.0.1:{}", backend.port()));
    let said = done(&server, &["app", "add", &second]).await;
    assert!(said.ends_with(" is added, until the next reload: it has no `state`\n"), "{said}");
    done(&server, &["app", "remove", &first]).await;
    for _ in 0..3 {
        server.get("/").await.is(200).says("two");
    }
    // So it is for a worker process that takes the place of one that has died.
    let before = process::serving(server.pid());
    if before != server.pid() {
        let pid = rustix::process::Pid::from_raw(before).expect("a process");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
        eventually("another one serves", || async {
            process::children(server.pid()).iter().any(|child| *child != before)
        })
        .await;
        server.logs(&format!("worker process {before} ended")).await;
        eventually("it answers", || async { done(&server, &["app"]).await.contains(" up, ") })
            .await;
        server.get("/").await.is(200).says("two");
    }
    server.reload(conf);
    server.logs("the new configuration holds").await;
    server.get("/").await.is(200).says("one");
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let one = Backend::http(|_| backend::ok("one")).await;
    let server = Tidegate::start(
        "upstream app { server 127.0.0.1:8090; }
         upstream hashed { ip_hash; server 127.0.0.1:8090; }
         server { listen 127.0.0.1:8080; location / { proxy_pass http://app; } }",
    )
    .with_port(8090, one.port())
    .await;
    let first = format!("127.0.0.1:{}", one.port());
    for (words, fault) in [
        (&["apq"][..], "there is no upstream \"apq\"; did you mean `app`?"),
        (&["app", "add", &first], "is there already"),
        (&["app", "add", "127.0.0.1:1 wait=2"], "invalid parameter \"wait=2\"; known: weight="),
        (&["app", "add", "127.0.0.1:1 weight=x"], "invalid parameter \"weight=x\""),
        (&["app", "remove", &first], "is the last one that is no backup: add another one first"),
        (&["app", "down", "127.0.0.1:1"], "there is no server 127.0.0.1:1; there are: "),
        (&["app", "grow"], "\"grow\" is no change of a group; known: add "),
        (&["app", "add", "a\tb"], "a word has a control character"),
        (&["app", "add", &"x".repeat(5000)], "that is more than 4096 bytes"),
        (&["hashed", "add", "127.0.0.1:1 backup"], "does not support parameter \"backup\""),
    ] {
        let (good, said) = upstream(&server, words).await;
        assert!(!good && said.contains(fault), "{words:?}: {said}");
    }
    let listed = done(&server, &["app"]).await;
    let lines = format!("servers, until the next reload: it has no `state`:\n  server {first};\n");
    assert!(listed.starts_with(&lines), "{listed}");
    server.get("/").await.is(200).says("one");
}

#[tokio::test]
async fn no_request_is_lost_by_changes() {
    let held = Arc::new(Notify::new());
    let asked = Arc::new(AtomicBool::new(false));
    let (release, seen) = (Arc::clone(&held), Arc::clone(&asked));
    let slow = Backend::raw(move |mut stream| {
        let (held, asked) = (Arc::clone(&release), Arc::clone(&seen));
        async move {
            let mut buffer = [0; 4096];
            while let Ok(1..) = stream.read(&mut buffer).await {
                if buffer.starts_with(b"GET /held") {
                    asked.store(true, Ordering::Relaxed);
                    held.notified().await;
                }
                let answer = backend::ok("slow");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    let quick = Backend::http(|_| backend::ok("quick")).await;
    let server = Tidegate::start(KEPT)
        .with_prefix_file("app.servers", format!("server 127.0.0.1:{};", slow.port()))
        .await;
    let [slow, quick] = [&slow, &quick].map(|backend| format!("127.0.0.1:{}", backend.port()));
    let mut patient = server.connect().await;
    patient.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("it is asked", || async { asked.load(Ordering::Relaxed) }).await;
    done(&server, &["app", "add", &quick]).await;
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (client, over) = (server.at(8080), Arc::clone(&over));
            tokio::spawn(async move {
                let mut connection = client.connect().await;
                let mut count = 0;
                while !over.load(Ordering::Relaxed) {
                    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
                    connection.answer().await.is(200);
                    count += 1;
                }
                count
            })
        })
        .collect();
    for _ in 0..3 {
        done(&server, &["app", "remove", &slow]).await;
        server.get("/").await.is(200).says("quick");
        done(&server, &["app", "add", &slow]).await;
        done(&server, &["app", "down", &quick]).await;
        server.get("/").await.is(200).says("slow");
        done(&server, &["app", "up", &quick]).await;
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.await.expect("every answer is a 200") > 0);
    }
    // One whose server has gone and come back meanwhile.
    held.notify_one();
    patient.answer().await.is(200).says("slow");
}

#[tokio::test]
async fn who_has_passed_its_check_need_not_pass_it_again() {
    // Each check but the first of all is never answered.
    let checks = Arc::new(AtomicBool::new(true));
    let [first, second] = ["first", "second"].map(|name| {
        let checks = Arc::clone(&checks);
        Backend::raw(move |mut stream| {
            let checks = Arc::clone(&checks);
            async move {
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer).await {
                    if buffer.starts_with(b"GET /well") && !checks.swap(false, Ordering::Relaxed) {
                        let _ = stream.read(&mut buffer).await;
                        return;
                    }
                    if stream.write_all(backend::ok(name).as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        })
    });
    let (first, second) = (first.await, second.await);
    let server = Tidegate::start(
        "upstream app { server 127.0.0.1:8090; }
         server { listen 127.0.0.1:8080; location / {
             proxy_pass http://app; health_check interval=1h uri=/well mandatory; } }",
    )
    .with_port(8090, first.port())
    .await;
    let status = |port: u16, state: &str| format!("  127.0.0.1:{port} {state}, 0 connections\n");
    let up = status(first.port(), "up");
    eventually("it is checked", || async { done(&server, &["app"]).await.contains(&up) }).await;
    done(&server, &["app", "add", &format!("127.0.0.1:{}", second.port())]).await;
    let both = up + &status(second.port(), "checking");
    eventually("both are listed", || async { done(&server, &["app"]).await.contains(&both) }).await;
    for _ in 0..2 {
        server.get("/").await.is(200).says("first");
    }
}

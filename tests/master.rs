//! The master keeps root's rights, and the worker process that serves has none: logs are opened,
//! files are read and sockets are bound for it, and one that dies is replaced.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Client, Load, Tidegate, eventually, process};

/// A server whose worker process is nobody's; `None`, told, without root's rights.
async fn split(http: &str) -> Option<Tidegate> {
    if !process::is_ours() {
        return None;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root has two processes");
        return None;
    }
    Some(Tidegate::start(&whole(http)).await)
}

fn whole(http: &str) -> String {
    format!(
        "user nobody; error_log logs/error.log info; events {{}}
         http {{ access_log logs/access.log; {http} }}"
    )
}

fn says(word: &str) -> String {
    format!("server {{ listen 127.0.0.1:8080; location / {{ return 200 {word}; }} }}")
}

/// The number of the process that serves.
fn worker(server: &Tidegate) -> Option<i32> {
    process::children(server.pid()).last().copied()
}

#[tokio::test]
async fn logs_in_a_folder_of_roots_are_opened_anew() {
    let Some(server) = split(&says("here")).await else { return };
    let path = |name: &str| server.folder().join("logs").join(name);
    server.get("/before").await.is(200);
    server.access_log(1).await;
    for log in ["access.log", "error.log"] {
        std::fs::rename(path(log), path(&format!("{log}.1"))).unwrap();
    }
    assert!(server.command(&["-s", "reopen"]).status.success());
    eventually("the new log is written to", || async {
        server.get("/after").await.is(200);
        server.read("logs/access.log").contains("/after")
    })
    .await;
    assert!(server.read("logs/access.log.1").contains("/before"));
    assert!(!server.read("logs/access.log").contains("/before"));
}

#[tokio::test]
async fn a_reload_reads_and_binds_with_roots_rights() {
    use std::os::unix::fs::PermissionsExt;

    let Some(mut server) = split(&says("one")).await else { return };
    server.get("/").await.says("one");
    let secret = server.folder().join("secret.conf");
    std::fs::write(&secret, "return 200 two;").unwrap();
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::set_permissions(server.folder(), PermissionsExt::from_mode(0o700)).unwrap();
    let port = server.name_port(8081);
    server.reload(&whole(
        "access_log logs/other.log;
         server { listen 127.0.0.1:8080; listen 127.0.0.1:8081; include secret.conf; }",
    ));
    eventually("the new configuration holds", || async { server.get("/").await.text() == "two" })
        .await;
    Client::of_port(port).get("/").await.says("two");
    assert!(server.folder().join("logs/other.log").exists());
}

#[tokio::test]
async fn what_cannot_be_opened_changes_nothing() {
    let Some(mut server) = split(&says("one")).await else { return };
    server.get("/").await.says("one");
    server.reload(&whole(&format!("access_log nowhere/access.log; {}", says("two"))));
    server.logs("nowhere/access.log\" failed (2: No such file or directory)").await;
    server.logs("the old configuration holds on").await;
    server.get("/").await.says("one");
}

/// What `status` says of the connections of each worker.
fn each(server: &Tidegate) -> Vec<u32> {
    let output = server.command(&["status"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| Some(line.split_once("of each worker: ")?.1));
    line.unwrap_or_default().split(' ').filter_map(|number| number.parse().ok()).collect()
}

#[tokio::test]
async fn what_concerns_the_worker_process_is_taken_up_without_a_loss() {
    let conf = |said: &str| {
        format!(
            "{said} error_log logs/error.log info; events {{}} http {{ access_log off; {} }}",
            says("word")
        )
    };
    if split("").await.is_none() {
        return;
    }
    let mut server = Tidegate::start(&conf("user nobody; worker_processes 1;")).await;
    server.get("/").await.says("word");
    let load = Load::on(server.at(8080));
    let first = worker(&server);
    let limit = |pid: Option<i32>| {
        let text = std::fs::read_to_string(format!("/proc/{}/limits", pid.unwrap())).unwrap();
        text.lines().find(|line| line.starts_with("Max open files")).unwrap().to_owned()
    };
    let changes = [
        ("user nobody; worker_processes 4;", 4),
        ("user nobody; worker_processes 2; worker_rlimit_nofile 555;", 2),
        ("user daemon; worker_processes 2; worker_rlimit_nofile 444;", 2),
    ];
    for (said, workers) in changes {
        server.put_conf(&conf(said));
        let output = server.command(&["-s", "reload"]);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(each(&server).len(), workers, "{said}");
        let (asked, other) = (load.asked(), said.contains("daemon"));
        eventually("they serve", || async { load.asked() > asked + 20 }).await;
        assert_eq!(worker(&server) != first, other, "{said}");
        if workers == 2 {
            let wanted = if other { " 444 " } else { " 555 " };
            eventually("the limit", || async { limit(worker(&server)).contains(wanted) }).await;
        }
    }
    eventually("the old one ends", || async { process::children(server.pid()).len() == 1 }).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", worker(&server).unwrap()));
    assert!(status.unwrap().contains("Uid:\t1\t"), "it is daemon's");
    server.logs("\"user\" has changed: another worker process serves").await;
    load.end().await;
}

#[tokio::test]
async fn a_worker_that_has_much_to_tell_of_servers_lives_on() {
    let groups = (0..200).map(|group| {
        let servers = (0..200).map(|server| format!("server 127.1.{group}.{server}:10000;"));
        format!("upstream app{group} {{ {} }}", servers.collect::<String>())
    });
    let Some(server) = split(&(groups.collect::<String>() + &says("here"))).await else { return };
    let pid = worker(&server);
    for words in [&["status"][..], &["upstream"]] {
        let output = server.command(words);
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(told.matches(" up, 0 connections\n").count(), 40_000);
    }
    server.get("/").await.is(200).says("here");
    assert_eq!(worker(&server), pid);
}

#[tokio::test]
async fn connections_are_spread_evenly_over_workers() {
    let conf = "worker_processes 4; error_log logs/error.log info; events {}
                http { access_log off; server { listen 127.0.0.1:8080; return 200 ok; } }";
    let server = Tidegate::start(conf).await;
    if !process::is_ours() {
        return;
    }
    let mut open = Vec::new();
    for _ in 0..200 {
        let mut connection = server.connect().await;
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        open.push(connection);
    }
    for connection in &mut open {
        connection.answer().await.is(200);
    }
    let each = each(&server);
    assert!(each.len() == 4 && each.iter().all(|few| (35..=65).contains(few)), "{each:?}");
    assert_eq!(each.iter().sum::<u32>(), 200, "{each:?}");
}

#[tokio::test]
async fn a_worker_that_stands_still_is_told_of() {
    let Some(server) = split(&says("here")).await else { return };
    server.get("/").await.says("here");
    let pid = Pid::from_raw(worker(&server).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    tokio::time::sleep(Duration::from_millis(1150)).await;
    kill_process(pid, Signal::CONT).unwrap();
    server.logs(" connections stood still for ").await;
    server.get("/").await.says("here");
}

#[tokio::test]
async fn what_a_worker_was_at_when_it_stood_still_is_told() {
    // Each looks at every byte for hundreds of places where it may be in the expression.
    let map =
        |number: u32| format!("map $args $m{number} {{ \"~a[ab]{{30{number}}}[c-z]\" found; }}\n");
    let maps = (0..8).map(map).collect::<Vec<_>>().concat();
    let values = (0..8).map(|number| format!("$m{number}")).collect::<Vec<_>>().concat();
    let conf = format!(
        "{maps} server {{ listen 127.0.0.1:8080; location /heavy {{ return 200 done{values}; }}
         location / {{ return 200 here; }} }}"
    );
    let server = Tidegate::start(&conf).await;
    if !process::is_ours() {
        return;
    }
    let mut state = 1_u32;
    let mut letter = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
        if state & 0x1_0000 == 0 { 'a' } else { 'b' }
    };
    let letters: String = (0..7000).map(|_| letter()).collect();
    let mut patient = server.connect().await.with_patience(Duration::from_mins(1));
    patient.send(format!("GET /heavy?{letters} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    patient.answer().await.says("done");
    server.logs(" ms, answering \"GET /heavy?").await;
    server.get("/").await.says("here");
}

#[tokio::test]
async fn a_worker_that_dies_is_replaced_at_once() {
    let Some(server) = split(&says("here")).await else { return };
    server.get("/").await.says("here");
    for (signal, words) in [(Signal::KILL, "signal: 9"), (Signal::SEGV, "signal: 11")] {
        let before = worker(&server).expect("a worker");
        eventually("another worker", || async {
            // A fault that is sent, not made, is overlooked once by the language's own handler.
            let _ = kill_process(Pid::from_raw(before).unwrap(), signal);
            worker(&server).is_some_and(|now| now != before)
        })
        .await;
        // The socket is open all the time; nobody is refused.
        server.get("/").await.says("here");
        server.logs(&format!("worker process {before} ended ({words}")).await;
    }
}

#[tokio::test]
async fn workers_that_die_at_once_are_followed_after_pauses_that_grow() {
    let Some(server) = split(&says("here")).await else { return };
    let pauses = || -> Vec<u32> {
        let log = server.error_log();
        let told = log.split("another is started in ").skip(1);
        told.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect()
    };
    eventually("the pause grows", || async {
        if let Some(worker) = worker(&server) {
            let _ = kill_process(Pid::from_raw(worker).unwrap(), Signal::KILL);
        }
        pauses().windows(2).any(|both| both[0] < both[1])
    })
    .await;
    // Whoever comes meanwhile is served by the next one.
    server.get("/").await.says("here");
}

#[tokio::test]
async fn a_worker_serves_on_when_the_master_has_died() {
    let Some(mut server) = split(&says("here")).await else { return };
    server.get("/").await.says("here");
    let worker = worker(&server).expect("a worker");
    server.signal(Signal::KILL);
    server.ends().await;
    server.get("/").await.says("here");
    server.logs("the master process has ended").await;
    kill_process(Pid::from_raw(worker).unwrap(), Signal::QUIT).unwrap();
    eventually("it ends", || async { !server.is_open().await }).await;
}

//! Connections of HTTP/2 to upstreams are used by other workers than the one that drives them.

use crate::harness::{Backend, Connection, Tidegate, eventually, process, tls};

/// Some of the groups, all of the same server: each has connections of its own.
const GROUPS: usize = 20;

/// More of them, which are used only where that is said.
const SPARE: std::ops::Range<usize> = GROUPS..GROUPS + 3;

fn conf(workers: usize, scheme: &str) -> String {
    let group = |number: usize| format!("upstream app{number} {{ server 127.0.0.1:8090; }}");
    let groups = (0..SPARE.end).map(group).collect::<Vec<_>>().join("\n");
    format!(
        "worker_processes {workers}; error_log logs/error.log info; events {{}}
         http {{ {groups} server {{ listen 127.0.0.1:8080;
             location / {{ grpc_pass {scheme}://$arg_to; }}
             location /proxied {{ proxy_pass {with}://$arg_to; proxy_http_version 2;
                 proxy_request_buffering off; }} }} }}",
        with = if scheme == "grpc" { "http" } else { "https" },
    )
}

async fn app(is_encrypted: bool) -> Backend {
    let made = tls::certificate(&["localhost"]);
    let answer = |_: &str| "200\ngrpc-status: 0\n\napp".to_owned();
    Backend::http2_over(is_encrypted.then_some(&made), answer).await
}

/// What `status` says of the connections of each worker.
fn each(server: &Tidegate) -> Vec<usize> {
    let output = server.command(&["status"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| Some(line.split_once("of each worker: ")?.1));
    line.unwrap_or_default().split(' ').filter_map(|number| number.parse().ok()).collect()
}

/// Connections until two workers have some: the worker and the connection.
async fn connections(server: &Tidegate) -> Vec<(usize, Connection)> {
    let settled = async |wanted: usize| {
        eventually("they are counted", || async { each(server).iter().sum::<usize>() == wanted })
            .await;
        each(server)
    };
    let mut before = settled(0).await;
    let mut open: Vec<(usize, Connection)> = Vec::new();
    while before.iter().filter(|count| **count > 0).count() < 2 {
        let connection = server.connect().await;
        let after = settled(open.len() + 1).await;
        let worker = after.iter().zip(&before).position(|(after, before)| after > before);
        open.push((worker.expect("a worker has it"), connection));
        before = after;
    }
    open
}

/// The threads of the process that serves which are workers.
fn workers(server: &Tidegate) -> usize {
    let tasks = format!("/proc/{}/task", process::serving(server.pid()));
    let names = std::fs::read_dir(tasks)
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("worker ")).count()
}

async fn asks(connection: &mut Connection, path: &str, group: usize) {
    connection.send(format!("GET {path}?to=app{group} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    connection.answer().await.is(200).says("app");
}

#[tokio::test]
async fn whichever_worker_needs_one_uses_it() {
    if !process::is_ours() {
        return;
    }
    for (scheme, path) in [("grpc", "/"), ("grpcs", "/proxied")] {
        let app = app(scheme == "grpcs").await;
        let server = Tidegate::start(&conf(4, scheme)).with_port(8090, app.port()).await;
        let mut clients = connections(&server).await;
        let mut used = Vec::new();
        for group in 0..GROUPS {
            let before = app.connections();
            for _ in 0..2 {
                for (_, client) in &mut clients {
                    asks(client, path, group).await;
                }
            }
            used.push(app.connections() - before);
            // An answer is there a moment before its connection is idle.
            if used.last() == Some(&1) {
                break;
            }
        }
        assert_eq!(used.last(), Some(&1), "each worker has its own over {scheme}: {used:?}");
    }
}

/// Begins a request by a connection of one worker over what another one drives; the connection.
async fn lent<'a>(
    clients: &'a mut [(usize, Connection)],
    app: &Backend,
    path: &str,
) -> &'a mut Connection {
    let place = |worker| clients.iter().position(|(its, _)| *its == worker).expect("one of each");
    let (borrower, lender) = (place(0), place(1));
    for group in 0..GROUPS {
        // One that has carried two requests is trusted with one that is not sent twice.
        for _ in 0..2 {
            asks(&mut clients[lender].1, path, group).await;
        }
        let (begun, before) = (app.begun(), app.connections());
        let head = format!("POST {path}?to=app{group} HTTP/1.1\r\nHost: a\r\n");
        clients[borrower].1.send(format!("{head}Content-Length: 8\r\n\r\nhalf")).await;
        eventually("it is asked", || async { app.begun() > begun }).await;
        if app.connections() == before {
            return &mut clients[borrower].1;
        }
        // An answer is there a moment before its connection is idle.
        clients[borrower].1.send("half").await;
        clients[borrower].1.answer().await.is(200);
    }
    panic!("nothing is lent");
}

#[tokio::test]
async fn a_worker_leaves_when_others_have_done_with_what_it_drives() {
    if !process::is_ours() {
        return;
    }
    for (scheme, path) in [("grpc", "/"), ("grpcs", "/proxied")] {
        let app = app(scheme == "grpcs").await;
        let mut server = Tidegate::start(&conf(2, scheme)).with_port(8090, app.port()).await;
        let mut clients = connections(&server).await;
        lent(&mut clients, &app, path).await;
        let (_, lender) = clients.iter_mut().find(|(worker, _)| *worker == 1).expect("a lender");
        for group in SPARE {
            asks(lender, path, group).await;
        }
        clients.retain(|(worker, _)| *worker == 0);
        server.reload(&conf(1, scheme));
        eventually("it is taken up", || async { each(&server).len() == 1 }).await;
        let mut others = server.connect().await;
        for group in SPARE {
            // It leaves a moment after it is counted no more, and lends until then.
            let (before, others) = (app.connections(), tokio::sync::Mutex::new(&mut others));
            eventually("what leaves is lent no more", || async {
                asks(*others.lock().await, path, group).await;
                app.connections() == before + 1
            })
            .await;
        }
        assert_eq!(workers(&server), 2, "{scheme}");
        let [(_, client), ..] = clients.as_mut_slice() else { panic!("the worker has one") };
        client.send("half").await;
        client.answer().await.is(200).says("app");
        eventually("it leaves", || async { workers(&server) == 1 }).await;
        let received = app.received();
        assert!(received.iter().any(|text| text.ends_with("halfhalf")), "{received:?}");
    }
}

#[tokio::test]
async fn a_server_that_closes_ends_what_was_lent() {
    if !process::is_ours() {
        return;
    }
    let app = app(false).await;
    let server = Tidegate::start(&conf(2, "grpc")).with_port(8090, app.port()).await;
    let mut clients = connections(&server).await;
    let client = lent(&mut clients, &app, "/").await;
    drop(app);
    client.answer().await.is(502);
    server.logs("upstream prematurely closed connection").await;
    assert_eq!(workers(&server), 2);
}

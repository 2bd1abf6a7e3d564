//! worker_shutdown_timeout: how long those may take who serve by what a reload has replaced.

use rustix::process::geteuid;

use crate::harness::{Backend, Tidegate, eventually, process};

#[tokio::test]
async fn what_a_reload_has_replaced_lasts_no_longer_than_told() {
    let silent = Backend::raw(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    })
    .await;
    if !process::is_ours() || !geteuid().is_root() {
        eprintln!("skipped: only root has two processes");
        return;
    }
    let conf = |user: &str, port: u16| {
        format!(
            "user {user}; worker_shutdown_timeout 200ms; error_log logs/error.log info; events {{}}
             http {{ access_log off; server {{ listen 127.0.0.1:8080; return 200 {user}; }}
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:8090; }} }} }}"
        )
    };
    let mut server = Tidegate::start(&conf("nobody", 8081)).with_port(8090, silent.port()).await;
    let mut client = server.at(8081).connect().await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    eventually("it is asked", || async { silent.connections() == 1 }).await;
    server.put_conf(&conf("daemon", 8082));
    let output = server.command(&["reload"]);
    assert!(output.status.success(), "{output:?}");
    server.get("/").await.says("daemon");
    assert!(client.closes().await, "its time is over");
    eventually("the old one ends", || async { process::children(server.pid()).len() == 1 }).await;
    server.get("/").await.says("daemon");
}

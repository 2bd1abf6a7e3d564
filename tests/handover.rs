//! What is known of clients and servers goes on with another worker process, and with another program.

use rustix::process::geteuid;

use crate::harness::{Backend, Tidegate, eventually, process};

fn conf(user: &str) -> String {
    format!(
        "{user} error_log logs/error.log info; events {{}} http {{ access_log off;
         limit_req_zone $arg_client zone=one:1m rate=1r/m;
         upstream app {{ server 127.0.0.1:8090 max_fails=1 fail_timeout=60s;
             server 127.0.0.1:8091 max_fails=1 fail_timeout=60s; }}
         server {{ listen 127.0.0.1:8080;
             location / {{ root html; limit_req zone=one; }}
             location /app {{ proxy_pass http://app; }} }} }}"
    )
}

fn status(server: &Tidegate) -> String {
    let output = server.command(&["status"]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// One that has asked before is still limited, and the server that failed is left alone.
async fn goes_on(server: &Tidegate, dead: u16) {
    server.get("/page?client=a").await.is(503);
    server.get("/page?client=b").await.is(503);
    let line = format!("127.0.0.1:{dead} ");
    let text = status(server);
    let told = text.lines().find_map(|text| text.trim().strip_prefix(&line));
    assert!(told.is_some_and(|told| !told.starts_with("up")), "{text}");
    let before = server.error_log().matches("connect() failed").count();
    for _ in 0..4 {
        server.get("/app").await.is(200);
    }
    assert_eq!(server.error_log().matches("connect() failed").count(), before);
}

#[tokio::test]
async fn counts_and_failures_go_on_with_whoever_serves_next() {
    if !process::is_ours() {
        return;
    }
    let is_root = geteuid().is_root();
    let user = |name: &str| if is_root { format!("user {name};") } else { String::new() };
    let backend = Backend::http(|_| crate::harness::backend::ok("here")).await;
    let mut server = Tidegate::start(&conf(&user("nobody")))
        .with_file("page", "a page")
        .with_port(8091, backend.port())
        .await;
    let dead = server.port(8090);
    for client in ["a", "b"] {
        server.get(&format!("/page?client={client}")).await.is(200);
    }
    for _ in 0..2 {
        server.get("/app").await.is(200);
    }
    server.logs("connect() failed").await;
    goes_on(&server, dead).await;
    if is_root {
        server.put_conf(&conf(&user("daemon")));
        assert!(server.command(&["reload"]).status.success());
        server.logs("another worker process serves").await;
        goes_on(&server, dead).await;
    }
    let output = server.command(&["upgrade"]);
    assert!(output.status.success(), "{output:?}");
    server.ends().await;
    goes_on(&server, dead).await;
    assert!(server.command(&["quit"]).status.success());
    eventually("it ends", || async { !server.is_open().await }).await;
}

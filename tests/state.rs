//! state, zone: a group whose servers stand in a file.

use crate::harness::{Backend, Tidegate, backend, eventually};

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

//! Two applications behind one upstream, and one that is restarted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::application::{Application, At, Files, Runner};
use super::gallery::{pass, site};
use crate::harness::{Tidegate, eventually};

#[tokio::test]
async fn two_under_gunicorn_and_one_crashing_while_clients_ask() {
    one_of_two_crashes(Runner::Gunicorn, "proxy_pass http://app;").await;
}

#[tokio::test]
async fn two_under_uwsgi_and_one_crashing_while_clients_ask() {
    let params = concat!("include ", env!("CARGO_MANIFEST_DIR"), "/../../conf/uwsgi_params;");
    one_of_two_crashes(Runner::Uwsgi, &format!("{params} uwsgi_pass app;")).await;
}

async fn one_of_two_crashes(runner: Runner, pass: &str) {
    let files = Files::none();
    let one = files.run(runner, "gallery.wsgi", At::free_port(), "one").await;
    let two = files.run(runner, "gallery.wsgi", At::free_port(), "two").await;
    let (at_one, at_two) = (&one.at, &two.at);
    let server = Tidegate::start(&format!(
        "upstream app {{ server {at_one} max_fails=1 fail_timeout=10s; server {at_two}; }}
        server {{ listen 127.0.0.1:8080; location / {{ {pass} }} }}"
    ))
    .await;
    let both = who_answers(&server, 10).await;
    assert_eq!(both, BTreeMap::from([("one".to_owned(), 5), ("two".to_owned(), 5)]));

    let asked = AtomicUsize::new(0);
    let clients = async {
        let client = || async {
            for _ in 0..60 {
                server.get("/instance").await.is(200);
                asked.fetch_add(1, Ordering::Relaxed);
            }
        };
        tokio::join!(client(), client(), client(), client())
    };
    let crash = async {
        eventually("a third is asked", || async { asked.load(Ordering::Relaxed) > 80 }).await;
        std::fs::write(files.path().join("crash-one"), "").unwrap();
    };
    tokio::join!(clients, crash);
    assert_eq!(who_answers(&server, 10).await, BTreeMap::from([("two".to_owned(), 10)]));
    server.logs("while reading response header from upstream").await;
}

#[tokio::test]
async fn an_application_that_comes_back_is_asked_again() {
    let files = Files::collected();
    for at in [At::free_port(), files.socket("app.sock")] {
        let app = start(&files, at.clone()).await;
        let server = Tidegate::start(&site(&files, &pass(Runner::Uwsgi, &at))).await;
        server.get("/instance").await.is(200).says("one");
        let style = "/static/gallery/style.css";

        let at = app.kill().await;
        server.get("/instance").await.is(502).mentions("502 Bad Gateway");
        server.get(style).await.is(200);
        server.logs("connect() ").await;
        server.logs(&format!("upstream: \"uwsgi://{at}")).await;

        let _app = start(&files, at).await;
        eventually("the application answers", || async {
            server.get("/instance").await.status == 200
        })
        .await;
    }
}

#[tokio::test]
async fn a_request_on_its_way_outlives_a_reload() {
    let files = Files::collected();
    let app = files.run(Runner::Gunicorn, "gallery.wsgi", At::free_port(), "one").await;
    let conf = site(&files, &pass(Runner::Gunicorn, &app.at));
    let mut server = Tidegate::start(&conf).await;
    let mut connection = server.connect().await;
    connection.send("GET /slow?ms=700 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.reload(&conf.replace("location / ", "location = /new { return 204; } location / "));
    eventually("the new configuration", || async { server.get("/new").await.status == 204 }).await;
    connection.answer().await.is(200).says("at last\n");
}

async fn start(files: &Files, at: At) -> Application {
    if let At::Socket(path) = &at {
        let _ = std::fs::remove_file(path);
    }
    files.run(Runner::Uwsgi, "gallery.wsgi", at, "one").await
}

async fn who_answers(server: &Tidegate, times: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..times {
        let answer = server.get("/instance").await;
        *counts.entry(answer.is(200).text()).or_default() += 1;
    }
    counts
}

//! The Flask application.

use super::application::{At, Files, Runner};
use super::gallery::pass;
use crate::harness::Tidegate;

#[tokio::test]
async fn flask_under_gunicorn() {
    deployed(Runner::Gunicorn).await;
}

#[tokio::test]
async fn flask_under_uwsgi() {
    deployed(Runner::Uwsgi).await;
}

async fn deployed(runner: Runner) {
    let files = Files::none();
    let app = files.run(runner, "notes", At::free_port(), "notes").await;
    let pass = pass(runner, &app.at);
    let conf = format!("server {{ listen 127.0.0.1:8080; location / {{ {pass} }} }}");
    let server = Tidegate::start(&conf).await;

    let page = server.get("/").await;
    page.is(200).says("notes\n");
    assert_eq!(page.fields("Set-Cookie"), ["first=1; Path=/", "second=2; HttpOnly; Path=/"]);
    let moved = server.ask("/old | Host: site.example").await;
    moved.is(302).has("Location", "http://site.example/");
    let stream = server.get("/stream").await;
    stream.is(200);
    assert_eq!(stream.text().lines().count(), 1000);
    server.ask("POST /echo || text").await.is(200).mentions("\"length\":4");
    server.ask("PUT /echo || text").await.is(200).mentions("\"method\":\"PUT\"");
    server.get("/broken").await.is(500).mentions("Internal Server Error");
    server.get("/none").await.is(404);
    // A body that is left unread must not cost the answer, nor the one after it.
    for _ in 0..30 {
        server.ask("POST / || x").await.is(405).mentions("Method Not Allowed");
    }
}

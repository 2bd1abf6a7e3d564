//! auth_basic: what the administrator is told.

use crate::harness::Tidegate;

#[tokio::test]
async fn the_log_says_who_was_refused_and_why() {
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            error_log logs/error.log info;
            auth_basic site;
            auth_basic_user_file users;
            location /none { auth_basic_user_file none; }
        }",
    )
    .with_file("index.html", "in")
    .with_prefix_file("users", "ann:{PLAIN}secret\n")
    .await;
    server.get("/").await.is(401);
    server.logs("no user/password was provided for basic authentication, client: ").await;
    server.get("/ | Authorization: Basic YW5uOnNlY3JldA==").await.is(200);
    server.get("/ | Authorization: Basic YW5uOndyb25n").await.is(401);
    server.logs("user \"ann\": password mismatch, client: ").await;
    server.get("/ | Authorization: Basic Ym9iOnNlY3JldA==").await.is(401);
    server.logs("user \"bob\" was not found in \"").await;
    server.get("/none | Authorization: Basic YW5uOnNlY3JldA==").await.is(403);
    server.logs("none\" failed (2: No such file or directory), client: ").await;
}

#[tokio::test]
async fn a_changed_file_holds_at_once() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; auth_basic site; auth_basic_user_file users; }",
    )
    .with_file("index.html", "in")
    .with_prefix_file("users", "ann:{PLAIN}old\n")
    .await;
    let secret = "/ | Authorization: Basic YW5uOnNlY3JldA==";
    server.get(secret).await.is(401);
    std::fs::write(server.folder().join("users"), "ann:{PLAIN}secret\n").unwrap();
    server.get(secret).await.is(200);
}

//! The configuration that newcomers copy, `conf/nginx.conf`.

use std::path::Path;

use crate::harness::Tidegate;
use crate::harness::server::Start;

#[tokio::test]
async fn it_serves_a_page_static_files_uploads_and_two_applications() {
    let server = demo().await;
    server.get("/welcome.html").await.is(200).mentions("It serves.");
    let style = server.get("/static/demo.css").await;
    style.is(200).has("Content-Type", "text/css").has("Cache-Control", "max-age=3600");
    server.get("/media/").await.is(200).mentions("<a href=\"tide.svg\">");
    server.get("/media/tide.svg").await.is(200).has("Content-Type", "image/svg+xml");
    let answers = [server.get("/").await.is(200).text(), server.get("/").await.is(200).text()];
    assert!(answers.concat().contains("First"), "{answers:?}");
    // Each of nginx's workers begins with the first; here all take turns together.
    if std::env::var_os("TIDEGATE_TEST_BINARY").is_none() {
        assert!(answers.concat().contains("Second"), "{answers:?}");
    }
}

fn demo() -> Start {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let conf = String::from_utf8(read("nginx.conf")).unwrap();
    let mut start = Tidegate::start(&conf).with_prefix_file("mime.types", read("mime.types"));
    for file in ["welcome.html", "static/demo.css", "media/tide.svg"] {
        let file = format!("demo/{file}");
        start = start.with_prefix_file(&format!("conf/{file}"), read(&file));
    }
    start
}

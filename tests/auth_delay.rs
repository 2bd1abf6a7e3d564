//! auth_delay: an answer of 401 is held back.

use std::time::{Duration, Instant};

use crate::harness::Tidegate;

#[tokio::test]
async fn a_refused_client_waits() {
    let server = Tidegate::start(
        "error_log logs/error.log info;
         server {
             listen 127.0.0.1:8080;
             auth_delay 3s;
             location / { auth_basic site; auth_basic_user_file users; error_page 401 /login; }
             location /any { satisfy any; deny all; auth_basic site; auth_basic_user_file users; }
             location /denied { deny all; }
             location /login { auth_basic off; return 200 \"who\"; }
         }",
    )
    .with_prefix_file("users", "ann:{PLAIN}x\n")
    .with_file("a", "A")
    .await;
    let timed = async |ask: &str, status: u16| {
        let started = Instant::now();
        server.ask(ask).await.is(status);
        started.elapsed()
    };
    let delay = Duration::from_millis(2990);
    let (wrong, none, any, known, denied) = tokio::join!(
        timed("/a | Authorization: Basic YW5uOnk=", 401),
        timed("/a", 401),
        timed("/any", 401),
        timed("/a | Authorization: Basic YW5uOng=", 200),
        timed("/denied", 403),
    );
    assert!(wrong >= delay && none >= delay && any >= delay, "{wrong:?} {none:?} {any:?}");
    assert!(known < delay && denied < delay, "{known:?} {denied:?}");
    server.logs("[info]").await;
    server.logs("delaying unauthorized request, client: 127.0.0.1").await;
}

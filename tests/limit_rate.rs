//! limit_rate: how fast an answer is sent.

use std::time::{Duration, Instant};

use crate::harness::{Backend, DEADLINE, Tidegate};

#[tokio::test]
async fn an_answer_takes_its_time() {
    let backend = Backend::http(|request| {
        let rate = if request.contains("/hurried") { "0" } else { "1000" };
        let body = "y".repeat(3000);
        format!(
            "HTTP/1.1 200 OK\r\nX-Accel-Limit-Rate: {rate}\r\nContent-Length: 3000\r\n\r\n{body}"
        )
    })
    .await;
    let server = Tidegate::start(
        "map $arg_r $rate { default 0; slow 1000; }
         log_format rate '$request_uri $limit_rate $status $body_bytes_sent';
         server {
             listen 127.0.0.1:8080;
             access_log logs/access.log rate;
             location / { limit_rate 1000; }
             location /after { limit_rate 1k; limit_rate_after 1m; try_files /a =404; }
             location /variable { limit_rate $rate; try_files /a =404; }
             location /set { set $limit_rate 1k; try_files /a =404; }
             location /text { limit_rate 1000; return 200 \"0123456789\"; }
             location /app { proxy_pass http://127.0.0.1:8090; }
             location /hurried { limit_rate 10; proxy_pass http://127.0.0.1:8090; }
             location /wrong { set $limit_rate fast; try_files /a =404; }
             location /stream { limit_rate 1000; gzip on; gzip_types text/plain; gzip_min_length 1; try_files /a =404; }
         }",
    )
    .with_port(8090, backend.port())
    .with_file("a", "x".repeat(3000))
    .await;
    let timed = async |path: &str, length: usize| {
        let started = Instant::now();
        let answer = server.get(path).await;
        assert_eq!(answer.is(200).body.len(), length, "{path}");
        started.elapsed()
    };
    let slow = Duration::from_millis(1900)..DEADLINE / 2;
    let fast = Duration::ZERO..Duration::from_millis(1900);
    let (one, two, three, four) = tokio::join!(
        timed("/a", 3000),
        timed("/variable?r=slow", 3000),
        timed("/set", 3000),
        timed("/app", 3000),
    );
    for took in [one, two, three, four] {
        assert!(slow.contains(&took), "{took:?}");
    }
    for (path, length) in
        [("/after", 3000), ("/variable", 3000), ("/text", 10), ("/hurried", 3000), ("/wrong", 3000)]
    {
        let took = timed(path, length).await;
        assert!(fast.contains(&took), "{path}: {took:?}");
    }
    server.logs("invalid $limit_rate \"fast\"").await;
    let mut lines = server.access_log(9).await;
    lines.sort();
    let expected = [
        "/a 1000 200 3000",
        "/after 1024 200 3000",
        "/app 1000 200 3000",
        "/hurried 0 200 3000",
        "/set 1024 200 3000",
        "/text 1000 200 10",
        "/variable 0 200 3000",
        "/variable?r=slow 1000 200 3000",
        "/wrong 0 200 3000",
    ];
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(lines, expected);
}

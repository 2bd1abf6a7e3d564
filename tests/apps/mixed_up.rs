//! HTTP spoken to a uwsgi port, and uwsgi to an HTTP port: the error log says so.

use super::application::{At, Files, Runner};
use crate::harness::Tidegate;

#[tokio::test]
async fn the_wrong_protocol_is_told_with_the_right_directive() {
    let files = Files::none();
    let uwsgi = files.run(Runner::Uwsgi, "deploy", At::free_port(), "uwsgi").await;
    let http = files.run(Runner::UwsgiHttp, "deploy", At::free_port(), "http").await;
    let gunicorn = files.run(Runner::Gunicorn, "deploy", At::free_port(), "gunicorn").await;
    let params = concat!("include ", env!("CARGO_MANIFEST_DIR"), "/../../conf/uwsgi_params;");
    let server = Tidegate::start(&format!(
        "server {{
             listen 127.0.0.1:8080;
             {params}
             location /one {{ proxy_pass http://{}; }}
             location /two {{ uwsgi_read_timeout 300ms; uwsgi_pass {}; }}
             location /three {{ uwsgi_read_timeout 300ms; uwsgi_pass {}; }}
             location /long {{ uwsgi_pass {}; }}
         }}",
        uwsgi.at, gunicorn.at, http.at, uwsgi.at
    ))
    .await;
    server.get("/one").await.is(502);
    server.logs("uWSGI's `socket` wants uwsgi_pass").await;
    let answer = server.get("/two").await;
    server.logs("does it speak uwsgi?").await;
    assert!(matches!(answer.status, 400 | 504), "{answer:?}");
    let before = server.error_log().len();
    server.get("/three").await;
    assert!(server.error_log()[before..].contains("uwsgi"), "{}", server.error_log());
    let long = "x".repeat(4000);
    server.get(&format!("/long | X-Long: {long}")).await.is(502);
    server.logs("; uWSGI's default buffer-size is 4096").await;
}

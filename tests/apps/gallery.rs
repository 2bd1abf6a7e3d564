//! The Django site under every runner, and what only some deployments show.

use super::application::{At, Files, Runner};
use super::visit::{self, Visitor};
use crate::harness::Tidegate;

#[tokio::test]
async fn django_under_uwsgi_by_tcp() {
    deployed(Runner::Uwsgi, |_| At::free_port()).await;
}

#[tokio::test]
async fn django_under_uwsgi_by_unix_socket() {
    deployed(Runner::Uwsgi, |files| files.socket("uwsgi.sock")).await;
}

#[tokio::test]
async fn django_under_uwsgi_by_http_socket() {
    deployed(Runner::UwsgiHttp, |_| At::free_port()).await;
}

#[tokio::test]
async fn django_under_gunicorn_by_tcp() {
    deployed(Runner::Gunicorn, |_| At::free_port()).await;
}

#[tokio::test]
async fn django_under_gunicorn_by_unix_socket() {
    deployed(Runner::Gunicorn, |files| files.socket("gunicorn.sock")).await;
}

#[tokio::test]
async fn django_under_gunicorn_speaking_uwsgi() {
    deployed(Runner::GunicornUwsgi, |_| At::free_port()).await;
}

async fn deployed(runner: Runner, at: impl Fn(&Files) -> At) {
    let files = Files::collected();
    let app = files.run(runner, "gallery.wsgi", at(&files), "one").await;
    let server = Tidegate::start(&site(&files, &pass(runner, &app.at))).await;
    let visitor = Visitor::new(&server);
    visitor.sees_a_page_and_its_hashed_style_sheet().await;
    visitor.uploads_a_file_and_reads_it_back(&files).await;
    visitor.sends_a_big_body().await;
    visitor.gets_a_big_answer().await;
    if runner != Runner::GunicornUwsgi {
        // There gunicorn decodes paths beyond ASCII wrongly.
        visitor.is_told_what_arrived().await;
        visitor.downloads_a_file_the_application_only_names(&files).await;
    }
    visitor.gets_events_as_they_are_made(&files).await;
}

#[tokio::test]
async fn a_form_is_trusted_by_the_scheme_the_server_says_not_the_client() {
    let files = Files::collected();
    let app = files.run(Runner::Gunicorn, "gallery.wsgi", At::free_port(), "one").await;
    let to = format!("proxy_pass http://{}; proxy_set_header Host $http_host;", app.at);
    let conf = format!(
        "server {{
            listen 127.0.0.1:8080;
            location / {{ {to} proxy_set_header X-Forwarded-Proto https; }}
        }}
        server {{
            listen 127.0.0.1:8081;
            location / {{ {to} proxy_set_header X-Forwarded-Proto $scheme; }}
        }}"
    );
    let server = Tidegate::start(&conf).await;
    let origin = "Host: site.example\r\nOrigin: https://site.example\r\nX-Forwarded-Proto: https";

    let answer = visit::upload(&server.at(8080), origin, "a.txt", b"by https").await;
    answer.is(302).has("Location", "/media/a.txt");
    let answer = visit::upload(&server.at(8081), origin, "b.txt", b"by http").await;
    answer.is(403).mentions("CSRF");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_the_application_sees_it() {
    let files = Files::collected();
    let app = files.run(Runner::Uwsgi, "gallery.wsgi", At::free_port(), "one").await;
    let conf = site(&files, &pass(Runner::Uwsgi, &app.at)).replace("20m", "64k");
    let server = Tidegate::start(&conf).await;
    let mut connection = server.connect().await;
    connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n").await;
    connection.answer().await.is(413);
    server.logs("client intended to send too large body: 65537 bytes").await;
}

#[tokio::test]
async fn variables_over_the_applications_buffer_are_told_in_the_error_log() {
    let files = Files::collected();
    let app = files.run(Runner::Uwsgi, "gallery.wsgi", At::free_port(), "one").await;
    let server = Tidegate::start(&site(&files, &pass(Runner::Uwsgi, &app.at))).await;
    let cookie = "c".repeat(6000);
    server.ask(&format!("/echo | Cookie: big={cookie}")).await.is(502);
    server.logs("upstream").await;
}

/// The directives that forward to an application.
pub fn pass(runner: Runner, at: &At) -> String {
    match runner {
        Runner::Uwsgi | Runner::GunicornUwsgi => {
            let params = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conf/uwsgi_params");
            format!("include {params};\nuwsgi_pass {at};")
        }
        Runner::UwsgiHttp | Runner::Gunicorn | Runner::Hypercorn | Runner::Itself => format!(
            "proxy_pass http://{at};
            proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;"
        ),
    }
}

/// A site as most are: static files and uploads from disk, the rest from the application.
pub fn site(files: &Files, pass: &str) -> String {
    let root = files.path().display();
    format!(
        "types {{ text/html html; text/css css; text/plain txt; image/svg+xml svg; }}
        server {{
            listen 127.0.0.1:8080;
            client_max_body_size 20m;
            location /static/ {{ alias {root}/static/; expires max; }}
            location /media/ {{ alias {root}/media/; }}
            location /protected/ {{ internal; alias {root}/media/; }}
            location / {{ {pass} }}
            location = /events {{ {pass} proxy_buffering off; uwsgi_buffering off; }}
        }}"
    )
}

//! The tutorials' deployments with their faults mended, each against the applications it is for.

use std::path::Path;

use crate::apps::application::{At, Files, Runner};
use crate::apps::visit::{self, Visitor};
use crate::harness::Tidegate;

const CONF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conf");

/// A whole file: two uWSGI behind an upstream, static files and uploads from disk, compression.
#[tokio::test]
async fn two_uwsgi_by_tcp_with_static_files_and_uploads() {
    let files = Files::collected();
    let one = files.run(Runner::Uwsgi, "gallery.wsgi", At::free_port(), "one").await;
    let two = files.run(Runner::Uwsgi, "gallery.wsgi", At::free_port(), "two").await;
    let (at_one, at_two, root) = (&one.at, &two.at, files.path().display());
    let server = Tidegate::start(&format!(
        r#"
        worker_processes 2;
        events {{
            use epoll;
            worker_connections 2048;
        }}
        http {{
            include {CONF}/mime.types;
            keepalive_timeout 60;
            log_format main '$remote_addr "$request" $status $upstream_addr';

            gzip on;
            gzip_min_length 1k;
            gzip_comp_level 6;
            gzip_buffers 16 8k;
            gzip_types text/plain text/css application/json text/xml text/javascript;

            upstream backend {{
                server {at_one};
                server {at_two};
            }}
            server {{
                listen 127.0.0.1:8080;
                server_name localhost;
                charset utf-8;
                client_max_body_size 10M;
                client_header_buffer_size 2k;
                client_header_timeout 15;
                client_body_timeout 15;
                access_log logs/site.log main;
                error_log logs/error.log info;

                location /static {{ alias {root}/static; }}
                location /media {{ alias {root}/media; }}
                location / {{
                    include {CONF}/uwsgi_params;
                    uwsgi_pass backend;
                    uwsgi_read_timeout 600;
                    uwsgi_connect_timeout 600;
                    uwsgi_send_timeout 600;
                    uwsgi_param HTTP_X_FORWARDED_FOR $proxy_add_x_forwarded_for;
                    uwsgi_param HTTP_X_REAL_IP $remote_addr;
                }}
            }}
        }}"#
    ))
    .await;
    let visitor = Visitor::new(&server);
    visitor.is_told_what_arrived().await;
    visitor.uploads_a_file_and_reads_it_back(&files).await;
    server.get("/echo").await.mentions("\"X-Real-Ip\": \"127.0.0.1\"");
    let style = server.get("/static/gallery/style.css").await;
    style.is(200).has("Content-Type", "text/css");
    let packed = server.ask("/big?bytes=100000 | Accept-Encoding: gzip").await;
    packed.is(200).has("Content-Encoding", "gzip");
    assert!(packed.body.len() < 2000, "{} bytes", packed.body.len());
    let log = server.read("logs/site.log");
    assert!(log.contains(&at_one.to_string()) && log.contains(&at_two.to_string()), "{log}");
}

/// A fragment for one interface: large uwsgi buffers, long timeouts, and version control hidden.
#[tokio::test]
async fn one_interface_of_a_uwsgi_with_large_buffers() {
    let files = Files::collected();
    let app = files.run(Runner::Uwsgi, "gallery.wsgi", At::free_port(), "one").await;
    let server = Tidegate::start(&format!(
        r"
        upstream interface {{
            server {};
        }}
        server {{
            listen 8080;
            location /echo/words {{
                include {CONF}/uwsgi_params;
                uwsgi_pass interface;
                uwsgi_buffer_size 128k;
                uwsgi_buffering on;
                uwsgi_buffers 4 128k;
                uwsgi_busy_buffers_size 256k;
                uwsgi_max_temp_file_size 256k;
                uwsgi_read_timeout 86400s;
                uwsgi_send_timeout 86400s;
                uwsgi_param HTTP_X_REAL_IP $remote_addr;
                client_max_body_size 1000m;
            }}
            location = /favicon.ico {{
                log_not_found off;
                access_log off;
            }}
            location ~* /\.(svn|git)/ {{
                return 404;
            }}
        }}",
        app.at
    ))
    .await;
    let body = "word ".repeat(400_000);
    let answer = server.ask(&format!("POST /echo/words || {body}")).await;
    answer.is(200).mentions("\"path\": \"/echo/words\"").mentions("\"length\": 2000000");
    server.get("/favicon.ico").await.is(404);
    server.get("/echo/words/.git/config").await.is(404);
    server.get("/elsewhere").await.is(404);
    let log = server.access_log(3).await.join("\n");
    assert!(log.contains("/elsewhere") && !log.contains("favicon"), "{log}");
    let errors = server.error_log();
    assert!(errors.contains("html/elsewhere") && !errors.contains("favicon"), "{errors}");
}

/// Three ways from the server to uWSGI: HTTP, uwsgi by TCP, uwsgi by a unix socket.
#[tokio::test]
async fn three_ways_to_the_same_django() {
    let files = Files::collected();
    let by_http = files.run(Runner::UwsgiHttp, "gallery.wsgi", At::free_port(), "http").await;
    let by_tcp = files.run(Runner::Uwsgi, "gallery.wsgi", At::free_port(), "tcp").await;
    let socket = files.socket("gallery.sock");
    let by_unix = files.run(Runner::Uwsgi, "gallery.wsgi", socket, "unix").await;
    let At::Socket(path) = &by_unix.at else { unreachable!() };
    let server = Tidegate::start(&format!(
        r"
        server {{
            listen 127.0.0.1:8080;
            location / {{ proxy_pass http://{by_http}; }}
        }}
        upstream tcp {{ server {by_tcp}; }}
        server {{
            listen 127.0.0.1:8081;
            location / {{
                uwsgi_pass tcp;
                include {CONF}/uwsgi_params;
            }}
        }}
        upstream unix {{ server unix://{path}; }}
        server {{
            listen 127.0.0.1:8082;
            location / {{
                uwsgi_pass unix;
                include {CONF}/uwsgi_params;
            }}
        }}",
        by_http = by_http.at,
        by_tcp = by_tcp.at,
        path = path.display()
    ))
    .await;
    for (port, name) in [(8080, "http"), (8081, "tcp"), (8082, "unix")] {
        let client = server.at(port);
        client.get("/instance").await.is(200).says(name);
        let answer = visit::upload(&client, "Host: localhost", name, name.as_bytes()).await;
        answer.is(302).has("Location", &format!("/media/{name}"));
        let saved = std::fs::read_to_string(files.path().join("media").join(name));
        assert_eq!(saved.unwrap(), name);
    }
}

/// The params by a relative include, and static files under a `root` that holds their folder.
#[tokio::test]
async fn a_relative_params_file_and_static_files_by_root() {
    let files = Files::collected();
    let app = files.run(Runner::Uwsgi, "gallery.wsgi", At::free_port(), "one").await;
    let server = Tidegate::start(&format!(
        r"
        include mime.types;
        server{{
            listen 8080;
            server_name www.site.example;
            location / {{
                include uwsgi_params;
        #       proxy_pass http://127.0.0.1:8081;
                uwsgi_pass {};
            }}
            location /static {{ # not the application's
                root {};
            }}
        }}",
        app.at,
        files.path().display()
    ))
    .with_prefix_file("mime.types", shipped("mime.types"))
    .with_prefix_file("uwsgi_params", shipped("uwsgi_params"))
    .await;
    Visitor::new(&server).is_told_what_arrived().await;
    let style = server.ask("/static/gallery/style.css | Host: www.site.example").await;
    style.is(200).has("Content-Type", "text/css");
    server.get("/static/none.css").await.is(404);
}

/// Several applications behind one port, an address that is kept out, and static files that are
/// compressed, kept and validated.
#[tokio::test]
async fn several_applications_behind_one_port() {
    let files = Files::collected();
    let gallery = files.run(Runner::Uwsgi, "gallery.wsgi", At::free_port(), "gallery").await;
    let notes = files.run(Runner::Gunicorn, "notes", At::free_port(), "notes").await;
    let server = Tidegate::start(&format!(
        r"
        include {CONF}/mime.types;
        gzip on;
        gzip_types text/css;
        gzip_min_length 10;
        server {{
            listen 127.0.0.1:8080;
            server_name gallery.example *.gallery.example;
            location / {{
                uwsgi_pass {gallery};
                include {CONF}/uwsgi_params;
            }}
            location /static/ {{
                alias {root}/static/;
                expires 30d;
            }}
        }}
        server {{
            listen 127.0.0.1:8080;
            server_name notes.example;
            location / {{
                proxy_pass http://{notes};
                proxy_set_header Host $host;
            }}
            location /inside {{
                deny 127.0.0.1;
                proxy_pass http://{notes};
            }}
        }}",
        gallery = gallery.at,
        notes = notes.at,
        root = files.path().display()
    ))
    .await;
    server.ask("/instance | Host: www.Gallery.example:80").await.is(200).says("gallery");
    server.ask("/ | Host: notes.example").await.is(200).says("notes\n");
    server.ask("/old | Host: notes.example").await.is(302).has("Location", "http://notes.example/");
    server.ask("/inside | Host: notes.example").await.is(403);
    server.logs("access forbidden by rule").await;
    let style = "/static/gallery/style.css | Host: gallery.example";
    let packed = server.ask(&format!("{style} | Accept-Encoding: gzip")).await;
    packed.is(200).has("Content-Encoding", "gzip").has("Cache-Control", "max-age=2592000");
    let etag = packed.field("ETag").expect("an ETag");
    assert!(etag.starts_with("W/\""), "{etag}");
    server.ask(&format!("{style} | If-None-Match: {etag}")).await.is(304);
}

fn shipped(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(CONF).join(name)).expect("a shipped file")
}

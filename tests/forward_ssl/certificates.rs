//! Certificates shown to upstreams that variables name, and what is remembered of them.

use std::path::Path;

use crate::harness::handshake::Handshakes;
use crate::harness::tls::{Made, certificate};
use crate::harness::{Client, Tidegate};

const CONF: &str = "
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    server {
        listen 127.0.0.1:8444 ssl;
        ssl_verify_client optional_no_ca;
        ssl_client_certificate cert.pem;
        return 200 \"[$ssl_client_s_dn] $ssl_session_reused $connection_requests\";
    }
    server {
        listen 127.0.0.1:8080;
        proxy_ssl_certificate $arg_who.pem;
        proxy_ssl_certificate_key $arg_who.key;
        proxy_http_version 1.0;
        location / { proxy_pass https://127.0.0.1:8444; }
        location /kept { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate_cache max=1 valid=1h; }
        location /stale { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate_cache max=9 valid=0; }
        location /idle { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate_cache max=9 inactive=0 valid=1h; }
        location /off { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate_cache off; }
        location /alive { proxy_pass https://127.0.0.1:8444; proxy_http_version 1.1; }
        location /none { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate $arg_none; }
    }";

fn put(folder: &Path, name: &str, made: &Made) {
    std::fs::write(folder.join(format!("{name}.pem")), &made.certificate).expect("a file");
    std::fs::write(folder.join(format!("{name}.key")), &made.key).expect("a file");
}

async fn shows(client: &Client, ask: &str, name: &str) {
    client.get(ask).await.is(200).mentions(&format!("[{name}]"));
}

#[tokio::test]
async fn variables_name_what_is_shown() {
    let server = Tidegate::start(CONF).with_certificate(&["localhost"]).await;
    put(server.folder(), "one", &certificate(&["one"]));
    put(server.folder(), "two", &certificate(&["two"]));
    let client = server.at(8080);
    for _ in 0..2 {
        shows(&client, "/?who=one", "CN=one").await;
        shows(&client, "/?who=two", "CN=two").await;
        // Neither connections nor sessions of another one are taken.
        shows(&client, "/alive?who=one", "CN=one").await;
        shows(&client, "/alive?who=two", "CN=two").await;
        shows(&client, "/none?who=one", "").await;
    }
    client.get("/?who=three").await.is(500);
    server.logs("cannot load certificate \"").await;
    server.logs("three.pem\": BIO_new_file() failed").await;
    put(server.folder(), "three", &certificate(&["three"]));
    std::fs::copy(server.folder().join("one.key"), server.folder().join("three.key")).unwrap();
    client.get("/?who=three").await.is(500);
    server.logs("key values mismatch").await;
}

#[tokio::test]
async fn what_is_remembered_of_certificates_is_bounded_in_time_and_number() {
    let server = Tidegate::start(CONF).with_certificate(&["localhost"]).await;
    let folder = server.folder();
    put(folder, "one", &certificate(&["one"]));
    put(folder, "two", &certificate(&["two"]));
    let client = server.at(8080);
    for place in ["", "kept", "stale", "idle", "off"] {
        shows(&client, &format!("/{place}?who=one"), "CN=one").await;
    }
    put(folder, "one", &certificate(&["another"]));
    for place in ["", "stale", "idle", "off"] {
        shows(&client, &format!("/{place}?who=one"), "CN=another").await;
    }
    shows(&client, "/kept?who=one", "CN=one").await;
    // There is room for one alone.
    shows(&client, "/kept?who=two", "CN=two").await;
    shows(&client, "/kept?who=one", "CN=another").await;
}

#[tokio::test]
async fn what_clients_are_shown_is_remembered_as_well() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8443 ssl; return 200 ok;
            ssl_certificate $ssl_server_name.pem; ssl_certificate_key $ssl_server_name.key; }
         server { listen 127.0.0.1:8444 ssl; return 200 ok; ssl_certificate_cache max=1 valid=1h;
            ssl_certificate $ssl_server_name.pem; ssl_certificate_key $ssl_server_name.key; }",
    )
    .await;
    let folder = server.folder();
    put(folder, "a.test", &certificate(&["a.test"]));
    put(folder, "b.test", &certificate(&["b.test"]));
    let shown = async |port, name| {
        let mut client = Handshakes::default();
        let stream = client.connect(server.port(port), name).await.expect("a handshake");
        let connection = stream.get_ref().1;
        let chain = connection.peer_certificates().expect("a certificate");
        tidegate_http::tls::subject::hosts(&chain[0]).join(" ")
    };
    assert_eq!(shown(8443, "a.test").await, "a.test");
    assert_eq!(shown(8444, "a.test").await, "a.test");
    put(folder, "a.test", &certificate(&["changed.test"]));
    assert_eq!(shown(8443, "a.test").await, "changed.test");
    assert_eq!(shown(8444, "a.test").await, "a.test");
    assert_eq!(shown(8444, "b.test").await, "b.test");
    assert_eq!(shown(8444, "a.test").await, "changed.test");
}

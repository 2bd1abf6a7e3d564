//! proxy_ssl_*, uwsgi_ssl_*, grpc_ssl_*: connections to upstreams that are encrypted.

mod certificates;
mod diagnosis;
mod settings;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::tls::{acceptor, certificate};
use crate::harness::{Backend, Tidegate};

/// Servers of TLS, and one that forwards to them.
const CONF: &str = "
    error_log logs/error.log info;
    events {}
    http {
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        server {
            listen 127.0.0.1:8443 ssl;
            http2 on;
            return 200 \"$ssl_protocol $server_protocol [$ssl_server_name] $ssl_session_reused $http_connection\";
        }
        server {
            listen 127.0.0.1:8444 ssl;
            ssl_verify_client on;
            ssl_client_certificate cert.pem;
            return 200 \"$ssl_client_verify\";
        }
        server {
            listen 127.0.0.1:8080;
            proxy_ssl_trusted_certificate cert.pem;
            location /unchecked { proxy_pass https://127.0.0.1:8443; }
            location /named { proxy_pass https://127.0.0.1:8443; proxy_ssl_server_name on; proxy_ssl_name localhost; }
            location /checked { proxy_pass https://127.0.0.1:8443; proxy_ssl_verify on; proxy_ssl_name localhost; }
            location /misnamed { proxy_pass https://127.0.0.1:8443; proxy_ssl_verify on; proxy_ssl_name other.test; }
            location /untrusted {
                proxy_pass https://127.0.0.1:8443;
                proxy_ssl_verify on;
                proxy_ssl_name localhost;
                proxy_ssl_trusted_certificate other.pem;
            }
            location /old { proxy_pass https://127.0.0.1:8443; proxy_ssl_protocols TLSv1.2; }
            location /variable { set $to 127.0.0.1:8443; proxy_pass https://$to; }
            location /http2 { proxy_pass https://127.0.0.1:8443; proxy_http_version 2; }
            location /shown {
                proxy_pass https://127.0.0.1:8444;
                proxy_ssl_certificate cert.pem;
                proxy_ssl_certificate_key key.pem;
            }
            location /unshown { proxy_pass https://127.0.0.1:8444; }
            location /plain { proxy_pass https://127.0.0.1:8080; }
        }
    }";

async fn started() -> Tidegate {
    let other = certificate(&["localhost"]);
    Tidegate::start(CONF)
        .with_certificate(&["localhost"])
        .with_prefix_file("other.pem", other.certificate)
        .await
}

#[tokio::test]
async fn upstreams_are_spoken_to_as_told() {
    let server = started().await;
    server.at(8080).get("/unchecked").await.is(200).says("TLSv1.3 HTTP/1.1 [] . ");
    server.at(8080).get("/named").await.is(200).says("TLSv1.3 HTTP/1.1 [localhost] . ");
    server.at(8080).get("/checked").await.is(200);
    server.at(8080).get("/old").await.is(200).mentions("TLSv1.2");
    server.at(8080).get("/variable").await.is(200);
    server.at(8080).get("/http2").await.is(200).mentions("HTTP/2.0");
    server.at(8080).get("/shown").await.is(200).says("SUCCESS");
}

#[tokio::test]
async fn a_certificate_of_another_name_or_of_nobody_trusted_is_refused() {
    let server = started().await;
    server.at(8080).get("/misnamed").await.is(502);
    server.logs("upstream SSL certificate does not match \"other.test\"").await;
    server.at(8080).get("/untrusted").await.is(502);
    server.logs("upstream SSL certificate verify error: (").await;
    server.at(8080).get("/unshown").await.is(400);
    server.at(8080).get("/plain").await.is(502);
    server.logs("SSL_do_handshake() failed").await;
    // What was refused has left nothing behind that one who checks nothing would mind.
    server.at(8080).get("/unchecked").await.is(200);
}

/// The same over gRPC.
const GRPC: &str = "
    http {
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        server {
            listen 127.0.0.1:8443 ssl;
            http2 on;
            add_header Content-Type application/grpc;
            return 200 \"$ssl_protocol $server_protocol $scheme [$ssl_server_name] $ssl_session_reused\";
        }
        server {
            listen 127.0.0.1:8444 ssl;
            http2 on;
            ssl_verify_client on;
            ssl_client_certificate cert.pem;
            return 200 \"$ssl_client_verify\";
        }
        server {
            listen 127.0.0.1:8080;
            http2 on;
            grpc_ssl_trusted_certificate cert.pem;
            location /unchecked { grpc_pass grpcs://127.0.0.1:8443; }
            location /checked {
                grpc_pass grpcs://127.0.0.1:8443;
                grpc_ssl_verify on;
                grpc_ssl_name localhost;
                grpc_ssl_server_name on;
            }
            location /misnamed {
                grpc_pass grpcs://127.0.0.1:8443;
                grpc_ssl_verify on;
                grpc_ssl_name other.test;
            }
            location /old { grpc_pass grpcs://127.0.0.1:8443; grpc_ssl_protocols TLSv1.2; }
            location /variable { set $to grpcs://127.0.0.1:8443; grpc_pass $to; }
            location /shown {
                grpc_pass grpcs://127.0.0.1:8444;
                grpc_ssl_certificate cert.pem;
                grpc_ssl_certificate_key key.pem;
            }
            location /unshown { grpc_pass grpcs://127.0.0.1:8444; }
        }
    }";

#[tokio::test]
async fn grpc_is_encrypted_and_checked_as_told() {
    let conf = format!("error_log logs/error.log info;\nevents {{}}\n{GRPC}");
    let server = Tidegate::start(&conf).with_certificate(&["localhost"]).await;
    let client = server.at(8080);
    client.get("/unchecked").await.is(200).says("TLSv1.3 HTTP/2.0 https [] .");
    client.get("/checked").await.is(200).says("TLSv1.3 HTTP/2.0 https [localhost] .");
    client.get("/old").await.is(200).mentions("TLSv1.2 HTTP/2.0");
    client.get("/variable").await.is(200);
    client.get("/shown").await.is(200).says("SUCCESS");
    client.get("/unshown").await.is(400);
    client.get("/misnamed").await.is(502);
    server.logs("upstream SSL certificate does not match \"other.test\"").await;
    server.logs("upstream: \"grpcs://").await;
}

#[tokio::test]
async fn uwsgi_is_encrypted_and_checked_as_told() {
    let made = certificate(&["app.test"]);
    let acceptor = acceptor(&made);
    let app = Backend::raw(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut packet = vec![0; 4];
            let _ = stream.read_exact(&mut packet).await;
            let length = u16::from_le_bytes([packet[1], packet[2]]);
            packet = vec![0; length.into()];
            let _ = stream.read_exact(&mut packet).await;
            let name = stream.get_ref().1.server_name().unwrap_or("none").to_owned();
            let uri = String::from_utf8_lossy(&packet).contains("/checked");
            let answer = format!("Status: 200 OK\r\n\r\n{name} {uri}");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    let server = Tidegate::start(
        "uwsgi_ssl_trusted_certificate app.pem;
         uwsgi_param REQUEST_URI $request_uri;
         server {
             listen 127.0.0.1:8080;
             location /unchecked { uwsgi_pass suwsgi://127.0.0.1:8090; }
             location /checked {
                 uwsgi_ssl_verify on; uwsgi_ssl_name app.test; uwsgi_ssl_server_name on;
                 uwsgi_pass suwsgi://127.0.0.1:8090;
             }
             location /misnamed {
                 uwsgi_ssl_verify on; uwsgi_ssl_name other.test; uwsgi_pass suwsgi://127.0.0.1:8090;
             }
         }",
    )
    .with_prefix_file("app.pem", &made.certificate)
    .with_port(8090, app.port())
    .await;
    server.get("/unchecked").await.is(200).says("none false");
    server.get("/checked").await.is(200).says("app.test true");
    server.get("/misnamed").await.is(502);
    server.logs("upstream SSL certificate does not match \"other.test\"").await;
}

#[tokio::test]
async fn what_is_to_be_checked_needs_an_authority_and_what_is_shown_a_key() {
    let check = |words: &str| {
        let conf = format!("server {{ listen 127.0.0.1:8080; location / {{ {words} }} }}");
        Tidegate::start(&conf).with_certificate(&["localhost"]).check(&["-t"])
    };
    let (good, text) = check("grpc_pass grpcs://127.0.0.1:8443; grpc_ssl_verify on;");
    assert!(
        !good && text.contains("no grpc_ssl_trusted_certificate for grpc_ssl_verify"),
        "{text}"
    );
    let (good, text) = check("grpc_pass grpcs://127.0.0.1:8443; grpc_ssl_certificate cert.pem;");
    assert!(!good && text.contains("no \"grpc_ssl_certificate_key\" is defined"), "{text}");
    // Where nothing is encrypted nothing is asked of it.
    let (good, text) = check("grpc_pass grpc://127.0.0.1:8443; grpc_ssl_verify on;");
    assert!(good, "{text}");
}

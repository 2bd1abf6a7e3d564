//! Why a handshake with an upstream came to nothing: one line, the same words for tools, and the mend.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Backend, Tidegate};

const CONF: &str = "
    error_log logs/error.log info;
    events {}
    http {
        upstream_wait off;
        log_format errors escape=none '$uri $status $upstream_error';
        access_log logs/access.log errors;
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        server { listen 127.0.0.1:8443 ssl; ssl_protocols TLSv1.3; http2 on; return 200 ok; }
        server { listen 127.0.0.1:8445 ssl; return 200 ok; }
        server { listen 127.0.0.1:8444 ssl; ssl_reject_handshake on; }
        server {
            listen 127.0.0.1:8080;
            proxy_ssl_trusted_certificate cert.pem;
            uwsgi_ssl_trusted_certificate cert.pem;
            grpc_ssl_trusted_certificate cert.pem;
            location /misnamed { proxy_pass https://127.0.0.1:8443; proxy_ssl_verify on; proxy_ssl_name other.test; }
            location /uwsgi { uwsgi_pass suwsgi://127.0.0.1:8443; uwsgi_ssl_verify on; }
            location /grpc { grpc_pass grpcs://127.0.0.1:8443; grpc_ssl_verify on; grpc_ssl_protocols TLSv1.3; grpc_ssl_name $arg_name; }
            location /http1 { grpc_pass grpcs://127.0.0.1:8445; }
            location /untrusted {
                proxy_pass https://127.0.0.1:8443;
                proxy_ssl_verify on;
                proxy_ssl_trusted_certificate other.pem;
            }
            location /old { proxy_pass https://127.0.0.1:8443; proxy_ssl_protocols TLSv1.2; }
            location /nameless { proxy_pass https://127.0.0.1:8444; }
            location /plain { proxy_pass https://127.0.0.1:8092; }
            location /silent { proxy_pass https://127.0.0.1:8090; }
            location /stalls { proxy_connect_timeout 300ms; proxy_pass https://127.0.0.1:8091; }
        }
    }";

#[tokio::test]
async fn each_handshake_that_fails_is_one_line_with_its_mend() {
    let silent = Backend::raw(|stream| async move { drop(stream) }).await;
    let stalls = Backend::raw(|stream| async move {
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        drop(stream);
    })
    .await;
    let plain = Backend::raw(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let other = crate::harness::tls::certificate(&["other.test"]);
    let server = Tidegate::start(CONF)
        .with_certificate(&["one.test", "www.one.test"])
        .with_prefix_file("other.pem", other.certificate)
        .with_port(8090, silent.port())
        .with_port(8091, stalls.port())
        .with_port(8092, plain.port())
        .await;
    let expected = [
        (
            "/misnamed",
            502,
            "upstream SSL certificate does not match \"other.test\" while SSL handshaking to upstream (it is for one.test, www.one.test: if that is whom you mean, say one of them in proxy_ssl_name)",
            "https://127.0.0.1:8443/misnamed",
        ),
        (
            "/uwsgi",
            502,
            "does not match \"127.0.0.1\" while SSL handshaking to upstream (it is for one.test, www.one.test: if that is whom you mean, say one of them in uwsgi_ssl_name)",
            "suwsgi://127.0.0.1:8443",
        ),
        (
            "/grpc?name=third.test",
            502,
            "does not match \"third.test\" while SSL handshaking to upstream (it is for one.test, www.one.test: if that is whom you mean, say one of them in grpc_ssl_name)",
            "grpcs://127.0.0.1:8443",
        ),
        (
            "/untrusted",
            502,
            "upstream SSL certificate verify error: (18:self-signed certificate) while SSL handshaking to upstream (nobody in proxy_ssl_trusted_certificate has signed it: add who did",
            "https://127.0.0.1:8443",
        ),
        (
            "/http1",
            502,
            "while SSL handshaking to upstream (it does not speak HTTP/2 on this port",
            "grpcs://127.0.0.1:8445",
        ),
        (
            "/old",
            502,
            "while SSL handshaking to upstream (no version or cipher is spoken by both: look at proxy_ssl_protocols and proxy_ssl_ciphers",
            "https://127.0.0.1:8443",
        ),
        (
            "/nameless",
            502,
            "while SSL handshaking to upstream (it wants to be told a name it has: proxy_ssl_server_name on",
            "https://127.0.0.1:8444",
        ),
        (
            "/plain",
            502,
            "SSL_do_handshake() failed (SSL: received corrupt message of type InvalidContentType) while SSL handshaking to upstream (it does not speak TLS on this port",
            "https://127.0.0.1:8092",
        ),
        (
            "/silent",
            502,
            "peer closed connection in SSL handshake while SSL handshaking to upstream (does it speak TLS on this port?",
            "https://127.0.0.1:8090",
        ),
        (
            "/stalls",
            504,
            "upstream timed out (110: Connection timed out) while SSL handshaking to upstream (it is silent for proxy_connect_timeout, 300ms: does it speak TLS",
            "https://127.0.0.1:8091",
        ),
    ];
    for (number, (ask, status, words, backend)) in expected.into_iter().enumerate() {
        let before = server.error_log().len();
        server.at(8080).get(ask).await.is(status);
        let all = server.access_log(number + 1).await;
        let line = server.anonymous(all.last().unwrap());
        assert!(
            line.starts_with(&format!("{} {status} ", ask.split('?').next().unwrap())),
            "{line}"
        );
        assert!(line.contains(words), "{ask}: {line}");
        let log = server.anonymous(&server.error_log()[before..]);
        let told: Vec<_> = log.lines().filter(|line| line.contains("upstream: \"")).collect();
        assert!(told.len() == 1 && told[0].contains(words), "{ask}: {words}\n{log}");
        assert!(told[0].contains("[error]") && told[0].contains(backend), "{ask}: {log}");
    }
}

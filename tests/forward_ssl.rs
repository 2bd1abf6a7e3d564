//! proxy_ssl_*, uwsgi_ssl_*: connections to upstreams that are encrypted.

use crate::harness::Tidegate;

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
    let other = crate::harness::tls::certificate(&["localhost"]);
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

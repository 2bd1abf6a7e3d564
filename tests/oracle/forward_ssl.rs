//! Over TLS to upstreams: whose certificate is taken, and which of ours is shown.

use super::compare::alike;
use crate::harness::tls::certificate;

#[tokio::test]
async fn certificates_of_upstreams_are_judged_and_ours_are_shown() {
    let (one, two, other) = (certificate(&["one"]), certificate(&["two"]), certificate(&["other"]));
    alike(
        r#"ssl_certificate cert.pem; ssl_certificate_key key.pem;
        proxy_ssl_trusted_certificate cert.pem;
        server { listen 127.0.0.1:8444 ssl; ssl_verify_client optional_no_ca; ssl_client_certificate cert.pem;
            return 200 "[$ssl_client_s_dn] [$ssl_server_name] $ssl_protocol $host"; }
        server { listen 127.0.0.1:8080; proxy_http_version 1.0;
            location /plain { proxy_pass https://127.0.0.1:8444; }
            location /name { proxy_pass https://127.0.0.1:8444; proxy_ssl_verify on; proxy_ssl_name $arg_n; proxy_ssl_server_name on; }
            location /other { proxy_pass https://127.0.0.1:8444; proxy_ssl_verify on; proxy_ssl_name a.test; proxy_ssl_trusted_certificate other.pem; }
            location /old { proxy_pass https://127.0.0.1:8444; proxy_ssl_protocols TLSv1.2; }
            location /fixed { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate one.pem; proxy_ssl_certificate_key one.key; }
            location /show { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate $arg_c.pem; proxy_ssl_certificate_key $arg_c.key; }
            location /half { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate $arg_c.pem; proxy_ssl_certificate_key one.key; }
            location /cache { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate $arg_c.pem; proxy_ssl_certificate_key $arg_c.key; proxy_ssl_certificate_cache max=2 inactive=20s valid=1m; }
            location /empty { proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate $arg_c; proxy_ssl_certificate_key one.key; }
            location /data { set $pem "data:CERT"; proxy_pass https://127.0.0.1:8444; proxy_ssl_certificate $pem; proxy_ssl_certificate_key one.key; }
        }"#
        .replace("CERT", &one.certificate)
        .as_str(),
    )
    .with_certificate(&["a.test", "*.b.test"])
    .with_prefix_file("one.pem", &one.certificate)
    .with_prefix_file("one.key", &one.key)
    .with_prefix_file("two.pem", &two.certificate)
    .with_prefix_file("two.key", &two.key)
    .with_prefix_file("odd.pem", &two.certificate)
    .with_prefix_file("odd.key", &one.key)
    .with_prefix_file("other.pem", &other.certificate)
    .mainline()
    .answers(&[
        "/plain", "/name?n=a.test", "/name?n=x.b.test", "/name?n=b.test", "/name?n=x.y.b.test",
        "/name?n=other", "/name", "/name?n=A.TEST", "/name?n=127.0.0.1", "/other", "/old", "/fixed",
        "/show?c=one", "/show?c=two", "/show?c=one", "/show?c=odd", "/show?c=none", "/show",
        "/half?c=one", "/half?c=two", "/empty", "/empty?c=one.pem", "/data",
        "/cache?c=one", "/cache?c=two", "/cache?c=odd", "/cache?c=one", "/cache?c=none",
    ])
    .await;
}

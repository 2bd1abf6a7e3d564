//! proxy_ssl_session_reuse, _crl, _verify_depth, _password_file, _ciphers, _conf_command: each one acts.

use rcgen::SerialNumber;

use crate::harness::Tidegate;
use crate::harness::tls::{Authority, Made, named, openssl};
use crate::oracle::client_chain::list;

const CONF: &str = "
    ssl_session_tickets on;
    proxy_http_version 1.0;
    proxy_ssl_name a.test;
    proxy_ssl_trusted_certificate root.pem;
    server { listen 127.0.0.1:8443 ssl; ssl_certificate one.pem; ssl_certificate_key one.key;
        return 200 \"$ssl_session_reused $ssl_cipher\"; }
    server { listen 127.0.0.1:8444 ssl; ssl_certificate deep.pem; ssl_certificate_key deep.key; return 200 deep; }
    server { listen 127.0.0.1:8445 ssl; ssl_certificate one.pem; ssl_certificate_key one.key;
        ssl_verify_client optional_no_ca; ssl_client_certificate root.pem; return 200 \"$ssl_client_s_dn\"; }
    server {
        listen 127.0.0.1:8080;
        location /reused { proxy_pass https://127.0.0.1:8443; }
        location /new { proxy_pass https://127.0.0.1:8443; proxy_ssl_session_reuse off; }
        location /aes256 { proxy_pass https://127.0.0.1:8443; proxy_ssl_protocols TLSv1.2;
            proxy_ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384; }
        location /chacha { proxy_pass https://127.0.0.1:8443; proxy_ssl_protocols TLSv1.2;
            proxy_ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305; }
        location /suite { proxy_pass https://127.0.0.1:8443;
            proxy_ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256; }
        location /held { proxy_pass https://127.0.0.1:8443; proxy_ssl_verify on; proxy_ssl_crl others.crl; }
        location /revoked { proxy_pass https://127.0.0.1:8443; proxy_ssl_verify on; proxy_ssl_crl one.crl; }
        location /deep { proxy_pass https://127.0.0.1:8444; proxy_ssl_verify on; }
        location /shallow { proxy_pass https://127.0.0.1:8444; proxy_ssl_verify on; proxy_ssl_verify_depth 0; }
        location /locked { proxy_pass https://127.0.0.1:8445; proxy_ssl_certificate one.pem;
            proxy_ssl_certificate_key locked.key; proxy_ssl_password_file passwords; }
    }";

#[tokio::test]
async fn each_setting_of_tls_acts() {
    let root = Authority::new("root");
    let between = root.below("between");
    let mut params = named(&["a.test"]);
    params.serial_number = Some(SerialNumber::from(7u64));
    let one = root.sign(params);
    let Made { certificate, key } = between.sign(named(&["a.test"]));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("one.key"), &one.key).expect("a file");
    let lock = "pkcs8 -topk8 -in one.key -v2 aes-256-cbc -passout pass:secret -out locked.key";
    openssl(folder.path(), lock, "").await;
    let server = Tidegate::start(CONF)
        .with_prefix_file("root.pem", root.certificate())
        .with_prefix_file("one.pem", &one.certificate)
        .with_prefix_file("one.key", &one.key)
        .with_prefix_file("locked.key", std::fs::read(folder.path().join("locked.key")).unwrap())
        .with_prefix_file("passwords", "wrong\nsecret\n")
        .with_prefix_file("deep.pem", certificate + &between.certificate())
        .with_prefix_file("deep.key", key)
        .with_prefix_file("one.crl", list(&root, &[7], 2099))
        .with_prefix_file("others.crl", list(&root, &[8], 2099))
        .await;
    let client = server.at(8080);
    client.get("/reused").await.is(200).mentions(". ");
    client.get("/reused").await.is(200).mentions("r ");
    client.get("/new").await.is(200).mentions(". ");
    client.get("/new").await.is(200).mentions(". ");
    client.get("/aes256").await.is(200).says(". ECDHE-ECDSA-AES256-GCM-SHA384");
    client.get("/chacha").await.is(200).says(". ECDHE-ECDSA-CHACHA20-POLY1305");
    client.get("/suite").await.is(200).says(". TLS_CHACHA20_POLY1305_SHA256");
    client.get("/held").await.is(200);
    client.get("/revoked").await.is(502);
    server.logs("upstream SSL certificate verify error: (23:certificate revoked)").await;
    client.get("/deep").await.is(200).says("deep");
    client.get("/shallow").await.is(502);
    server.logs("upstream SSL certificate verify error: (20:unable to get local issuer").await;
    client.get("/locked").await.is(200).says("CN=a.test");
}

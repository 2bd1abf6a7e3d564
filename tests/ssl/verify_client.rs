//! Clients' certificates: who is let in, and what is said of them.

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};

use crate::harness::{Tidegate, tls};

const CONF: &str = "
    ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_client_certificate ca.pem;
    log_format v '$ssl_client_verify|$ssl_client_s_dn|$ssl_client_i_dn';
    server { listen 127.0.0.1:8443 ssl; ssl_verify_client on; return 200 \"$ssl_client_verify $ssl_client_s_dn $ssl_client_i_dn\"; }
    server { listen 127.0.0.1:8444 ssl; ssl_verify_client optional; return 200 $ssl_client_verify; }
    server { listen 127.0.0.1:8445 ssl; ssl_verify_client optional_no_ca; return 200 $ssl_client_verify; }
    server { listen 127.0.0.1:8446 ssl; ssl_verify_client on; ssl_crl crl.pem; return 200 $ssl_client_verify; }
    server { listen 127.0.0.1:8447 ssl; ssl_verify_client on; server_name a.test; return 200 a; }
    server { listen 127.0.0.1:8447 ssl; server_name b.test; return 200 b; }
    server { listen 127.0.0.1:8448 ssl; ssl_verify_client on; error_page 495 496 /said; location /said { return 200 said; } location / { return 200 in; } }
";

#[tokio::test]
async fn clients_must_show_what_the_server_asks_for() {
    let (ours, theirs) = (tls::Authority::new("Ours"), tls::Authority::new("Theirs"));
    let mut params = tls::named(&["client"]);
    params.serial_number = Some(SerialNumber::from(77u64));
    let good = ours.sign(params);
    let mut params = tls::named(&["client"]);
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let late = ours.sign(params);
    let strange = theirs.sign(tls::named(&["client"]));
    let own = tls::certificate(&["client"]);
    let server = Tidegate::start(CONF)
        .with_certificate(&["localhost"])
        .with_prefix_file("ca.pem", ours.certificate())
        .with_prefix_file("crl.pem", crl(&ours))
        .await;
    let with = |port: u16, made: &tls::Made| {
        server.at(port).over_tls_as("localhost", tls::config_with(made))
    };
    with(8443, &good).get("/").await.is(200).says("SUCCESS CN=client CN=Ours");
    let none = server.over_tls("localhost").get("/").await;
    none.is(400).mentions("No required SSL certificate was sent");
    with(8443, &strange).get("/").await.is(400).mentions("The SSL certificate error");
    server
        .logs("client SSL certificate verify error: (21:unable to verify the first certificate)")
        .await;
    with(8443, &late).get("/").await.is(400);
    server.logs("client SSL certificate verify error: (10:certificate has expired)").await;
    server.at(8444).over_tls("localhost").get("/").await.says("NONE");
    with(8444, &strange).get("/").await.is(400);
    with(8445, &strange).get("/").await.says("FAILED:unable to verify the first certificate");
    with(8445, &own).get("/").await.says("FAILED:self-signed certificate");
    with(8445, &late).get("/").await.is(400);
    with(8446, &good).get("/").await.is(400);
    server.logs("(23:certificate revoked)").await;
    with(8448, &strange).get("/").await.is(400).says("said");
    server.at(8448).over_tls("localhost").get("/").await.is(400).says("said");
    let b = server.at(8447).over_tls("b.test");
    b.ask("GET / | Host: b.test").await.is(200).says("b");
    b.ask("GET / | Host: a.test").await.is(421);
}

/// A list that takes the certificate with the serial number 77 back.
fn crl(authority: &tls::Authority) -> String {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(77u64),
        revocation_time: rcgen::date_time_ymd(2024, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2024, 1, 1),
        next_update: rcgen::date_time_ymd(2099, 1, 1),
        crl_number: SerialNumber::from(1u64),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    authority.revoke(&list)
}

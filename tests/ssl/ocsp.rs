//! ssl_stapling, ssl_ocsp: what an authority says of certificates, by OpenSSL's responder.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rcgen::{CustomExtension, SerialNumber};

use crate::harness::{Tidegate, eventually, tls};

/// A responder of OpenSSL's, for as long as the value lives.
struct Responder(Child);

impl Responder {
    /// On this port, answering with the name of this authority's files.
    async fn start(folder: &Path, port: u16, signer: &str) -> Self {
        let port = port.to_string();
        let (certificate, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        let said = folder.join(format!("said.{port}"));
        let output = File::create(&said).expect("a file");
        let child = Command::new("openssl")
            .args(["ocsp", "-index", "index", "-CA", "ours.pem", "-nmin", "10", "-port", &port])
            .args(["-rsigner", &certificate, "-rkey", &key])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file"))
            .stderr(output)
            .spawn()
            .expect("openssl can be run");
        // Who only looks whether it listens is waited for by it for ever.
        eventually("the responder listens", async || {
            std::fs::read_to_string(&said).is_ok_and(|text| text.contains("waiting for"))
        })
        .await;
        Self(child)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the responders know: 1 holds, 2 has been taken back, others were never given.
const INDEX: &str = "V\t401231000000Z\t\t01\tunknown\t/CN=a.test\n\
    R\t401231000000Z\t250101000000Z\t02\tunknown\t/CN=client\n";

fn numbered(name: &str, number: u64) -> rcgen::CertificateParams {
    let mut params = tls::named(&[name]);
    params.serial_number = Some(SerialNumber::from(number));
    params
}

/// Names a responder, as an extension of a certificate.
fn asks_at(url: &str) -> CustomExtension {
    let length = |more: usize| u8::try_from(url.len() + more).unwrap();
    let head = [0x30, length(14), 0x30, length(12), 6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 0x86];
    let content = [head.as_slice(), &[length(0)], url.as_bytes()].concat();
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

const CONF: &str = "
    ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_client_certificate ours.pem;
    server { listen 127.0.0.1:8443 ssl; ssl_stapling on; return 200 ok; }
    server { listen 127.0.0.1:8444 ssl; ssl_stapling on; ssl_stapling_responder http://127.0.0.1:8191/; return 200 ok; }
    server { listen 127.0.0.1:8445 ssl; ssl_verify_client on; ssl_ocsp leaf; ssl_ocsp_responder http://127.0.0.1:8190;
        ssl_ocsp_cache shared:ocsp:1m; return 200 $ssl_client_verify; }
    server { listen 127.0.0.1:8446 ssl; ssl_verify_client on; ssl_ocsp on; ssl_ocsp_responder http://127.0.0.1:8191;
        error_page 495 =200 /said; location /said { return 200 $ssl_client_verify; } location / { return 200 in; } }
    server { listen 127.0.0.1:8448 ssl; ssl_stapling on; ssl_certificate $ssl_server_name.pem; ssl_certificate_key key.pem; return 200 ok; }
    server { listen 127.0.0.1:8447 ssl; ssl_verify_client optional; ssl_ocsp on; return 200 $ssl_client_verify; }";

async fn started() -> (Tidegate, tls::Authority) {
    let (ours, theirs) = (tls::Authority::new("Ours"), tls::Authority::new("Theirs"));
    let mut start = Tidegate::start(CONF);
    let mut params = numbered("a.test", 1);
    params.custom_extensions = vec![asks_at(&format!("http://127.0.0.1:{}/", start.port(8190)))];
    let own = ours.sign(params);
    let server = start
        .with_prefix_file("a.test.pem", own.certificate.clone() + &ours.certificate())
        .with_prefix_file("alone.pem", &own.certificate)
        .with_prefix_file("cert.pem", own.certificate + &ours.certificate())
        .with_prefix_file("key.pem", own.key)
        .with_prefix_file("ours.pem", ours.certificate())
        .with_prefix_file("ours.key", ours.key())
        .with_prefix_file("theirs.pem", theirs.certificate())
        .with_prefix_file("theirs.key", theirs.key())
        .with_prefix_file("index", INDEX)
        .with_prefix_file("index.attr", "")
        .await;
    (server, ours)
}

#[tokio::test]
async fn what_our_authority_says_is_sent_along_once_it_has_been_asked_and_checked() {
    let (server, _) = started().await;
    let ask = async |named: u16| {
        let port = server.port(named);
        let arguments = format!("s_client -connect 127.0.0.1:{port} -status -CAfile ours.pem");
        tls::openssl(server.folder(), &arguments, "GET / HTTP/1.0\r\n\r\n").await
    };
    // Nobody answers yet.
    let first = ask(8443).await;
    assert!(first.contains("OCSP response: no response sent"), "{first}");
    assert!(first.contains("200 OK"), "{first}");
    server.logs("OCSP responder cannot be asked (Connection refused").await;
    let _theirs = Responder::start(server.folder(), server.port(8191), "theirs").await;
    ask(8444).await;
    server.logs("OCSP_basic_verify() failed while requesting certificate status, responder: http://127.0.0.1:").await;
    let refused = ask(8444).await;
    assert!(refused.contains("OCSP response: no response sent"), "{refused}");
    let (server, _) = started().await;
    let _ours = Responder::start(server.folder(), server.port(8190), "ours").await;
    // One that a variable names is asked about as well, once it is known.
    for (port, options) in [(8443, ""), (8443, " -tls1_2"), (8448, " -servername a.test")] {
        let arguments = format!(
            "s_client -connect 127.0.0.1:{} -status -CAfile ours.pem{options}",
            server.port(port)
        );
        eventually("the word is sent along", async || {
            let text = tls::openssl(server.folder(), &arguments, "GET / HTTP/1.0\r\n\r\n").await;
            text.contains("OCSP Response Status: successful") && text.contains("Cert Status: good")
        })
        .await;
    }
    let port = server.port(8448);
    let alone = format!("s_client -connect 127.0.0.1:{port} -status -servername alone");
    let text = tls::openssl(server.folder(), &alone, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(text.contains("OCSP response: no response sent"), "{text}");
    server.logs("\"ssl_stapling\" ignored, issuer certificate not found for certificate").await;
}

#[tokio::test]
async fn clients_whose_authority_has_taken_their_certificate_back_are_refused() {
    let (server, ours) = started().await;
    let responder = Responder::start(server.folder(), server.port(8190), "ours").await;
    let theirs = Responder::start(server.folder(), server.port(8191), "theirs").await;
    let client = |port: u16, number: u64| {
        let made = ours.sign(numbered("client", number));
        server.at(port).over_tls_as("localhost", tls::config_with(&made))
    };
    let good = client(8445, 1);
    good.get("/").await.is(200).says("SUCCESS");
    client(8445, 2).get("/").await.is(400).mentions("The SSL certificate error");
    server.logs("client SSL certificate verify error: certificate revoked while reading").await;
    client(8445, 3).get("/").await.is(400);
    server.logs("client SSL certificate verify error: certificate status unknown").await;
    // An answer that somebody else has signed is none.
    client(8446, 1).get("/").await.is(200).says("FAILED:certificate status request failed");
    server.logs("OCSP_basic_verify() failed").await;
    // Whoever names nobody cannot be asked about; who shows nothing is not.
    client(8447, 1).get("/").await.is(400);
    server.logs("no OCSP responder URL in the certificate").await;
    server.at(8447).over_tls("localhost").get("/").await.is(200).says("NONE");
    drop((responder, theirs));
    // What was said is remembered, for a while.
    good.get("/").await.is(200).says("SUCCESS");
    client(8445, 4).get("/").await.is(400);
}

#[test]
fn what_cannot_be_is_told() {
    let check = |conf: &str| Tidegate::start(conf).with_certificate(&["a.test"]).check(&["-t"]);
    let keys = "ssl_certificate cert.pem; ssl_certificate_key key.pem;";
    let (good, text) = check(&format!(
        "server {{ listen 8443 ssl; {keys} ssl_verify_client optional_no_ca; ssl_ocsp on; }}"
    ));
    assert!(!good && text.contains("\"ssl_ocsp\" is incompatible with"), "{text}");
    let (good, text) = check(&format!("server {{ listen 8443 ssl; {keys} ssl_stapling on; }}"));
    assert!(good, "{text}");
    assert!(text.contains("\"ssl_stapling\" ignored, issuer certificate not found"), "{text}");
    for wrong in ["ssl_ocsp_responder https://a.test", "ssl_stapling_responder ftp://a.test"] {
        let (good, text) = check(&format!("server {{ listen 8443 ssl; {keys} {wrong}; }}"));
        assert!(!good && text.contains("invalid URL prefix in OCSP responder"), "{text}");
    }
}

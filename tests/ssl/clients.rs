//! Clients that people have, and what they find: openssl, sslyze.

use crate::harness::program::{printed, python};
use crate::harness::{Backend, Tidegate, tls};

#[tokio::test]
async fn openssl_sends_early_data_and_is_told_that_it_is_too_early() {
    let backend = Backend::http(|request| {
        if request.contains("\r\nEarly-Data: 1\r\n") {
            "HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n".to_owned()
        } else {
            crate::harness::backend::ok(request)
        }
    })
    .await;
    let server = Tidegate::start(
        "ssl_certificate cert.pem; ssl_certificate_key key.pem;
        server { listen 127.0.0.1:8444 ssl; ssl_protocols TLSv1.3; ssl_early_data on;
            location / { if ($ssl_early_data) { return 425; } return 200 late; }
            location /up { proxy_pass http://127.0.0.1:8090; proxy_set_header Early-Data $ssl_early_data; } }",
    )
    .with_port(8090, backend.port())
    .with_certificate(&["a.test"])
    .await;
    let port = server.port(8444);
    for (path, word) in [("/", "425"), ("/up", "425 Too Early")] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        std::fs::write(server.folder().join("early"), &request).unwrap();
        let usual = format!("s_client -connect 127.0.0.1:{port} -tls1_3 -quiet -no_ign_eof");
        let first = tls::openssl(server.folder(), &format!("{usual} -sess_out e"), &request).await;
        assert!(first.contains("HTTP/1.1 200 OK"), "{first}");
        let again =
            format!("s_client -connect 127.0.0.1:{port} -tls1_3 -sess_in e -early_data early");
        let early = tls::openssl(server.folder(), &again, "").await;
        assert!(early.contains(&format!("HTTP/1.1 {word}")), "{early}");
        // Once the handshake is over the same is well, as a client is told by RFC 8470 to try.
        let late = tls::openssl(server.folder(), &usual, &request).await;
        assert!(late.contains("HTTP/1.1 200 OK"), "{late}");
    }
}

#[tokio::test]
async fn sslyze_has_no_finding() {
    let authority = tls::Authority::new("Ours");
    let now = std::time::SystemTime::now();
    let day = std::time::Duration::from_hours(24);
    let mut params = tls::named(&["localhost"]);
    params.not_before = (now - day).into();
    params.not_after = (now + 80 * day).into();
    let made = authority.sign(params);
    let server = Tidegate::start(
        "ssl_certificate cert.pem; ssl_certificate_key key.pem;
        server { listen 127.0.0.1:8443 ssl; return 200 ok; }
        server { listen 127.0.0.1:8444 ssl; ssl_protocols TLSv1.3; return 200 ok; }",
    )
    .with_prefix_file("cert.pem", made.certificate + &authority.certificate())
    .with_prefix_file("key.pem", made.key)
    .with_prefix_file("ours.pem", authority.certificate())
    .await;
    let trusted = server.folder().join("ours.pem").display().to_string();
    let judged = async |port: u16, profile: &str| {
        let to = format!("localhost:{}", server.port(port));
        let profile = format!("--mozilla_config={profile}");
        printed(&python("sslyze"), &["--certinfo_ca_file", &trusted, &profile, &to]).await
    };
    // What is on by default is Mozilla's middle; the strictest leaves TLS 1.2 out.
    for (port, profile) in [(8443, "intermediate"), (8444, "modern")] {
        let Some(text) = judged(port, profile).await else { return };
        assert!(text.contains("OK - Compliant"), "{text}");
    }
    // Which is all that it finds fault with.
    let Some(text) = judged(8443, "modern").await else { return };
    let (_, faults) = text.split_once("FAILED - Not compliant.").expect("TLS 1.2 is a fault there");
    let mut faults = faults.lines().filter_map(|line| line.trim().strip_prefix("* "));
    let version = "tls_versions: TLS versions {'TLSv1.2'} are supported, but should be rejected.";
    assert_eq!(faults.next(), Some(version), "{text}");
    let ciphers = faults.next().unwrap_or_default();
    assert!(ciphers.starts_with("ciphers: Cipher suites {'TLS_ECDHE_ECDSA_WITH_"), "{text}");
    let strange =
        ciphers.split('\'').skip(1).step_by(2).find(|name| {
            !name.starts_with("TLS_ECDHE_ECDSA_WITH_AES_") && !name.contains("CHACHA20")
        });
    assert_eq!((strange, faults.next()), (None, None), "{text}");
}

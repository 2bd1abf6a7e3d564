//! `$ssl_sigalg` and the like, `$ssl_session_id`: what a handshake was signed by, and its number.

use crate::harness::{Tidegate, tls};

const CONF: &str = "
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    ssl_verify_client optional_no_ca; ssl_client_certificate cert.pem;
    server { listen 127.0.0.1:8443 ssl; ssl_session_tickets off; ssl_session_cache shared:SSL:1m;
        return 200 'SAID $ssl_sigalg|$ssl_client_sigalg|$ssl_sigalgs|$ssl_curve|$ssl_session_reused|$ssl_session_id|'; }
    server { listen 127.0.0.1:8444 ssl; ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
        return 200 'SAID $ssl_sigalg|$ssl_client_sigalg|||$ssl_session_reused|$ssl_session_id|'; }
";

async fn server() -> Tidegate {
    let folder = tempfile::tempdir().unwrap();
    // So long that it signs beside the worker.
    let arguments =
        "req -x509 -newkey rsa:2304 -nodes -subj /CN=a.test -keyout rsa.key -out rsa.pem";
    tls::openssl(folder.path(), arguments, "").await;
    let arguments = "req -x509 -newkey ed25519 -nodes -subj /CN=client -keyout ed.key -out ed.pem";
    tls::openssl(folder.path(), arguments, "").await;
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    Tidegate::start(CONF)
        .with_certificate(&["a.test"])
        .with_prefix_file("rsa.pem", read("rsa.pem"))
        .with_prefix_file("rsa.key", read("rsa.key"))
        .with_prefix_file("ed.pem", read("ed.pem"))
        .with_prefix_file("ed.key", read("ed.key"))
        .await
}

/// What stands between the bars of an answer, and all that openssl says of the handshake.
async fn ask(server: &Tidegate, named: u16, options: &str) -> (Vec<String>, String) {
    let port = server.port(named);
    let arguments = format!("s_client -connect 127.0.0.1:{port} -ign_eof {options}");
    let text = tls::openssl(server.folder(), &arguments, "GET / HTTP/1.0\r\n\r\n").await;
    let said = text.lines().find_map(|line| line.strip_prefix("SAID "));
    let said = said.unwrap_or_else(|| panic!("{options}: {text}"));
    (said.split('|').map(str::to_owned).collect(), text)
}

#[tokio::test]
async fn both_sides_are_told_of_whatever_the_version_and_however_it_came_to_it() {
    let server = server().await;
    let ours = "ecdsa_secp256r1_sha256";
    let shown = "-cert ed.pem -key ed.key";
    for (port, options, expected) in [
        (8443, "-tls1_3", [ours, ""]),
        (8443, "-tls1_2", [ours, ""]),
        (8443, &format!("-tls1_3 {shown}"), [ours, "ed25519"]),
        (8443, &format!("-tls1_2 {shown}"), [ours, "ed25519"]),
        // Nothing that we take is offered with a key at once, so that a second hello is asked for.
        (8443, &format!("-tls1_3 -groups P-521:P-256 {shown}"), [ours, "ed25519"]),
        (8444, "-tls1_3 -groups P-521:P-256 -sigalgs RSA-PSS+SHA384", ["rsa_pss_rsae_sha384", ""]),
        (8444, "-tls1_3 -sigalgs RSA-PSS+SHA256", ["rsa_pss_rsae_sha256", ""]),
        (8444, "-tls1_2 -sigalgs RSA+SHA384", ["rsa_pkcs1_sha384", ""]),
    ] {
        let (said, text) = ask(&server, port, options).await;
        assert_eq!([said[0].as_str(), said[1].as_str()], expected, "{options}: {text}");
        if options.contains("P-521") && port == 8443 {
            assert_eq!(said[3], "prime256v1");
        }
        assert!(port != 8443 || said[2].contains("0x0403"), "{said:?}");
    }
}

#[tokio::test]
async fn a_session_has_the_number_that_the_client_knows_and_keeps_it() {
    let server = server().await;
    let number = |text: &str| {
        let found = text.lines().find_map(|line| line.trim().strip_prefix("Session-ID: "));
        found.unwrap_or_default().to_ascii_lowercase()
    };
    let (first, text) = ask(&server, 8443, "-tls1_2 -sess_out s").await;
    assert_eq!((first[4].as_str(), first[5].len()), (".", 64), "{text}");
    assert_eq!(first[5], number(&text), "{text}");
    let (second, text) = ask(&server, 8443, "-tls1_2 -sess_in s").await;
    assert_eq!((second[4].as_str(), &second[5]), ("r", &first[5]), "{text}");
    // A session that was taken up again was not signed anew.
    assert_eq!((second[0].as_str(), second[1].as_str(), second[2].as_str()), ("", "", ""));
    // Who has a ticket needs no number, until it is shown again.
    let (ticket, text) = ask(&server, 8444, "-tls1_2 -sess_out t").await;
    assert_eq!((ticket[4].as_str(), ticket[5].as_str()), (".", ""), "{text}");
    let (again, text) = ask(&server, 8444, "-tls1_2 -sess_in t").await;
    assert_eq!((again[4].as_str(), again[5].len()), ("r", 64), "{text}");
    // TLS 1.3 has none: one is drawn.
    let (one, _) = ask(&server, 8443, "-tls1_3").await;
    let (other, _) = ask(&server, 8443, "-tls1_3").await;
    assert_eq!((one[5].len(), other[5].len()), (64, 64));
    assert_ne!(one[5], other[5]);
}

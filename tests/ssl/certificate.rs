//! Certificates: what is read, what is chosen, and what is told of them.

use crate::harness::{Tidegate, tls};

/// Has the server end the conversation.
const ASK: &str = "GET / HTTP/1.0\r\n\r\n";

const SERVER: &str = "server { listen 127.0.0.1:8443 ssl; server_name a.test;
    ssl_certificate cert.pem; ssl_certificate_key key.pem; return 200 $ssl_cipher; }";

#[test]
fn what_is_wrong_with_files_is_told_with_its_mend_and_nothing_starts() {
    let made = tls::certificate(&["a.test"]);
    let other = tls::certificate(&["a.test"]);
    let check = |certificate: &str, key: &str| {
        let start = Tidegate::start(SERVER)
            .with_prefix_file("cert.pem", certificate)
            .with_prefix_file("key.pem", key);
        let (good, text) = start.check(&["-t"]);
        assert!(!good, "{text}");
        text
    };
    let (good, text) = Tidegate::start(SERVER).check(&["-t"]);
    assert!(!good);
    for words in [
        "cannot load certificate \"PREFIX/cert.pem\": BIO_new_file() failed",
        "No such file",
        "nginx.conf:",
        "hint:",
    ] {
        assert!(text.contains(words), "no {words} in {text}");
    }
    let text = check(&made.certificate, &other.key);
    assert!(
        text.contains("cannot load certificate key") && text.contains("key values mismatch"),
        "{text}"
    );
    let text = check(&made.key, &made.certificate);
    assert!(text.contains("no start line") && text.contains("exchanged"), "{text}");
    let text = check(&made.certificate.replace("MII", "!II"), &made.key);
    assert!(text.contains("bad base64 decode"), "{text}");
    let stapled = SERVER.replace("return", "ssl_stapling on; ssl_stapling_file key.pem; return");
    let (good, text) = Tidegate::start(&stapled)
        .with_prefix_file("cert.pem", &made.certificate)
        .with_prefix_file("key.pem", &made.key)
        .check(&["-t"]);
    assert!(!good && text.contains("d2i_OCSP_RESPONSE_bio(\"PREFIX/key.pem\") failed"), "{text}");
    let (good, text) = Tidegate::start("server { listen 8443 ssl; }").check(&["-t"]);
    assert!(
        !good && text.contains("no \"ssl_certificate\" is defined for the \"listen ... ssl\""),
        "{text}"
    );
    let half = "server { listen 8443 ssl; ssl_certificate cert.pem; }";
    let (good, text) = Tidegate::start(half).check(&["-t"]);
    assert!(
        !good && text.contains("no \"ssl_certificate_key\" is defined for certificate"),
        "{text}"
    );
}

#[test]
fn a_certificate_that_ends_soon_is_for_others_or_comes_alone_is_warned_of() {
    let authority = tls::Authority::new("Our Authority");
    let mut params = tls::named(&["b.test"]);
    let now = std::time::SystemTime::now();
    params.not_before = (now - std::time::Duration::from_hours(24)).into();
    params.not_after = (now + std::time::Duration::from_hours(24 * 5)).into();
    let made = authority.sign(params);
    let (good, text) = Tidegate::start(SERVER)
        .with_prefix_file("cert.pem", &made.certificate)
        .with_prefix_file("key.pem", &made.key)
        .check(&["-t"]);
    assert!(good, "{text}");
    for words in ["ends in ", "is not for a.test", "without that of its signer, Our Authority"] {
        assert!(text.contains(words), "no {words} in {text}");
    }
    let made = tls::certificate(&["a.test"]);
    let (good, text) = Tidegate::start(SERVER)
        .with_prefix_file("cert.pem", &made.certificate)
        .with_prefix_file("key.pem", &made.key)
        .check(&["-t"]);
    assert!(good && !text.contains("[warn]"), "{text}");
    let hour = std::time::Duration::from_hours(1);
    for (begins, ends, words) in [
        (now - hour, now + 12 * hour * 27, "ends in 13 days"),
        (now - hour, now + 24 * hour * 15, ""),
        (now - 3 * hour, now - hour, "has ended on"),
        (now + hour, now + 24 * hour * 90, "begins on"),
    ] {
        let mut params = tls::named(&["a.test"]);
        (params.not_before, params.not_after) = (begins.into(), ends.into());
        let made = authority.sign(params);
        let (good, text) = Tidegate::start(SERVER)
            .with_prefix_file("cert.pem", made.certificate + &authority.certificate())
            .with_prefix_file("key.pem", &made.key)
            .check(&["-t"]);
        assert!(good && text.contains(words), "{words}: {text}");
        assert_eq!(text.contains("[warn]"), !words.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn keys_that_are_not_spoken_are_refused_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [
        "RSA-PSS -pkeyopt rsa_keygen_bits:2048",
        "ED448",
        "EC -pkeyopt ec_paramgen_curve:secp256k1",
    ] {
        for arguments in [
            &format!("genpkey -algorithm {kind} -out key"),
            "req -x509 -key key -subj /CN=a.test -days 90 -out cert",
        ] {
            tls::openssl(folder.path(), arguments, "").await;
        }
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        let (good, text) = Tidegate::start(SERVER)
            .with_prefix_file("cert.pem", read("cert"))
            .with_prefix_file("key.pem", read("key"))
            .check(&["-t"]);
        assert!(!good, "{kind}: {text}");
        for words in ["cannot load certificate key \"PREFIX/key.pem\"", "use an RSA key of 2048 to"]
        {
            assert!(text.contains(words), "{kind}: no {words} in {text}");
        }
    }
}

#[tokio::test]
async fn of_several_the_one_that_a_client_can_take_is_shown_and_keys_may_be_locked() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=a.test -keyout rsa.key -out rsa.pem",
        "rsa -in rsa.key -aes256 -traditional -passout pass:secret -out rsa-locked.key",
    ] {
        tls::openssl(folder.path(), arguments, "").await;
    }
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8443 ssl; return 200 $ssl_cipher;
            ssl_password_file passwords;
            ssl_certificate rsa.pem; ssl_certificate_key rsa.key;
            ssl_certificate cert.pem; ssl_certificate_key key.pem; }",
    )
    .with_certificate(&["a.test"])
    .with_prefix_file("rsa.pem", read("rsa.pem"))
    .with_prefix_file("rsa.key", read("rsa-locked.key"))
    .with_prefix_file("passwords", "wrong\nsecret\n")
    .await;
    assert!(server.read("rsa.key").contains("Proc-Type: 4,ENCRYPTED"));
    let port = server.port(8443);
    let ask = async |algorithms: &str| {
        let arguments = format!("s_client -connect 127.0.0.1:{port} -tls1_2 {algorithms}");
        tls::openssl(server.folder(), &arguments, "GET / HTTP/1.0\r\n\r\n").await
    };
    assert!(ask("").await.contains("ECDHE-ECDSA"));
    assert!(ask("-cipher aRSA").await.contains("ECDHE-RSA"));
}

#[tokio::test]
async fn a_reload_takes_a_new_certificate_and_keeps_the_old_upon_a_bad_one() {
    let mut server = Tidegate::start(SERVER).with_certificate(&["one.test"]).await;
    let port = server.port(8443);
    let folder = server.folder().to_owned();
    let subject = async || {
        let arguments = format!("s_client -connect 127.0.0.1:{port}");
        let text = tls::openssl(&folder, &arguments, ASK).await;
        text.lines()
            .find(|line| line.starts_with("subject="))
            .map(str::to_owned)
            .unwrap_or_default()
    };
    assert!(subject().await.ends_with("one.test"));
    let next = tls::certificate(&["two.test"]);
    std::fs::write(folder.join("cert.pem"), &next.certificate).unwrap();
    server.reload(SERVER);
    server.logs("key values mismatch").await;
    server.logs("the old configuration holds on").await;
    assert!(subject().await.ends_with("one.test"));
    std::fs::write(folder.join("key.pem"), &next.key).unwrap();
    server.reload(SERVER);
    server.logs("the new configuration holds").await;
    crate::harness::eventually("the new one is shown", async || {
        subject().await.ends_with("two.test")
    })
    .await;
}

#[tokio::test]
async fn variables_and_the_configuration_itself_may_hold_certificates() {
    let one = tls::certificate(&["one.test"]);
    let (certificate, key) = (one.certificate.trim_end(), one.key.trim_end());
    let server = Tidegate::start(&format!(
        "server {{ listen 127.0.0.1:8443 ssl; return 200 ok;
            ssl_certificate $ssl_server_name.pem; ssl_certificate_key $ssl_server_name.key; }}
        server {{ listen 127.0.0.1:8444 ssl; return 200 data;
            ssl_certificate 'data:{certificate}'; ssl_certificate_key 'data:{key}'; }}
        map $ssl_server_name $shown {{ one.test '{certificate}'; }}
        map $ssl_server_name $kept {{ one.test '{key}'; }}
        server {{ listen 127.0.0.1:8445 ssl; return 200 both;
            ssl_certificate 'data:$shown'; ssl_certificate_key 'data:$kept'; }}"
    ))
    .with_prefix_file("one.test.pem", &one.certificate)
    .with_prefix_file("one.test.key", &one.key)
    .await;
    let port = server.port(8443);
    let text = tls::openssl(
        server.folder(),
        &format!("s_client -connect 127.0.0.1:{port} -servername one.test"),
        ASK,
    )
    .await;
    assert!(text.contains("CN = one.test"), "{text}");
    assert!(server.over_tls("missing.test").try_handshake().await.is_err());
    server.logs("cannot load certificate \"").await;
    server.at(8444).over_tls("one.test").get("/").await.is(200).says("data");
    server.at(8445).over_tls("one.test").get("/").await.is(200).says("both");
    assert!(server.at(8445).over_tls("two.test").try_handshake().await.is_err());
}

#[tokio::test]
async fn keys_may_have_any_form() {
    let folder = tempfile::tempdir().unwrap();
    let made = "-nodes -subj /CN=a.test";
    for arguments in [
        &format!("req -x509 -newkey ed25519 {made} -keyout 8443.key -out 8443.pem"),
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 {made} -keyout pkcs8 -out 8444.pem"
        ),
        "ec -in pkcs8 -out 8444.key",
        &format!("req -x509 -newkey rsa:2048 {made} -keyout 8445.key -out 8445.pem"),
        "rsa -in 8445.key -traditional -out 8446.key",
        "pkcs8 -topk8 -in 8445.key -v2 aes-256-cbc -passout pass:secret -out 8447.key",
        "pkcs8 -topk8 -in 8445.key -scrypt -passout pass:secret -out 8448.key",
    ] {
        tls::openssl(folder.path(), arguments, "").await;
    }
    let ports = [
        (8443, 8443, "BEGIN PRIVATE KEY"),
        (8444, 8444, "BEGIN EC PRIVATE KEY"),
        (8445, 8445, "BEGIN PRIVATE KEY"),
        (8446, 8445, "BEGIN RSA PRIVATE KEY"),
        (8447, 8445, "BEGIN ENCRYPTED PRIVATE KEY"),
        (8448, 8445, "BEGIN ENCRYPTED PRIVATE KEY"),
    ];
    let mut conf = "ssl_password_file passwords;\n".to_owned();
    for (port, certificate, form) in ports {
        let key = std::fs::read_to_string(folder.path().join(format!("{port}.key"))).unwrap();
        assert!(key.contains(form), "{port}: {key}");
        conf += &format!(
            "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate c{certificate}.pem; \
             ssl_certificate_key k{port}.pem; return 200 ok; }}\n"
        );
    }
    let mut start = Tidegate::start(&conf).with_prefix_file("passwords", "secret\n");
    for (port, certificate, _) in ports {
        let read = |name: String| std::fs::read(folder.path().join(name)).unwrap();
        start = start
            .with_prefix_file(&format!("k{port}.pem"), read(format!("{port}.key")))
            .with_prefix_file(&format!("c{certificate}.pem"), read(format!("{certificate}.pem")));
    }
    let server = start.await;
    for (port, ..) in ports {
        server.at(port).over_tls("a.test").get("/").await.is(200).says("ok");
    }
}

//! ssl_stapling_file: what openssl is told of a certificate by both.

use std::path::Path;

use super::nginx::oracle;
use crate::harness::{Tidegate, process, tls};

const CONF: &str = "
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    server { listen 127.0.0.1:8443 ssl; ssl_stapling on; ssl_stapling_file said.der; return 200 ok; }
    server { listen 127.0.0.1:8443 ssl; server_name quiet.test; ssl_stapling_file said.der; return 200 ok; }
    server { listen 127.0.0.1:8443 ssl; server_name other.test; ssl_stapling on; ssl_stapling_file late.der; return 200 ok; }";

const INDEX: &str = "V\t401231000000Z\t\t01\tunknown\t/CN=a.test\n";

/// What the authority says of its certificate of number 1.
async fn said(folder: &Path, days: &str) -> Vec<u8> {
    let arguments = format!(
        "ocsp -index index -CA ours.pem -rsigner ours.pem -rkey ours.key -reqin asked.der \
         -respout said.der {days}"
    );
    for arguments in
        ["ocsp -issuer ours.pem -cert cert.pem -no_nonce -reqout asked.der", &arguments]
    {
        tls::openssl(folder, arguments, "").await;
    }
    std::fs::read(folder.join("said.der")).expect("an answer")
}

#[tokio::test]
async fn the_same_word_is_sent_along() {
    let Some(oracle) = oracle() else { return };
    let ours = tls::Authority::new("Ours");
    let mut params = tls::named(&["a.test"]);
    params.serial_number = Some(rcgen::SerialNumber::from(1u64));
    let made = ours.sign(params);
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("cert.pem", made.certificate + &ours.certificate()),
        ("key.pem", made.key),
        ("ours.pem", ours.certificate()),
        ("ours.key", ours.key()),
        ("index", INDEX.to_owned()),
        ("index.attr", String::new()),
    ];
    for (name, text) in &files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let word = said(folder.path(), "-ndays 3").await;
    let late = said(folder.path(), "-nmin 0").await;
    let mut told = Vec::new();
    for binary in [&oracle.binary, &process::binary()] {
        let start = Tidegate::start(CONF).with_binary(binary).with_prefix_file("said.der", &word);
        let start = start.with_prefix_file("late.der", &late);
        let server = files
            .iter()
            .fold(start, |start, (name, text)| start.with_prefix_file(name, text))
            .await;
        let port = server.port(8443);
        let mut all = Vec::new();
        for options in [
            "-status",
            "-status -tls1_2",
            "",
            "-status -servername quiet.test",
            "-status -servername other.test",
        ] {
            let arguments =
                format!("s_client -connect 127.0.0.1:{port} -CAfile ours.pem {options}");
            let text = tls::openssl(folder.path(), &arguments, "GET / HTTP/1.0\r\n\r\n").await;
            assert!(text.contains("200 OK"), "{options}: {text}");
            let word = text.lines().skip_while(|line| !line.starts_with("OCSP response"));
            let word: Vec<String> = word
                .take_while(|line| !line.starts_with("Certificate chain"))
                .map(str::to_owned)
                .collect();
            all.push((options, word.join("\n")));
        }
        assert!(all[0].1.contains("Cert Status: good"), "{}", all[0].1);
        told.push(all);
    }
    let [theirs, ours] = &told[..] else { panic!("two servers") };
    for (theirs, ours) in theirs.iter().zip(ours) {
        assert_eq!(theirs, ours);
    }
}

//! Sessions: by tickets, in zones, not between servers of different trust, and early data.

use crate::harness::{Tidegate, eventually, tls};

const CONF: &str = "
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    server { listen 127.0.0.1:8443 ssl; return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8444 ssl; ssl_session_tickets off; ssl_session_cache shared:SSL:1m;
        return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8445 ssl; ssl_session_tickets off; return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8446 ssl; ssl_session_ticket_key one; ssl_session_ticket_key two;
        return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8447 ssl; ssl_session_ticket_key two; ssl_session_ticket_key one;
        return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8448 ssl; ssl_session_ticket_key one;
        ssl_verify_client optional_no_ca; return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8450 ssl; server_name a.test; ssl_session_cache shared:S:1m; ssl_session_timeout 77;
        return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8450 ssl; server_name b.test; ssl_session_cache shared:S:1m; ssl_session_ticket_key one;
        return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8450 ssl; server_name c.test; ssl_session_cache shared:S:1m; ssl_session_ticket_key one;
        ssl_verify_client optional; ssl_client_certificate cert.pem; return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8451 ssl; ssl_session_tickets off; server_name b.test; ssl_session_cache shared:U:1m;
        return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8451 ssl; ssl_session_tickets off; server_name c.test; ssl_session_cache shared:U:1m;
        ssl_verify_client optional; ssl_client_certificate cert.pem; return 200 \"reused=$ssl_session_reused\"; }
    server { listen 127.0.0.1:8449 ssl; ssl_early_data on; return 200 \"early=[$ssl_early_data] reused=$ssl_session_reused\"; }
";

async fn server() -> Tidegate {
    Tidegate::start(CONF)
        .with_certificate(&["localhost"])
        .with_prefix_file("one", "1".repeat(48))
        .with_prefix_file("two", "2".repeat(80))
        .await
}

/// Asks a port, keeping the session in a file or taking it from there.
async fn ask(server: &Tidegate, named: u16, options: &str) -> String {
    let port = server.port(named);
    let arguments = format!("s_client -connect 127.0.0.1:{port} -quiet -no_ign_eof {options}");
    tls::openssl(server.folder(), &arguments, "GET / HTTP/1.0\r\n\r\n").await
}

#[tokio::test]
async fn sessions_are_taken_up_again_where_the_configuration_lets_them() {
    let server = server().await;
    for version in ["-tls1_2", "-tls1_3"] {
        for (port, expected) in [(8443, "r"), (8444, "r"), (8445, ".")] {
            let first = ask(&server, port, &format!("{version} -sess_out s")).await;
            assert!(first.contains("reused=."), "{version} {port}: {first}");
            let second = ask(&server, port, &format!("{version} -sess_in s")).await;
            assert!(second.contains(&format!("reused={expected}")), "{version} {port}: {second}");
        }
    }
}

#[tokio::test]
async fn keys_of_tickets_are_shared_and_changed_but_never_across_trusts() {
    let server = server().await;
    for version in ["-tls1_2", "-tls1_3"] {
        ask(&server, 8446, &format!("{version} -sess_out t")).await;
        let same = ask(&server, 8447, &format!("{version} -sess_in t")).await;
        assert!(same.contains("reused=r"), "{version}: {same}");
        let other = ask(&server, 8448, &format!("{version} -sess_in t")).await;
        assert!(other.contains("reused=."), "{version}: {other}");
        // A session of one that asks for no certificate is none of one that does.
        let drawn = ask(&server, 8443, &format!("{version} -sess_in t")).await;
        assert!(drawn.contains("reused=."), "{version}: {drawn}");
    }
}

#[tokio::test]
async fn early_data_is_answered_once_and_said_to_be_early() {
    let server = server().await;
    std::fs::write(server.folder().join("early"), "GET / HTTP/1.0\r\n\r\n").unwrap();
    let first = ask(&server, 8449, "-tls1_3 -sess_out e").await;
    assert!(first.contains("early=[] reused=."), "{first}");
    let port = server.port(8449);
    let arguments =
        format!("s_client -connect 127.0.0.1:{port} -tls1_3 -sess_in e -early_data early");
    let early = tls::openssl(server.folder(), &arguments, "").await;
    assert!(early.contains("early=[1] reused=r"), "{early}");
    // The session has served; what comes early is passed over, and has to be asked again.
    let again = tls::openssl(server.folder(), &arguments, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(again.contains("early=[] reused=."), "{again}");
}

#[tokio::test]
async fn a_session_of_one_name_is_none_of_another_that_asks_for_certificates() {
    let server = server().await;
    for (port, version) in
        [(8450, "-tls1_2"), (8450, "-tls1_3"), (8451, "-tls1_2"), (8451, "-tls1_3")]
    {
        let ask = async |options: &str| ask(&server, port, &format!("{version} {options}")).await;
        for (from, to, reused) in [("b", "b", "r"), ("b", "c", "."), ("c", "b", ".")] {
            ask(&format!("-servername {from}.test -sess_out n")).await;
            let again = ask(&format!("-servername {to}.test -sess_in n")).await;
            let said = again.contains(&format!("reused={reused}"));
            assert!(said, "{port} {version} {from} {to}: {again}");
        }
    }
    let port = server.port(8450);
    for version in ["-tls1_2", "-tls1_3"] {
        let arguments = format!("s_client -connect 127.0.0.1:{port} -servername a.test {version}");
        let text = tls::openssl(server.folder(), &arguments, "GET / HTTP/1.0\r\n\r\n").await;
        assert!(text.contains("lifetime hint: 77 (seconds)"), "{version}: {text}");
    }
}

#[tokio::test]
async fn keys_of_tickets_are_changed_by_reloads_and_old_ones_decrypt_while_they_are_named() {
    let conf = |round: usize, keys: &[&str]| {
        let keys: Vec<_> =
            keys.iter().map(|key| format!("ssl_session_ticket_key {key};")).collect();
        let keys = keys.concat();
        format!(
            "ssl_certificate cert.pem; ssl_certificate_key key.pem; server {{ listen 127.0.0.1:8443 ssl;
                {keys} return 200 \"round {round} reused=$ssl_session_reused\"; }}"
        )
    };
    let mut server = Tidegate::start(&conf(0, &["one"]))
        .with_certificate(&["localhost"])
        .with_prefix_file("one", "1".repeat(48))
        .with_prefix_file("two", "2".repeat(48))
        .with_prefix_file("three", "3".repeat(80))
        .await;
    ask(&server, 8443, "-tls1_3 -sess_out k0").await;
    // The last one decrypts what the second encrypted while both were named.
    let rounds = [(&["two", "one"][..], "r"), (&["three", "two"], "r"), (&["one"], ".")];
    for (number, (keys, reused)) in rounds.into_iter().enumerate() {
        server.reload(&conf(number + 1, keys));
        let holds = format!("round {} ", number + 1);
        eventually("the new keys hold", async || {
            server.over_tls("localhost").get("/").await.text().starts_with(&holds)
        })
        .await;
        let options = format!("-tls1_3 -sess_in k{number} -sess_out k{}", number + 1);
        let again = ask(&server, 8443, &options).await;
        assert!(again.contains(&format!("reused={reused}")), "{keys:?}: {again}");
    }
}

//! Over TLS: who answers, what is refused, and what is said of handshakes and certificates.

use rcgen::{DnType, DnValue, SerialNumber};

use super::compare::alike;
use crate::harness::tls;

const KEYS: &str = "ssl_certificate cert.pem; ssl_certificate_key key.pem;";

#[tokio::test]
async fn servers_are_chosen_by_the_name_that_is_asked_for() {
    alike(&format!(
        r#"{KEYS}
        server {{ listen 127.0.0.1:8443 ssl; server_name first.test; return 200 "first [$ssl_server_name] $host $server_name"; }}
        server {{ listen 127.0.0.1:8443 ssl; server_name a.test; return 200 "a [$ssl_server_name] $scheme $https"; }}
        server {{ listen 127.0.0.1:8443 ssl; server_name *.b.test; return 200 "b [$ssl_server_name] $host"; }}
        server {{ listen 127.0.0.1:8443 ssl; server_name "~^r(?<n>\d+)\.test$"; return 200 "r$n [$ssl_server_name]"; }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_reject_handshake on; }}
        server {{ listen 127.0.0.1:8444 ssl; server_name good.test; return 200 "good $host"; }}
        server {{ listen 127.0.0.1:8445 ssl default_server; server_name good.test; return 200 "good $host"; }}
        server {{ listen 127.0.0.1:8445 ssl; server_name bad.test; ssl_reject_handshake on; }}
        server {{ listen 127.0.0.1:8445 ssl; server_name c.test; return 200 c; }}"#
    ))
    .with_certificate(&["first.test"])
    .answers(&[
        "@8443 ~first.test / | Host: first.test", "@8443 ~- /", "@8443 ~a.test / | Host: a.test",
        "@8443 ~A.Test / | Host: A.TEST:1", "@8443 ~a.test / | Host: x.b.test",
        "@8443 ~x.b.test / | Host: x.b.test", "@8443 ~b.test / | Host: b.test",
        "@8443 ~r17.test / | Host: r17.test", "@8443 ~r17.test / | Host: other",
        "@8443 ~unknown.test / | Host: a.test", "@8443 ~- / | Host: a.test",
        "@8443 ~a.test / HTTP/1.0 | Host: -", "@8443 ~a.test / HTTP/1.1 | Host: -",
        "@8443 ~a.test GET https://x.b.test/p | Host: a.test",
        "@8444 ~good.test / | Host: good.test", "@8444 ~other.test /", "@8444 ~- /",
        "@8444 ~good.test / | Host: other.test",
        "@8445 ~good.test /", "@8445 ~bad.test /", "@8445 ~c.test / | Host: bad.test",
        "@8445 ~c.test / | Host: c.test", "@8445 ~- / | Host: bad.test",
        "@8443 ~a.test+1.2 / | Host: a.test", "@8444 ~other.test+1.2 /",
    ])
    .await;
}

#[tokio::test]
async fn plain_requests_on_a_port_of_tls_and_redirects() {
    alike(&format!(
        r#"{KEYS}
        server {{ listen 127.0.0.1:8443 ssl; listen 127.0.0.1:8080; root html;
            location /r {{ return 301 /to; }}
            location /s {{ return 302 https://$host$request_uri; }}
            location /w {{ rewrite ^ /x redirect; }}
            location /p {{ port_in_redirect off; return 301 /to; }}
            location /a {{ absolute_redirect off; return 301 /to; }}
            location /b {{ proxy_pass http://127.0.0.1:8090; proxy_set_header X-P "$scheme $https port $server_port"; }}
            location /v {{ return 200 "$scheme|$https|$server_port|$ssl_protocol|$ssl_server_name|$ssl_session_reused|$ssl_client_verify|$http2|$request_scheme_none"; }}
        }}
        server {{ listen 127.0.0.1:8444 ssl; error_page 497 https://$host$request_uri; return 200 in; }}
        server {{ listen 127.0.0.1:8445 ssl; error_page 497 =200 /said; error_page 400 /four;
            location /said {{ return 200 "said $scheme $uri"; }} location /four {{ return 200 four; }} location / {{ return 200 in; }} }}
        server {{ listen 127.0.0.1:8446 ssl; http2 on; error_page 497 @named; location @named {{ return 418 "$status $scheme [$ssl_protocol]"; }} location / {{ return 200 in; }} }}"#
    ).replace("|$request_scheme_none", ""))
    .with_certificate(&["first.test"])
    .with_file("folder/index.html", "x")
    .with_backend(8090, super::compare::echo(&[("/b/away", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:8090/b/there\r\nContent-Length: 0\r\n\r\n")]).await)
    .mainline()
    .answers(&[
        "@8443 /", "@8443 HEAD /x", "@8443 POST / || body", "@8443 / HTTP/1.0 | Host: -",
        "@8443 GET /\r\n", "@8443 GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "@8443 / HTTP/1.1 | Host: -", "@8443 / | Bad Field: x", "@8443 /%00", "@8443 junk\r\n\r\n",
        "@8444 /p?q", "@8444 ~a.test /", "@8445 /x", "@8445 /%00", "@8445 ~a.test /x", "@8446 /x",
        "@8446 ~a.test /x",
        "@8443 ~a.test /r", "@8443 ~a.test /s?q", "@8443 ~a.test /w", "@8443 ~a.test /p",
        "@8443 ~a.test /a", "@8443 ~a.test /folder", "@8443 ~a.test /b/away", "@8443 ~a.test /b",
        "@8443 ~a.test+1.2 /v", "@8080 /v", "@8080 /r", "@8080 /folder",
    ])
    .await;
}

#[tokio::test]
async fn versions_ciphers_and_protocols() {
    alike(&format!(
        r#"{KEYS}
        log_format other '$ssl_protocol $ssl_cipher $ssl_alpn_protocol';
        server {{ listen 127.0.0.1:8443 ssl; http2 on; return 200 "$ssl_protocol|$ssl_cipher|$ssl_ciphers|$ssl_curve|$ssl_curves|$ssl_alpn_protocol|$ssl_early_data|$http2|$server_protocol|$ssl_ech_status|$ssl_ech_outer_server_name|"; }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_protocols TLSv1.3; return 200 "$ssl_protocol $ssl_alpn_protocol"; }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_protocols TLSv1.2; server_name old.test; return 200 "old $ssl_protocol"; }}
        server {{ listen 127.0.0.1:8445 ssl; ssl_protocols TLSv1.2; return 200 "$ssl_protocol"; }}
        server {{ listen 127.0.0.1:8446 ssl; ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384; return 200 "$ssl_cipher"; }}
        server {{ listen 127.0.0.1:8447 ssl; ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384; return 200 "$ssl_cipher"; }}
        server {{ listen 127.0.0.1:8448 ssl; ssl_prefer_server_ciphers on; ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256; return 200 "$ssl_cipher"; }}"#
    ))
    .with_certificate(&["first.test"])
    .mainline()
    .answers(&[
        "@8443 ~a.test+1.2 /", "@8443 ~a.test+1.3 /", "@8443 ~a.test+1.2+aes128 /",
        "@8443 ~a.test+1.3+aes256 /", "@8443 ~a.test+h2 /", "@8443 ~a.test+1.2+h2 /",
        "@8443 ~a.test+alpn:http/1.1 /", "@8443 ~a.test+alpn:odd /", "@8443 ~a.test+alpn:odd,http/1.1 /",
        "@8443 ~a.test+alpn:http/1.0 /", "@8443 ~a.test+alpn:spdy/3,http/0.9 /",
        "@8444 ~a.test+1.2 /", "@8444 ~a.test+1.3 /", "@8444 ~a.test+alpn:h2 /", "@8444 ~a.test+alpn:http/1.1 /",
        "@8444 ~old.test+1.2 / | Host: old.test", "@8444 ~old.test+1.3 / | Host: old.test",
        "@8445 ~a.test+1.2 /", "@8445 ~a.test+1.3 /",
        "@8446 ~a.test+1.2 /", "@8446 ~a.test+1.2+aes128 /", "@8446 ~a.test+1.2+aes256 /",
        "@8447 ~a.test+1.2 /", "@8447 ~a.test+1.3+aes128 /", "@8448 ~a.test+1.2 /",
        "@8448 ~a.test+1.2+aes128 /", "@8448 ~a.test+1.2+aes256 /",
    ])
    .await;
}

#[tokio::test]
async fn sessions_that_are_taken_up_again() {
    alike(&format!(
        r#"{KEYS}
        server {{ listen 127.0.0.1:8443 ssl; return 200 "$ssl_session_reused $ssl_server_name"; }}
        server {{ listen 127.0.0.1:8443 ssl; server_name b.test; return 200 "b $ssl_session_reused"; }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_session_tickets off; return 200 "$ssl_session_reused"; }}
        server {{ listen 127.0.0.1:8445 ssl; ssl_session_tickets off; ssl_session_cache shared:S:1m; return 200 "$ssl_session_reused"; }}
        server {{ listen 127.0.0.1:8446 ssl; ssl_session_tickets off; ssl_session_cache off; return 200 "$ssl_session_reused"; }}
        server {{ listen 127.0.0.1:8447 ssl; ssl_session_timeout 1d; ssl_session_cache builtin:100; return 200 "$ssl_session_reused"; }}
        server {{ listen 127.0.0.1:8448 ssl; ssl_session_ticket_key key1; ssl_session_ticket_key key2; return 200 "$ssl_session_reused"; }}
        server {{ listen 127.0.0.1:8449 ssl; http2 on; return 200 "$ssl_session_reused $http2"; }}
        map $ssl_session_id $number {{ "" none; ~^[0-9a-f]+$ some; default odd; }}
        server {{ listen 127.0.0.1:8450 ssl; return 200 "$ssl_session_reused $number [$ssl_sigalgs] [$ssl_ciphers] [$ssl_curves] [$ssl_cipher] [$ssl_curve]"; }}
        server {{ listen 127.0.0.1:8451 ssl; ssl_session_tickets off; ssl_session_cache shared:T:1m; return 200 "$ssl_session_reused $number [$ssl_sigalgs]"; }}"#
    ))
    .with_certificate(&["a.test"])
    .with_prefix_file("key1", "1".repeat(80))
    .with_prefix_file("key2", "2".repeat(48))
    .mainline()
    .answers(&twice(&["@8443 ~a.test+1.2", "@8443 ~a.test+1.3", "@8443 ~b.test+1.2", "@8443 ~b.test+1.3",
        "@8444 ~a.test+1.2", "@8444 ~a.test+1.3", "@8445 ~a.test+1.2", "@8445 ~a.test+1.3",
        "@8446 ~a.test+1.2", "@8446 ~a.test+1.3", "@8447 ~a.test+1.2", "@8447 ~a.test+1.3",
        "@8448 ~a.test+1.2", "@8448 ~a.test+1.3", "@8449 ~a.test+1.3", "@8450 ~a.test+1.2", "@8450 ~a.test+1.3", "@8451 ~a.test+1.2", "@8451 ~a.test+1.3"]))
    .await;
}

/// Each of these handshakes, and once more on another connection.
fn twice(handshakes: &[&str]) -> Vec<&'static str> {
    let ask = |handshake: &&str| {
        let host = handshake.split(['~', '+']).nth(1).unwrap_or_default();
        let text: &'static str = format!("{handshake} / | Host: {host} | Connection: close").leak();
        [text, text]
    };
    handshakes.iter().flat_map(ask).collect()
}

#[tokio::test]
async fn certificates_of_clients() {
    let (ours, theirs) = (tls::Authority::new("Ours"), tls::Authority::new("Theirs"));
    let mut params = tls::named(&["client"]);
    params.serial_number = Some(SerialNumber::from(vec![0x80, 1, 2, 0xff]));
    for (kind, text) in [
        (DnType::OrganizationName, "Comma, \"Quote\" + <More>; \\ #"),
        (DnType::OrganizationalUnitName, "# first, and last "),
        (DnType::LocalityName, "Zürich"),
    ] {
        params.distinguished_name.push(kind, text);
    }
    let country = DnValue::PrintableString("CH".try_into().unwrap());
    params.distinguished_name.push(DnType::CountryName, country);
    let good = ours.sign(params);
    let mut params = tls::named(&["late"]);
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let late = ours.sign(params);
    let mut params = tls::named(&["early"]);
    params.not_before = rcgen::date_time_ymd(2098, 1, 1);
    params.not_after = rcgen::date_time_ymd(2099, 11, 30);
    let early = ours.sign(params);
    // As `openssl req -x509` makes them: an authority of its own.
    let itself = tls::Authority::new("Itself");
    let itself = tls::Made { certificate: itself.certificate(), key: itself.key() };
    let all = r#"return 200 "$ssl_client_verify|$ssl_client_s_dn|$ssl_client_i_dn|$ssl_client_s_dn_legacy|$ssl_client_i_dn_legacy|$ssl_client_serial|$ssl_client_fingerprint|$ssl_client_v_start|$ssl_client_v_end|$ssl_client_v_remain|$ssl_client_escaped_cert|$ssl_client_raw_cert|$ssl_client_cert|";"#;
    alike(&format!(
        r#"{KEYS} ssl_client_certificate ca.pem;
        server {{ listen 127.0.0.1:8443 ssl; http2 on; ssl_verify_client on; {all} }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_verify_client optional; {all} }}
        server {{ listen 127.0.0.1:8445 ssl; ssl_verify_client optional_no_ca; {all} }}
        server {{ listen 127.0.0.1:8446 ssl; {all} }}
        server {{ listen 127.0.0.1:8447 ssl; http2 on; ssl_verify_client on; error_page 495 =403 /bad; error_page 496 =401 /none; error_page 400 /four;
            location /bad {{ return 200 "bad $status $ssl_client_verify"; }} location /none {{ return 200 "none $ssl_client_verify"; }} location / {{ return 200 in; }} }}
        server {{ listen 127.0.0.1:8448 ssl; server_name a.test; return 200 a; }}
        server {{ listen 127.0.0.1:8448 ssl; server_name b.test; ssl_verify_client on; return 200 "b $ssl_client_verify"; }}
        server {{ listen 127.0.0.1:8449 ssl; ssl_verify_client on; ssl_verify_depth 0; {all} }}"#
    ))
    .with_certificate(&["a.test"])
    .with_prefix_file("ca.pem", ours.certificate())
    .with_client("good", &good)
    .with_client("late", &late)
    .with_client("early", &early)
    .with_client("strange", &theirs.sign(tls::named(&["client"])))
    .with_client("itself", &itself)
    .with_client("own", &tls::certificate(&["client"]))
    .with_errors()
    .mainline()
    .answers(&[
        "@8443 ~a.test+good /", "@8443 ~a.test+good+1.2 /", "@8443 ~a.test+good+h2 /", "@8443 ~a.test /", "@8443 ~a.test+1.2 /",
        "@8443 ~a.test+h2 /", "@8443 ~a.test+h2+strange /",
        "@8443 ~a.test+late /", "@8443 ~a.test+early /", "@8443 ~a.test+strange /", "@8443 ~a.test+own /", "@8443 ~a.test+own+1.2 HEAD /x",
        "@8444 ~a.test+good /", "@8444 ~a.test /", "@8444 ~a.test+late /", "@8444 ~a.test+strange /", "@8444 ~a.test+own /",
        "@8445 ~a.test+good /", "@8445 ~a.test /", "@8445 ~a.test+late /", "@8445 ~a.test+early /", "@8445 ~a.test+strange /", "@8445 ~a.test+own /",
        "@8443 ~a.test+itself /", "@8444 ~a.test+itself /", "@8445 ~a.test+itself /", "@8449 ~a.test+itself /",
        "@8446 ~a.test+good /", "@8446 ~a.test /",
        "@8447 ~a.test+good /", "@8447 ~a.test /x", "@8447 ~a.test+own /x", "@8447 ~a.test+late /x", "@8447 /x",
        "@8447 ~a.test+h2+good /", "@8447 ~a.test+h2 /x", "@8447 ~a.test+h2+own /x",
        "@8448 ~a.test / | Host: a.test", "@8448 ~b.test+good / | Host: b.test",
        "@8448 ~b.test / | Host: b.test", "@8448 ~b.test+good / | Host: a.test", "@8448 ~- / | Host: b.test", "@8448 ~-+good / | Host: b.test",
        "@8449 ~a.test+good /", "@8449 ~a.test+own /",
        // Once more, by the sessions of before.
        "@8443 ~a.test+good / | Connection: close", "@8443 ~a.test+good /", "@8445 ~a.test+own / | Connection: close", "@8445 ~a.test+own /",
    ])
    .await;
}

#[tokio::test]
async fn requests_over_http2() {
    alike(&format!(
        r#"{KEYS} http2 on;
        server {{ listen 127.0.0.1:8443 ssl; root html;
            location / {{ return 200 "$http2|$server_protocol|$scheme|$https|$host|$http_host|$ssl_server_name|$ssl_alpn_protocol|$request|$is_args$args|$request_length|$server_port"; }}
            location /files/ {{ alias html/; }}
            location /r {{ return 301 /to; }}
            location /p {{ proxy_pass http://127.0.0.1:8090; }}
            location /m {{ return 403; }}
        }}
        server {{ listen 127.0.0.1:8443 ssl; server_name b.test; http2 off; return 200 "b $http2"; }}
        server {{ listen 127.0.0.1:8443 ssl; server_name c.test; return 200 "c $http2"; }}"#
    ))
    .with_certificate(&["a.test"])
    .with_file("a.txt", "hello")
    .with_file("large.txt", "0123456789".repeat(30_000))
    .with_backend(8090, super::compare::echo(&[]).await)
    .mainline()
    .answers(&[
        "@8443 ~a.test+h2 /x?y", "@8443 ~a.test+h2 / | Host: c.test",
        "@8443 ~c.test+h2 / | Host: c.test", "@8443 ~b.test+h2 / | Host: b.test", "@8443 ~b.test / | Host: b.test", "@8443 ~-+h2 / | Host: a.test:8443",
        "@8443 ~a.test+h2 /files/a.txt", "@8443 ~a.test+h2 /files/large.txt", "@8443 ~a.test+h2 HEAD /files/large.txt",
        "@8443 ~a.test+h2 /r", "@8443 ~a.test+h2 /p/x?y | Cookie: a=b", "@8443 ~a.test+h2 POST /p || body",
        "@8443 ~a.test+h2 /m", "@8443 ~a.test+h2 /files", "@8443 ~a.test+h2 /files/none", "@8443 ~a.test /x", "@8443 ~a.test+1.2 /files/large.txt",
    ])
    .await;
}

#[tokio::test]
async fn servers_that_another_handshake_would_be_needed_for() {
    // nginx gives up before it knows what is asked for, and its log has less.
    alike(&format!(
        r#"{KEYS} http2 on; ssl_client_certificate cert.pem;
        server {{ listen 127.0.0.1:8443 ssl; server_name a.test; return 200 a; }}
        server {{ listen 127.0.0.1:8443 ssl; server_name b.test; http2 off; return 200 b; }}
        server {{ listen 127.0.0.1:8443 ssl; server_name c.test; ssl_verify_client on; return 200 c; }}
        server {{ listen 127.0.0.1:8444 ssl; ssl_verify_client optional; return 200 first; }}
        server {{ listen 127.0.0.1:8444 ssl; server_name b.test; return 200 b; }}"#
    ))
    .with_certificate(&["a.test"])
    .without_logs()
    .mainline()
    .answers(&[
        "@8443 ~a.test+h2 / | Host: b.test", "@8443 ~a.test+h2 / | Host: a.test",
        "@8443 ~a.test / | Host: c.test", "@8443 ~a.test+h2 / | Host: c.test",
        "@8443 ~other.test / | Host: c.test", "@8443 ~- / | Host: c.test",
        "@8443 ~c.test / | Host: c.test", "@8443 ~c.test / | Host: b.test",
        "@8444 ~b.test / | Host: other.test", "@8444 ~other.test / | Host: b.test",
        "@8444 ~other.test / | Host: other.test",
    ])
    .await;
}

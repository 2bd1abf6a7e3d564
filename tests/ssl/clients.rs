//! Clients that people have, over TLS: curl, h2load, Python's httpx, sslyze, openssl.

use crate::harness::program::{printed, python};
use crate::harness::{Backend, Tidegate, tls};

const CONF: &str = r#"
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    keepalive_requests 100000;
    server {
        listen 127.0.0.1:8443 ssl; http2 on; server_name a.test;
        location / { return 200 "$server_protocol $ssl_protocol $ssl_session_reused\n"; }
        location /up { proxy_pass http://127.0.0.1:8090; client_max_body_size 5m; }
        location /files/ { alias html/; }
    }
    server { listen 127.0.0.1:8444 ssl; ssl_protocols TLSv1.3; ssl_early_data on;
        location / { if ($ssl_early_data) { return 425; } return 200 "late\n"; }
        location /up { proxy_pass http://127.0.0.1:8090; proxy_set_header Early-Data $ssl_early_data; }
    }"#;

async fn server() -> (Tidegate, Backend) {
    let backend = Backend::http(|request| {
        if request.contains("\r\nEarly-Data: 1\r\n") {
            "HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n".to_owned()
        } else {
            crate::harness::backend::ok(request)
        }
    })
    .await;
    let server = Tidegate::start(CONF)
        .with_port(8090, backend.port())
        .with_certificate(&["a.test", "localhost"])
        .with_file("large", "x".repeat(2_000_000))
        .await;
    (server, backend)
}

#[tokio::test]
async fn curl_gets_and_posts_over_either_protocol() {
    let (server, _backend) = server().await;
    let port = server.port(8443);
    let certificate = server.folder().join("cert.pem").display().to_string();
    let body = format!("@{}", server.folder().join("html/large").display());
    let (to, url) = (format!("a.test:{port}:127.0.0.1"), format!("https://a.test:{port}"));
    for (version, name, number) in [("--http1.1", "HTTP/1.1", "1.1"), ("--http2", "HTTP/2.0", "2")]
    {
        let usual = ["-sS", version, "--cacert", &certificate, "--resolve", &to];
        let ask = async |more: &[&str]| printed("curl", &[&usual, more].concat()).await;
        let Some(text) = ask(&[&format!("{url}/")]).await else { return };
        assert_eq!(text, format!("{name} TLSv1.3 .\n"));
        let older = ask(&["--tls-max", "1.2", &format!("{url}/")]).await.unwrap_or_default();
        assert_eq!(older, format!("{name} TLSv1.2 .\n"));
        let sent = ask(&["--data-binary", &body, &format!("{url}/up")]).await.unwrap_or_default();
        assert!(sent.starts_with("POST /up ") && sent.len() > 2_000_000, "{sent:.200}");
        let format = "%{http_version} %{size_download} %{ssl_verify_result}";
        let file = format!("{url}/files/large");
        let got = ask(&["-o", "/dev/null", "-w", format, &file]).await.unwrap_or_default();
        assert_eq!(got, format!("{number} 2000000 0"));
    }
}

#[tokio::test]
async fn h2load_finds_no_failure() {
    let (server, _backend) = server().await;
    let url = |path: &str| format!("https://127.0.0.1:{}{path}", server.port(8443));
    for (path, count, clients, more) in [
        ("/", "2000", "4", "-m100"),
        ("/files/large", "20", "4", "-m10"),
        ("/", "100", "100", "--h1"),
    ] {
        let arguments = ["-n", count, "-c", clients, more, &url(path)];
        let Some(text) = printed("h2load", &arguments).await else { return };
        let good = format!("{count} succeeded, 0 failed, 0 errored, 0 timeout");
        assert!(text.contains(&good), "{text}");
    }
}

#[tokio::test]
async fn httpx_asks_many_at_once_and_trusts_by_the_file() {
    let (server, _backend) = server().await;
    let code = "
import asyncio, ssl, sys
try:
    import httpx, h2
except ImportError:
    sys.exit(print('missing'))
async def main():
    trust = ssl.create_default_context(cafile=sys.argv[2])
    async with httpx.AsyncClient(http2=True, verify=trust, base_url=sys.argv[1]) as client:
        answers = await asyncio.gather(*[client.get(f'/{n}') for n in range(50)])
        print(sum(a.status_code == 200 and a.http_version == 'HTTP/2' for a in answers))
        answer = await client.post('/up', content=b'x' * 300000)
        print(answer.status_code, answer.text.count('x') >= 300000)
asyncio.run(main())
";
    let url = format!("https://localhost:{}", server.port(8443));
    let certificate = server.folder().join("cert.pem").display().to_string();
    let arguments = ["-c", code, &url, &certificate];
    let Some(text) = printed(&python("python"), &arguments).await else { return };
    if text.trim() == "missing" {
        eprintln!("skipped: httpx is not installed (run tests/setup.sh)");
        return;
    }
    assert_eq!(text, "50\n200 True\n");
}

#[tokio::test]
async fn openssl_sends_early_data_and_is_told_that_it_is_too_early() {
    let (server, _backend) = server().await;
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
    // What is on by default is Mozilla's middle; the strictest leaves TLS 1.2 out.
    for (port, profile) in [(8443, "intermediate"), (8444, "modern")] {
        let to = format!("localhost:{}", server.port(port));
        let profile = format!("--mozilla_config={profile}");
        let arguments = ["--certinfo_ca_file", &trusted, &profile, &to];
        let Some(text) = printed(&python("sslyze"), &arguments).await else { return };
        assert!(text.contains("OK - Compliant"), "{text}");
    }
}

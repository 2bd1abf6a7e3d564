//! Clients that people have: curl, h2load, Python's httpx.

use crate::harness::program::{printed, python};
use crate::harness::{Backend, Tidegate};

async fn server() -> (Tidegate, Backend) {
    let backend = Backend::http(crate::harness::backend::ok).await;
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080; http2 on; keepalive_requests 100000;
            location / { return 200 \"$server_protocol $http_user_agent\"; }
            location /up { proxy_pass http://127.0.0.1:8090; client_max_body_size 5m; }
            location /files/ { alias html/; }
        }",
    )
    .with_port(8090, backend.port())
    .with_file("large", "x".repeat(2_000_000))
    .await;
    (server, backend)
}

#[tokio::test]
async fn curl_gets_and_posts() {
    let (server, _backend) = server().await;
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", server.port(8080));
    let known = "--http2-prior-knowledge";
    let Some(text) = printed("curl", &["-s", known, &url("/")]).await else { return };
    assert!(text.starts_with("HTTP/2.0 curl/"), "{text}");
    let body = server.folder().join("html/large").display().to_string();
    let arguments = ["-s", known, "--data-binary", &format!("@{body}"), &url("/up")];
    let text = printed("curl", &arguments).await.unwrap_or_default();
    assert!(text.starts_with("POST /up HTTP/1.1\r\n") && text.len() > 2_000_000, "{text:.200}");
    let format = "%{http_version} %{size_download}";
    let file = url("/files/large");
    let arguments = ["-s", known, "-o", "/dev/null", "-w", format, &file];
    let text = printed("curl", &arguments).await.unwrap_or_default();
    assert_eq!(text, "2 2000000");
    // A client of HTTP/1 that offers to change stays with HTTP/1, as nginx has it.
    let text = printed("curl", &["-s", "--http2", &url("/")]).await.unwrap_or_default();
    assert!(text.starts_with("HTTP/1.1 curl/"), "{text}");
}

#[tokio::test]
async fn h2load_finds_no_failure() {
    let (server, _backend) = server().await;
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", server.port(8080));
    for (path, count) in [("/", "3000"), ("/up", "500"), ("/files/large", "40")] {
        let arguments = ["-n", count, "-c", "4", "-m", "100", &url(path)];
        let Some(text) = printed("h2load", &arguments).await else { return };
        let good = format!("{count} succeeded, 0 failed, 0 errored, 0 timeout");
        assert!(text.contains(&good), "{text}");
    }
}

#[tokio::test]
async fn httpx_asks_many_at_once() {
    let (server, _backend) = server().await;
    let code = "
import asyncio, sys
try:
    import httpx, h2
except ImportError:
    sys.exit(print('missing'))
async def main():
    async with httpx.AsyncClient(http1=False, http2=True, base_url=sys.argv[1]) as client:
        answers = await asyncio.gather(*[client.get(f'/{n}', cookies={'a': '1', 'b': '2'}) for n in range(50)])
        print(sum(a.status_code == 200 and a.http_version == 'HTTP/2' for a in answers))
        answer = await client.post('/up', content=b'x' * 300000)
        print(answer.status_code, answer.text.count('x') >= 300000)
asyncio.run(main())
";
    let url = format!("http://127.0.0.1:{}", server.port(8080));
    let Some(text) = printed(&python("python"), &["-c", code, &url]).await else { return };
    if text.trim() == "missing" {
        eprintln!("skipped: httpx is not installed (run tests/setup.sh)");
        return;
    }
    assert_eq!(text, "50\n200 True\n");
}

//! A browser as a client: a page with its parts, compressed, kept, and over HTTP/2.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::Tidegate;

/// What the page has become after its script; `None`, told, without a browser.
fn page(url: &str, folder: &Path) -> Option<String> {
    if Command::new("chromium").arg("--version").output().is_err() {
        eprintln!("skipped: no chromium");
        return None;
    }
    let mut command = Command::new("timeout");
    command.args(["60", "chromium", "--headless", "--no-sandbox", "--disable-gpu"]);
    command.args(["--disable-dev-shm-usage", "--ignore-certificate-errors", "--dump-dom"]);
    command.arg("--virtual-time-budget=8000");
    command.arg(format!("--user-data-dir={}", folder.join("profile").display())).arg(url);
    let output = command.stdin(Stdio::null()).output().expect("timeout(1)");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

const SCRIPT: &str = "(async () => {
    const said = [];
    const ask = async (path, init) => {
        const answer = await fetch(path, init);
        const text = await answer.text();
        said.push(path + ' ' + answer.status + ' ' + text.length + ' ' + answer.headers.get('content-encoding'));
        return answer;
    };
    await ask('/long.txt', {cache: 'no-store'});
    await ask('/long.txt', {headers: {Range: 'bytes=10-19'}, cache: 'no-store'});
    await ask('/missing');
    await ask('/post', {method: 'POST', body: 'x'.repeat(100000)});
    await ask('/long.txt', {cache: 'no-cache'});
    await ask('/long.txt', {cache: 'no-cache'});
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(number => ask('/many?' + number)));
    const style = getComputedStyle(document.body).color;
    const picture = document.images[0].naturalWidth;
    const entry = performance.getEntriesByName(location.origin + '/many?1')[0];
    document.title = 'done ' + style + ' ' + picture + ' ' + entry.nextHopProtocol;
    document.body.innerText = said.join('\\n');
})();";

#[tokio::test]
#[ignore = "needs chromium, whose installation takes minutes"]
async fn a_page_and_its_parts() {
    let server = Tidegate::start(
        "gzip on; gzip_types text/plain text/css application/javascript;
         server {
            listen 127.0.0.1:8080; listen 127.0.0.1:8443 ssl; http2 on;
            ssl_certificate cert.pem; ssl_certificate_key key.pem;
            location = /gif { empty_gif; }
            location = /post { return 200 $request_length; }
            location = /many { return 200 many; }
        }",
    )
    .with_certificate(&["localhost"])
    .with_file(
        "index.html",
        "<!doctype html><link rel=stylesheet href=/style.css><body><img src=/gif>
         <script src=/script.js defer></script>",
    )
    .with_file("style.css", "body { color: rgb(1, 2, 3) }".repeat(20))
    .with_file("script.js", SCRIPT)
    .with_file("long.txt", "0123456789".repeat(500))
    .await;
    let urls = [
        (format!("http://127.0.0.1:{}/", server.port(8080)), "http/1.1"),
        (format!("https://127.0.0.1:{}/", server.port(8443)), "h2"),
    ];
    for (url, protocol) in urls {
        let Some(dom) = page(&url, server.folder()) else { return };
        for said in [
            &format!("<title>done rgb(1, 2, 3) 1 {protocol}</title>"),
            "/long.txt 200 5000 gzip",
            "/long.txt 206 10 null",
            "/missing 404",
            "/post 200",
            "/many?8 200 4 null",
        ] {
            assert!(dom.contains(said), "{said} in\n{dom}");
        }
        let log = server.read("logs/access.log");
        assert!(log.contains("\" 304 "), "{log}");
    }
}

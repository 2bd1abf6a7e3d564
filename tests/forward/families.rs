//! What is declared once for all families of forwarding acts in each of them.

use std::os::unix::fs::PermissionsExt;

use crate::harness::backend::fastcgi;
use crate::harness::{Backend, Tidegate, eventually, process};

/// The families with a body of their own kind of buffers.
const BUFFERED: [&str; 4] = ["proxy", "uwsgi", "fastcgi", "scgi"];

/// What each answers: a status, fields and a body, by what the path says.
fn said(request: &str) -> (&'static str, String, String) {
    let is = |word: &str| request.contains(word);
    let mut fields = "X-Hidden: 1\nX-Accel-Expires: 0\n".to_owned();
    let body = if is("/large") { "x".repeat(8 << 20) } else { "0123456789".to_owned() };
    if is("/elsewhere") {
        fields += "X-Accel-Redirect: /gone\n";
    }
    if is("/big") {
        fields += &format!("X-Big: {}\n", "b".repeat(9000));
    }
    (if is("/unwell") { "503" } else { "200" }, fields, body)
}

async fn speaking(family: &str) -> Backend {
    let lines = |fields: &str| fields.replace('\n', "\r\n");
    let cgi = move |request: &str| {
        let (status, fields, body) = said(request);
        let length = body.len();
        format!("Status: {status}\r\n{}Content-Length: {length}\r\n\r\n{body}", lines(&fields))
    };
    match family {
        "uwsgi" => Backend::uwsgi(cgi).await,
        "scgi" => Backend::scgi(cgi).await,
        "fastcgi" => Backend::fastcgi(move |request| fastcgi::answer(&cgi(request))).await,
        "grpc" => {
            Backend::http2(|request| {
                let (status, fields, body) = said(request);
                format!("{status}\n{}\n\n{body}", fields.to_lowercase().trim_end())
            })
            .await
        }
        _ => {
            Backend::http(move |request| {
                let (status, fields, body) = said(request);
                let (fields, length) = (lines(&fields), body.len());
                format!("HTTP/1.1 {status} So\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
            })
            .await
        }
    }
}

/// How a family names a place, and tells of the body.
fn pass(family: &str, place: &str, length: &str) -> String {
    let scheme = if family == "proxy" { "http://" } else { "" };
    let param = match family {
        "proxy" | "grpc" => String::new(),
        _ => format!(
            "{family}_param REQUEST_URI $request_uri; {family}_param CONTENT_LENGTH {length};"
        ),
    };
    format!("{param} {family}_pass {scheme}{place};")
}

/// A server of `FAMILY`'s locations; `PASS` stands for how requests are forwarded, `PASS_NONE` for how
/// they are without a body, `PASS_ONE` to a group whose first server is never there.
async fn of(family: &str, http: &str, locations: &str) -> (Tidegate, Backend) {
    let backend = speaking(family).await;
    let conf = format!(
        "upstream one {{ server 127.0.0.1:8098 max_fails=0; server 127.0.0.1:8090 backup; }}
         {http}
         server {{
             listen 127.0.0.1:8080;
             location /gone {{ return 204; }}
             location /said {{ return 200 said; }}
             {locations}
         }}"
    );
    let (at, length) = ("127.0.0.1:8090", "$content_length");
    let conf = conf.replace("PASS_ONE", &pass(family, "one", length));
    let conf = conf.replace("PASS_NONE", &pass(family, at, "0"));
    let conf = conf.replace("PASS", &pass(family, at, length)).replace("FAMILY", family);
    (Tidegate::start(&conf).with_port(8090, backend.port()).await, backend)
}

#[tokio::test]
async fn fields_and_answers_are_let_through_as_told() {
    for family in BUFFERED.into_iter().chain(["grpc"]) {
        let (server, _backend) = of(
            family,
            "proxy_buffers 9 4k; uwsgi_buffers 9 4k; fastcgi_buffers 9 4k; scgi_buffers 9 4k;",
            "location /plain { PASS }
             location /hidden { FAMILY_hide_header X-Hidden; FAMILY_pass_header X-Accel-Expires; PASS }
             location /ignored { FAMILY_ignore_headers X-Accel-Redirect; PASS }
             location /intercepted { FAMILY_intercept_errors on; error_page 503 =200 /said; PASS }
             location /ample { FAMILY_buffer_size 16k; PASS }
             location /next { PASS_ONE }
             location /never { FAMILY_next_upstream off; PASS_ONE }
             location /once { FAMILY_next_upstream_tries 1; PASS_ONE }",
        )
        .await;
        let answer = server.get("/plain").await;
        answer.is(200).says("0123456789");
        assert_eq!(answer.field("X-Hidden"), Some("1"), "{family}");
        assert_eq!(answer.field("X-Accel-Expires"), None, "{family}");
        let answer = server.get("/hidden").await;
        assert_eq!(answer.field("X-Hidden"), None, "{family}");
        assert_eq!(answer.field("X-Accel-Expires"), Some("0"), "{family}");
        server.get("/plain/elsewhere").await.is(204);
        server.get("/ignored/elsewhere").await.is(200).says("0123456789");
        server.get("/plain/unwell").await.is(503).says("0123456789");
        server.get("/intercepted/unwell").await.is(200).says("said");
        server.get("/plain/big").await.is(502);
        server.logs(&format!("its header does not fit into {family}_buffer_size, 4k")).await;
        assert_eq!(server.get("/ample/big").await.is(200).field("X-Big").map(str::len), Some(9000));
        server.get("/next").await.is(200);
        server.get("/never").await.is(502);
        server.get("/once").await.is(502);
    }
}

#[tokio::test]
async fn requests_are_sent_as_told() {
    for family in BUFFERED {
        let (server, backend) = of(
            family,
            "client_max_body_size 0;",
            "location /plain { PASS }
             location /bare { FAMILY_pass_request_headers off; FAMILY_pass_request_body off; PASS_NONE }
             location /streamed { FAMILY_request_buffering off; PASS }",
        )
        .await;
        for (path, whole) in [("/plain", true), ("/bare", false)] {
            server.ask(&format!("POST {path} | X-Client: theirs || body of it")).await.is(200);
            let seen = backend.received().concat();
            assert_eq!(seen.contains("theirs"), whole, "{family} {path}: {seen}");
            assert_eq!(seen.contains("body of it"), whole, "{family} {path}: {seen}");
        }
        let before = backend.connections();
        let mut client = server.connect().await;
        client.send("POST /streamed HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf").await;
        eventually(&format!("{family} is asked before the body is there"), || async {
            backend.connections() > before
        })
        .await;
        client.send("half").await;
        client.answer().await.is(200);
    }
}

#[tokio::test]
async fn bodies_of_answers_are_treated_as_told() {
    if !process::is_ours() {
        return;
    }
    let [proxy, uwsgi, fastcgi, scgi] = BUFFERED.map(bodies);
    tokio::join!(proxy, uwsgi, fastcgi, scgi);
}

async fn bodies(family: &'static str) {
    let (server, _backend) = of(
        family,
        "proxy_buffers 4 8k; uwsgi_buffers 4 8k; fastcgi_buffers 4 8k; scgi_buffers 4 8k;",
        "location /plain { PASS }
             location /ranges { FAMILY_force_ranges on; PASS }
             location /bounded { FAMILY_limit_rate 60; PASS }
             location /kept {
                 FAMILY_store $document_root/kept; FAMILY_store_access user:r group:r all:r; PASS
             }
             location /filed { FAMILY_temp_path answers; PASS }
             location /held { FAMILY_max_temp_file_size 0; PASS }",
    )
    .await;
    let range = "| Range: bytes=2-4";
    server.ask(&format!("GET /plain {range}")).await.is(200).says("0123456789");
    server.ask(&format!("GET /ranges {range}")).await.is(206).says("234");
    server.get("/kept").await.is(200);
    let kept = server.folder().join("html/kept");
    eventually("it is kept", || async { kept.exists() }).await;
    let mode = std::fs::metadata(&kept).unwrap().permissions().mode();
    assert_eq!((mode & 0o777, server.read("html/kept").as_str()), (0o444, "0123456789"));
    // Head and body are more than a second's share, and less than three.
    let begun = std::time::Instant::now();
    server.get("/bounded").await.is(200).says("0123456789");
    let took = begun.elapsed();
    assert!(took.as_millis() >= 900, "{family}: {took:?}");
    // Both answers wait for their clients, in a file and before it.
    let mut slow = Vec::new();
    for path in ["/held/large", "/filed/large"] {
        let mut client = server.connect().await;
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        slow.push(client);
    }
    eventually("one waits in a file", || async { files(&server, "/answers/") == 1 }).await;
    for mut client in slow {
        assert_eq!(client.answer().await.is(200).body.len(), 8 << 20, "{family}");
    }
    assert_eq!(files(&server, ""), files(&server, "/answers/"), "{family}");
}

/// How many files without a name are open in a folder of this name.
fn files(server: &Tidegate, folder: &str) -> usize {
    let serving = process::serving(server.pid());
    let open = std::fs::read_dir(format!("/proc/{serving}/fd")).expect("a process");
    let targets = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let is_there = |target: &std::path::PathBuf| {
        let target = target.to_string_lossy();
        target.ends_with("(deleted)") && target.contains(folder)
    };
    targets.filter(is_there).count()
}

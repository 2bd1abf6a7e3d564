//! scgi_pass and uwsgi_pass: what such servers get, and what becomes of their answers. `FAMILY` stands
//! for either.

use super::compare::{Alike, alike};
use crate::harness::Backend;

const PARAMS: &str = "
FAMILY_param QUERY_STRING $query_string;
FAMILY_param REQUEST_METHOD $request_method;
FAMILY_param CONTENT_TYPE $content_type;
FAMILY_param REQUEST_URI $request_uri;
FAMILY_param DOCUMENT_URI $document_uri;
FAMILY_param DOCUMENT_ROOT $document_root;
FAMILY_param SERVER_PROTOCOL $server_protocol;
FAMILY_param REQUEST_SCHEME $scheme;
FAMILY_param HTTPS $https if_not_empty;
FAMILY_param REMOTE_ADDR $remote_addr;
FAMILY_param SERVER_PORT $server_port;
FAMILY_param SERVER_NAME $server_name;
";

const REQUESTS: &str = r#"
    upstream app { server 127.0.0.1:8090; }
    server {
        listen 127.0.0.1:8080;
        server_name site.local;
        location / { include params; FAMILY_pass 127.0.0.1:8090; }
        location /bare { FAMILY_pass 127.0.0.1:8090; }
        location /upstream { include params; FAMILY_pass app; }
        location /variable { set $to 127.0.0.1:8090; include params; FAMILY_pass $to; }
        location /own { FAMILY_param A 1; FAMILY_param B ""; FAMILY_param C "" if_not_empty; FAMILY_param D $arg_d if_not_empty; FAMILY_param A 2; FAMILY_pass 127.0.0.1:8090; }
        location /httpparam { FAMILY_param HTTP_X_A mine; FAMILY_param HTTP_HOST own; FAMILY_pass 127.0.0.1:8090; }
        location /noheaders { FAMILY_pass_request_headers off; include params; FAMILY_pass 127.0.0.1:8090; }
        location /script { include params; FAMILY_param SCRIPT_NAME /script; FAMILY_pass 127.0.0.1:8090; }
        location /rewritten { rewrite ^/rewritten(.*)$ /new$1 break; include params; FAMILY_pass 127.0.0.1:8090; }
        location /streamed { FAMILY_request_buffering off; include params; FAMILY_pass 127.0.0.1:8090; }
        location /headers { proxy_set_header Host ignored; include params; FAMILY_pass 127.0.0.1:8090; }
        OWN
    }"#;

const ASKED: &[&str] = &[
    "/",
    "/a%20b/../c?d=%20e",
    "/ | Host: site.local:99 | User-Agent: ua | X-A: 1 | X-A: 2",
    "/ | Cookie: a=b | Cookie: c=d | Accept: x | Accept: y",
    "/ | X_Under: 1 | Proxy: evil | X-Empty:",
    "POST / | Content-Type: text/x || abc",
    "POST / | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
    "/ HTTP/1.0 | Host: -",
    "/ | Connection: close | Expect: 100-continue | Upgrade: x | Authorization: Basic eA== | Keep-Alive: 1",
    "/bare?x=y",
    "POST /bare || abc",
    "/upstream",
    "/variable",
    "/own",
    "/own?d=4",
    "/httpparam | X-A: theirs",
    "POST /noheaders | X-A: 1 || abc",
    "/script/x",
    "/rewritten/x?y",
    "POST /streamed || abc",
    "POST /streamed | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
    "/headers",
    "HEAD /",
    "OPTIONS *",
    "/ | Content-Length: 0",
];

/// What is answered to which request.
const ANSWERS: &[(&str, &str)] = &[
    ("=/status\n", "Status: 404 Gone Fishing\r\nContent-Type: text/html\r\nX-A: 1\r\n\r\nnot here"),
    ("=/http10\n", "HTTP/1.0 201 Created\r\nContent-Length: 3\r\n\r\nabc"),
    ("=/location\n", "Location: http://x/\r\n\r\n"),
    ("=/locationstatus\n", "Status: 303\r\nLocation: /local\r\n\r\n"),
    ("=/bare\n", "Content-Type: text/x\r\n\r\nonly fields"),
    ("=/lines\n", "Content-Type: text/x\n\nonly fields"),
    ("=/chunked\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    ("=/length\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
    ("=/lengthstatus\n", "Status: 200\r\nContent-Length: 3\r\n\r\nabc"),
    ("=/204\n", "HTTP/1.1 204 No Content\r\n\r\n"),
    ("=/204status\n", "Status: 204 No Content\r\n\r\n"),
    ("=/304\n", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
    ("=/304status\n", "Status: 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
    ("=/cookies\n", "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; path=/app\r\nSet-Cookie: b=2\r\n\r\nx"),
    ("=/accel\n", "X-Accel-Redirect: /file.txt\r\n\r\n"),
    ("=/rubbish\n", "no head at all"),
    ("=/none\n", ""),
    ("=/badstatus\n", "Status: abc\r\n\r\nx"),
    ("=/hidden\n", "Server: app\r\nDate: x\r\nX-Hide: 1\r\nStatus: 200\r\n\r\nx"),
];

const ANSWERED: &str = r#"server {
    listen 127.0.0.1:8080;
    root html;
    FAMILY_param PATH_INFO $document_uri;
    FAMILY_hide_header X-Hide;
    location / { FAMILY_pass 127.0.0.1:8090; }
    location = /file.txt { }
    location /i/ { rewrite ^/i(.*)$ $1 break; FAMILY_intercept_errors on; error_page 404 /file.txt; FAMILY_pass 127.0.0.1:8090; }
    location /off/ { rewrite ^/off(.*)$ $1 break; FAMILY_buffering off; FAMILY_pass 127.0.0.1:8090; }
    location /dead { FAMILY_pass 127.0.0.1:8098; }
}"#;

/// A server of the family that answers what stands behind the first word of the request it contains.
async fn application(family: &str) -> Backend {
    let answer = |request: &str| {
        let scripted = ANSWERS.iter().find(|(word, _)| request.contains(word));
        scripted.map_or("Status: 200 OK\r\n\r\napplication", |(_, answer)| answer).to_owned()
    };
    match family {
        "uwsgi" => Backend::uwsgi(answer).await,
        _ => Backend::scgi(answer).await,
    }
}

/// The same for one family, with locations of its own.
async fn of(family: &str, conf: &str, own: &str) -> Alike {
    alike(&conf.replace("OWN", own).replace("FAMILY", family))
        .with_prefix_file("params", PARAMS.replace("FAMILY", family))
        .with_file("file.txt", "a file")
        .with_backend(8090, application(family).await)
        .mainline()
}

#[tokio::test]
async fn requests_over_scgi() {
    of("scgi", REQUESTS, "").await.answers(ASKED).await;
}

#[tokio::test]
async fn requests_over_uwsgi() {
    let own = r#"
        location /scheme { include params; uwsgi_pass uwsgi://127.0.0.1:8090; }
        location /modifier { uwsgi_modifier1 9; uwsgi_modifier2 3; uwsgi_pass 127.0.0.1:8090; }
        location /string { uwsgi_param A b; uwsgi_string "raw $host"; uwsgi_pass 127.0.0.1:8090; }"#;
    let asked = [ASKED, &["/scheme", "/modifier", "/string", "POST /string || abc"]].concat();
    of("uwsgi", REQUESTS, own).await.answers(&asked).await;
}

async fn answers_over(family: &str) {
    let paths = ANSWERS.iter().map(|(word, _)| word.trim_start_matches('=').trim_end().to_owned());
    // nginx does not read these chunks, and waits for the end of the connection.
    let paths = paths.filter(|path| path != "/chunked");
    let more = [
        "/i/status",
        "/off/status",
        "/off/length",
        "/dead",
        "HEAD /status",
        "HEAD /length",
        "/length HTTP/1.0",
        "POST /status || abc",
    ];
    let asks: Vec<String> = paths.chain(more.map(str::to_owned)).collect();
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    of(family, ANSWERED, "").await.answers(&asks).await;
}

#[tokio::test]
async fn answers_over_scgi() {
    answers_over("scgi").await;
}

#[tokio::test]
async fn answers_over_uwsgi() {
    answers_over("uwsgi").await;
}

//! scgi_pass: what an SCGI server gets, and what becomes of its answers.

use super::compare::alike;
use crate::harness::Backend;

const PARAMS: &str = "\
scgi_param REQUEST_METHOD $request_method;
scgi_param REQUEST_URI $request_uri;
scgi_param QUERY_STRING $query_string;
scgi_param CONTENT_TYPE $content_type;
scgi_param DOCUMENT_URI $document_uri;
scgi_param DOCUMENT_ROOT $document_root;
scgi_param SCGI 1;
scgi_param SERVER_PROTOCOL $server_protocol;
scgi_param HTTPS $https if_not_empty;
scgi_param REMOTE_ADDR $remote_addr;
scgi_param SERVER_PORT $server_port;
";

#[tokio::test]
async fn requests() {
    let backend = Backend::scgi(|_| "Status: 200 OK\r\n\r\nscgi".to_owned()).await;
    alike(
        r#"
        upstream app { server 127.0.0.1:8090; }
        server {
            listen 127.0.0.1:8080;
            location / { include scgi_params; scgi_pass 127.0.0.1:8090; }
            location /bare { scgi_pass app; }
            location /scheme { set $to 127.0.0.1:8090; include scgi_params; scgi_pass $to; }
            location /own { scgi_param A 1; scgi_param B ""; scgi_param C "" if_not_empty; scgi_param D $arg_d if_not_empty; scgi_param A 2; scgi_param HTTP_HOST own; scgi_pass 127.0.0.1:8090; }
            location /noheaders { scgi_pass_request_headers off; include scgi_params; scgi_pass 127.0.0.1:8090; }
            location /streamed { scgi_request_buffering off; include scgi_params; scgi_pass 127.0.0.1:8090; }
        }"#,
    )
    .with_prefix_file("scgi_params", PARAMS)
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "/", "/a%20b/../c?d=%20e", "/ | Host: site.local:99 | X-A: 1 | X-A: 2 | Cookie: a=b | Cookie: c=d",
        "POST / | Content-Type: text/x || abc", "/bare?x=y", "POST /bare || abc", "/scheme", "/own", "/own?d=4",
        "POST / | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
        "POST /noheaders | X-A: 1 || abc", "POST /streamed || abc", "HEAD /", "/ HTTP/1.0 | Host: -",
        "/ | Content-Length: 0", "/ | Upgrade: x | Connection: upgrade",
    ])
    .await;
}

#[tokio::test]
async fn answers() {
    let answers = [
        (
            "=/status\n",
            "Status: 404 Gone Fishing\r\nContent-Type: text/html\r\nX-A: 1\r\n\r\nnot here",
        ),
        ("=/http10\n", "HTTP/1.0 201 Created\r\nContent-Length: 3\r\n\r\nabc"),
        ("=/location\n", "Location: http://x/\r\n\r\n"),
        ("=/bare\n", "Content-Type: text/x\n\nonly fields"),
        ("=/length\n", "Status: 200\r\nContent-Length: 3\r\n\r\nabc"),
        ("=/204\n", "Status: 204 No Content\r\n\r\n"),
        ("=/304\n", "Status: 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
        ("=/cookies\n", "Set-Cookie: a=1; path=/app\r\nSet-Cookie: b=2\r\n\r\nx"),
        ("=/accel\n", "X-Accel-Redirect: /file.txt\r\n\r\n"),
        ("=/rubbish\n", "no head at all"),
        ("=/none\n", ""),
        ("=/badstatus\n", "Status: abc\r\n\r\nx"),
        ("=/hidden\n", "Server: app\r\nDate: x\r\nX-Hide: 1\r\nStatus: 200\r\n\r\nx"),
    ];
    let backend = Backend::scgi(move |request| {
        let scripted = answers.iter().find(|(word, _)| request.contains(word));
        scripted.map_or("Status: 200 OK\r\n\r\nscgi", |(_, answer)| answer).to_owned()
    })
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            scgi_param PATH_INFO $document_uri;
            scgi_hide_header X-Hide;
            location / { scgi_pass 127.0.0.1:8090; }
            location = /file.txt { }
            location /i/ { rewrite ^/i(.*)$ $1 break; scgi_intercept_errors on; error_page 404 /file.txt; scgi_pass 127.0.0.1:8090; }
            location /off/ { rewrite ^/off(.*)$ $1 break; scgi_buffering off; scgi_pass 127.0.0.1:8090; }
            location /dead { scgi_pass 127.0.0.1:8098; }
        }"#,
    )
    .with_file("file.txt", "a file")
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "/status", "/http10", "/location", "/bare", "/length", "/204", "/304", "/cookies", "/accel",
        "/rubbish", "/none", "/badstatus", "/hidden", "/i/status", "/off/status", "/off/length", "/dead",
        "HEAD /status", "HEAD /length", "/length HTTP/1.0", "POST /status || abc",
    ])
    .await;
}

//! uwsgi_pass: the packets a uwsgi server gets, and what becomes of its answers.

use super::compare::alike;
use crate::harness::Backend;

const PARAMS: &str = "\
uwsgi_param QUERY_STRING $query_string;
uwsgi_param REQUEST_METHOD $request_method;
uwsgi_param CONTENT_TYPE $content_type;
uwsgi_param CONTENT_LENGTH $content_length;
uwsgi_param REQUEST_URI $request_uri;
uwsgi_param PATH_INFO $document_uri;
uwsgi_param DOCUMENT_ROOT $document_root;
uwsgi_param SERVER_PROTOCOL $server_protocol;
uwsgi_param REQUEST_SCHEME $scheme;
uwsgi_param HTTPS $https if_not_empty;
uwsgi_param REMOTE_ADDR $remote_addr;
uwsgi_param SERVER_PORT $server_port;
uwsgi_param SERVER_NAME $server_name;
";

/// A uwsgi server that answers what stands behind the first word of the packet it contains.
async fn application(answers: &'static [(&'static str, &'static str)]) -> Backend {
    Backend::uwsgi(move |packet| {
        let scripted = answers.iter().find(|(word, _)| packet.contains(word));
        scripted.map_or("HTTP/1.1 200 OK\r\n\r\nuwsgi", |(_, answer)| answer).to_owned()
    })
    .await
}

#[tokio::test]
async fn packets() {
    alike(
        r#"
        upstream app { server 127.0.0.1:8090; }
        server {
            listen 127.0.0.1:8080;
            server_name site.local;
            location / { include uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
            location /bare { uwsgi_pass 127.0.0.1:8090; }
            location /upstream { include uwsgi_params; uwsgi_pass app; }
            location /scheme { include uwsgi_params; uwsgi_pass uwsgi://127.0.0.1:8090; }
            location /modifier { uwsgi_modifier1 9; uwsgi_modifier2 3; uwsgi_pass 127.0.0.1:8090; }
            location /variable { set $to 127.0.0.1:8090; uwsgi_pass $to; }
            location /own { uwsgi_param A 1; uwsgi_param B ""; uwsgi_param C "" if_not_empty; uwsgi_param D $arg_d if_not_empty; uwsgi_param A 2; uwsgi_pass 127.0.0.1:8090; }
            location /httpparam { uwsgi_param HTTP_X_A mine; uwsgi_param HTTP_HOST own; uwsgi_pass 127.0.0.1:8090; }
            location /noheaders { uwsgi_pass_request_headers off; include uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
            location /script { include uwsgi_params; uwsgi_param SCRIPT_NAME /script; uwsgi_pass 127.0.0.1:8090; }
            location /rewritten { rewrite ^/rewritten(.*)$ /new$1 break; include uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
            location /streamed { uwsgi_request_buffering off; include uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
            location /string { uwsgi_param A b; uwsgi_string "raw $host"; uwsgi_pass 127.0.0.1:8090; }
            location /headers { proxy_set_header Host ignored; include uwsgi_params; uwsgi_pass 127.0.0.1:8090; }
        }"#,
    )
    .with_prefix_file("uwsgi_params", PARAMS)
    .with_backend(8090, application(&[]).await)
    .mainline()
    .answers(&[
        "/", "/a%20b/../c?d=%20e", "/ | Host: site.local:99 | User-Agent: ua | X-A: 1 | X-A: 2",
        "/ | Cookie: a=b | Cookie: c=d | Accept: x | Accept: y",
        "/ | X_Under: 1 | Proxy: evil | X-Empty:", "POST / | Content-Type: text/x || abc",
        "POST / | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n", "/ HTTP/1.0 | Host: -",
        "/ | Connection: close | Expect: 100-continue | Upgrade: x | Authorization: Basic eA== | Keep-Alive: 1",
        "/bare?x=y", "POST /bare || abc", "/upstream", "/scheme", "/modifier", "/variable", "/own", "/own?d=4",
        "/httpparam | X-A: theirs", "POST /noheaders | X-A: 1 || abc",
        "/script/x", "/rewritten/x?y", "POST /streamed || abc",
        "POST /streamed | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
        "/string", "POST /string || abc", "/headers", "HEAD /", "OPTIONS *", "/ | Content-Length: 0",
    ])
    .await;
}

#[tokio::test]
async fn answers() {
    let backend = application(&[
        (
            "=/status\n",
            "Status: 404 Gone Fishing\r\nContent-Type: text/html\r\nX-A: 1\r\n\r\nnot here",
        ),
        ("=/http10\n", "HTTP/1.0 201 Created\r\nContent-Length: 3\r\n\r\nabc"),
        ("=/location\n", "Location: http://x/\r\n\r\n"),
        ("=/locationstatus\n", "Status: 303\r\nLocation: /local\r\n\r\n"),
        ("=/bare\n", "Content-Type: text/x\r\n\r\nonly fields"),
        (
            "=/chunked\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        ("=/length\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
        ("=/204\n", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("=/304\n", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"),
        (
            "=/cookies\n",
            "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; path=/app\r\nSet-Cookie: b=2\r\n\r\nx",
        ),
        ("=/accel\n", "HTTP/1.1 200 OK\r\nX-Accel-Redirect: /file.txt\r\n\r\n"),
        ("=/rubbish\n", "no head at all"),
        ("=/none\n", ""),
        ("=/badstatus\n", "Status: abc\r\n\r\nx"),
        (
            "=/hidden\n",
            "HTTP/1.1 200 OK\r\nServer: app\r\nDate: x\r\nX-Hide: 1\r\nStatus: 200\r\n\r\nx",
        ),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            uwsgi_param PATH_INFO $document_uri;
            uwsgi_hide_header X-Hide;
            location / { uwsgi_pass 127.0.0.1:8090; }
            location = /file.txt { }
            location /i/ { rewrite ^/i(.*)$ $1 break; uwsgi_intercept_errors on; error_page 404 /file.txt; uwsgi_pass 127.0.0.1:8090; }
            location /off/ { rewrite ^/off(.*)$ $1 break; uwsgi_buffering off; uwsgi_pass 127.0.0.1:8090; }
            location /dead { uwsgi_pass 127.0.0.1:8098; }
        }"#,
    )
    .with_file("file.txt", "a file")
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "/status", "/http10", "/location", "/locationstatus", "/bare", "/length", "/204", "/304",
        "/cookies", "/accel", "/rubbish", "/none", "/badstatus", "/hidden", "/i/status", "/off/status",
        "/off/length", "/dead", "HEAD /status", "HEAD /length", "/length HTTP/1.0", "POST /status || abc",
    ])
    .await;
}

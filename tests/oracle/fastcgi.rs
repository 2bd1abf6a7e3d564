//! fastcgi_pass: the records an application gets, and what becomes of those it sends.

use super::compare::alike;
use crate::harness::Backend;
use crate::harness::backend::fastcgi::{answer, closed, end, stderr, stdout};

const PARAMS: &str = "\
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_URI $document_uri;
fastcgi_param DOCUMENT_ROOT $document_root;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param HTTPS $https if_not_empty;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_USER $remote_user;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param REDIRECT_STATUS 200;
";

#[tokio::test]
async fn requests() {
    let backend = Backend::fastcgi(|_| answer("Content-Type: text/plain\r\n\r\nfastcgi")).await;
    let long = format!("/long?{}", "x".repeat(3_000));
    alike(
        r#"
        upstream app { server 127.0.0.1:8090; }
        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
        fastcgi_param PATH_INFO $fastcgi_path_info;
        fastcgi_index index.php;
        server {
            listen 127.0.0.1:8080;
            root /srv/site;
            location / { fastcgi_pass 127.0.0.1:8090; }
            location /std { include fastcgi_params; fastcgi_pass app; }
            location /keep { fastcgi_keep_conn on; fastcgi_pass app; }
            location ~ \.php { fastcgi_split_path_info ^(.+\.php)(/.+)?$; fastcgi_pass 127.0.0.1:8090; }
            location ~ ^/(?<name>x+)\.cgi { fastcgi_split_path_info ^(.+\.cgi)(.*)$; fastcgi_param A "$name $1 $fastcgi_path_info"; fastcgi_pass 127.0.0.1:8090; }
            location /own { fastcgi_param A 1; fastcgi_param B ""; fastcgi_param C "" if_not_empty; fastcgi_param D $arg_d if_not_empty; fastcgi_param HTTP_HOST own; fastcgi_param HTTP_X_A mine; fastcgi_pass 127.0.0.1:8090; }
            location /noheaders { fastcgi_pass_request_headers off; fastcgi_pass 127.0.0.1:8090; }
            location /nobody { fastcgi_pass_request_body off; include fastcgi_params; fastcgi_pass 127.0.0.1:8090; }
            location /streamed { fastcgi_request_buffering off; include fastcgi_params; fastcgi_pass 127.0.0.1:8090; }
            location /variable { set $to 127.0.0.1:8090; fastcgi_pass $to; }
            location /try/ { try_files $uri /try/index.php?$query_string; }
            location /front/ { rewrite ^/front(.*)$ /index.php$1 last; }
        }"#,
    )
    .with_prefix_file("fastcgi_params", PARAMS)
    .with_backend(8090, backend)
    .mainline()
    .answers(&[
        "/", "/a/", "/a/b?c=d", "/std/a%20b/../c?d=%20e", "/std", "/keep", "/keep?again", &long,
        "/std | Host: site.local:99 | X-A: 1 | X-A: 2 | Cookie: a=b | Cookie: c=d | Authorization: Basic dTpw",
        "/a.php", "/a.php/b/c?d", "/a.php/", "/dir/a.php/b.php/c", "/xx.cgi/info", "/x.cgi", "/own", "/own?d=4 | X-A: theirs",
        "POST /std | Content-Type: text/x || abc", "POST / || abcdefgh", "POST /noheaders | X-A: 1 || abc",
        "POST /nobody || abc", "POST /streamed || abc", "/variable", "/try/none?q=1", "/front/x?y=z",
        "POST /std | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
        "POST /streamed | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
        "HEAD /", "/ HTTP/1.0 | Host: -", "/ | Content-Length: 0", "/ | Upgrade: x | Connection: upgrade",
    ])
    .await;
}

#[tokio::test]
async fn answers() {
    let long = "x".repeat(9_000);
    let answers: Vec<(&str, String)> = vec![
        (
            "=/status\n",
            answer("Status: 404 Gone Fishing\r\nContent-Type: text/html\r\n\r\nnot here"),
        ),
        ("=/location\n", answer("Location: http://x/\r\n\r\n")),
        ("=/locationstatus\n", answer("Status: 303\r\nLocation: /local\r\n\r\n")),
        ("=/line\n", answer("HTTP/1.1 201 Created\r\nX-A: 1\r\n\r\nabc")),
        ("=/bare\n", answer("Content-Type: text/x\n\nonly fields")),
        ("=/length\n", answer("Content-Length: 3\r\n\r\nabc")),
        ("=/long\n", answer(&format!("Content-Type: text/plain\r\n\r\n{long}"))),
        ("=/chunked\n", answer("Transfer-Encoding: chunked\r\n\r\nplain")),
        ("=/204\n", answer("Status: 204\r\n\r\n")),
        ("=/304\n", answer("Status: 304 Not Modified\r\nETag: \"x\"\r\n\r\n")),
        ("=/cookies\n", answer("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Powered-By: x\r\n\r\nx")),
        ("=/accel\n", answer("X-Accel-Redirect: /file.txt\r\nContent-Type: text/html\r\n\r\n")),
        (
            "=/hidden\n",
            answer("Server: app\r\nDate: x\r\nX-Hide: 1\r\nStatus: 200\r\nX-Pad: p\r\n\r\nx"),
        ),
        (
            "=/split\n",
            stdout("Sta")
                + &stdout("tus: 202\r\nX-A")
                + &stdout(": 1\r\n\r\nbo")
                + &stdout("dy")
                + &end(0),
        ),
        (
            "=/stderr\n",
            stderr("PHP Warning")
                + &stdout("X-A: 1\r\n\r\nbo")
                + &stderr("more")
                + &stdout("dy")
                + &closed()
                + &end(0),
        ),
        ("=/onlystderr\n", stderr("PHP Fatal error") + &closed() + &end(0)),
        ("=/fatal\n", stderr("PHP Fatal error: x") + &answer("X-A: 1\r\n\r\nbody")),
        ("=/noend\n", stdout("Content-Length: 4\r\n\r\nbody")),
        ("=/closed\n", stdout("X-A: 1\r\n\r\nbody") + &closed()),
        ("=/none\n", String::new()),
        ("=/ended\n", end(0)),
        ("=/overloaded\n", end(2)),
        ("=/rubbish\n", "HTTP/1.1 400 Bad Request\r\n\r\n".to_owned()),
        ("=/nohead\n", answer("nothing")),
        ("=/badstatus\n", answer("Status: abc\r\n\r\nx")),
        ("=/big\n", answer(&format!("X-A: {long}\r\n\r\nx"))),
    ];
    let backend = Backend::fastcgi(move |request| {
        let scripted = answers.iter().find(|(word, _)| request.contains(word));
        scripted.map_or_else(|| answer("X-A: 1\r\n\r\nfastcgi"), |(_, answer)| answer.clone())
    })
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            fastcgi_param URI $document_uri;
            fastcgi_hide_header X-Hide;
            location / { fastcgi_pass 127.0.0.1:8090; }
            location = /file.txt { }
            location /k/ { rewrite ^/k(.*)$ $1 break; fastcgi_keep_conn on; fastcgi_pass 127.0.0.1:8090; }
            location /i/ { rewrite ^/i(.*)$ $1 break; fastcgi_intercept_errors on; error_page 404 502 /file.txt; fastcgi_pass 127.0.0.1:8090; }
            location /off/ { rewrite ^/off(.*)$ $1 break; fastcgi_buffering off; fastcgi_pass 127.0.0.1:8090; }
            location /catch/ { rewrite ^/catch(.*)$ $1 break; fastcgi_catch_stderr Nothing; fastcgi_catch_stderr "Fatal error"; fastcgi_pass 127.0.0.1:8090; }
            location /dead { fastcgi_pass 127.0.0.1:8098; }
        }"#,
    )
    .with_file("file.txt", "a file")
    .with_backend(8090, backend)
    .mainline()
    // How many chunks an answer takes is nobody's business.
    .without_logs()
    .answers(&[
        "/status", "/location", "/locationstatus", "/line", "/bare", "/length", "/long", "/chunked", "/204", "/304",
        "/cookies", "/accel", "/hidden", "/split", "/stderr", "/onlystderr", "/fatal", "/noend", "/closed", "/none",
        "/ended", "/overloaded", "/rubbish", "/nohead", "/badstatus", "/big", "/k/length", "/k/length?2", "/k/split",
        "/i/status", "/i/none", "/off/status", "/off/long", "/off/stderr", "/catch/fatal", "/catch/stderr", "/dead",
        "HEAD /status", "HEAD /length", "/length HTTP/1.0", "POST /status || abc", "HEAD /k/length", "/k/status",
    ])
    .await;
}

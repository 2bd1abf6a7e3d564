//! echo: nginx 1.31 of PyPI has the module.

use super::compare::alike;

#[tokio::test]
async fn texts() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            default_type text/plain;
            location /words { echo hello world; echo -n $arg_a; echo "q  q"; echo; echo -n; }
            location /options { echo -x a; echo -n -n b; echo "-n" c; echo -; echo -- -n d; }
            location /dash { set $o -n; echo $o x; }
            location /type/ { types { text/css css; } echo $uri; }
            location /escapes { echo 'a\nb' "c\td"; }
            location /status { echo_status 404; echo hi; error_page 404 /words; }
            location /if { if ($arg_a) { echo a $arg_a; } echo b; }
            location /in { echo outer; location /in/in { } }
            location /return { echo a; return 201 b; }
            location /times { echo_duplicate 3 ab; echo_duplicate 0 x; echo_duplicate 1_0 $arg_a; echo; }
            location /access { deny all; echo a; }
        }"#,
    )
    .mainline()
    // nginx sends each text as a chunk of its own, which is counted in the logs.
    .without_logs()
    .answers(&[
        "/words?a=1", "/options", "/dash", "/type/a.css", "/type/a", "/escapes", "/status", "/if", "/if?a=1",
        "/in", "/in/in", "/return", "/times?a=z", "/access", "HEAD /words", "/words HTTP/1.0", "DELETE /words",
    ])
    .await;
}

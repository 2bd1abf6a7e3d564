//! *_bind: the address that connections to upstreams are made from.

use super::compare::alike;

#[tokio::test]
async fn upstreams_see_the_address_that_was_said() {
    alike(
        r#"
        proxy_bind 127.0.0.7;
        server {
            listen 127.0.0.1:8081;
            return 200 "$remote_addr";
        }
        server {
            listen 127.0.0.1:8080;
            location / { proxy_pass http://127.0.0.1:8081; }
            location /off { proxy_bind off; proxy_pass http://127.0.0.1:8081; }
            location /other { proxy_bind 127.0.0.8; proxy_socket_rcvbuf 8k; proxy_socket_sndbuf 8k; proxy_pass http://127.0.0.1:8081; }
            location /variable { set $from 127.0.0.9; proxy_bind $from; proxy_pass http://127.0.0.1:8081; }
            location /nonsense { set $from nope; proxy_bind $from; proxy_pass http://127.0.0.1:8081; }
            location /empty { set $from ""; proxy_bind $from; proxy_pass http://127.0.0.1:8081; }
            location /not_ours { proxy_bind 192.0.2.1; proxy_pass http://127.0.0.1:8081; }
        }"#,
    )
    .mainline()
    .answers(&["/", "/off", "/other", "/variable", "/nonsense", "/empty", "/not_ours"])
    .await;
}

/// Run by `bind::the_address_of_another_machine_may_be_taken`.
#[tokio::test]
#[ignore = "runs in a net of its own"]
async fn apart() {
    if std::env::var_os("TIDEGATE_APART").is_none() {
        return;
    }
    alike(
        r#"
        server { listen 127.0.0.1:8081; return 200 "$remote_addr"; }
        server {
            listen 127.0.0.1:8080;
            location / { proxy_pass http://127.0.0.1:8081; proxy_bind 192.0.2.1 transparent; }
            location /said { proxy_pass http://127.0.0.1:8081; proxy_bind $arg_from transparent; }
            location /not { proxy_pass http://127.0.0.1:8081; proxy_bind 192.0.2.1; }
        }"#,
    )
    .mainline()
    .answers(&["/", "/said?from=192.0.2.77", "/said", "/said?from=x", "/not"])
    .await;
}

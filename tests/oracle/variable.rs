//! Variables that both know the same of.

use super::compare::{alike, echo};

#[tokio::test]
async fn of_the_request() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            server_name name.example.com;
            root html;
            default_type "";
            location /a { return 200 "$args|$arg_a|$is_args|$query_string"; }
            location /b { return 200 "$binary_remote_addr|$remote_addr|$server_addr|$server_port"; }
            location /c { return 200 "$content_length|$content_type|$cookie_a|$cookie_b|$http_cookie"; }
            location /d { return 200 "$document_root|$document_uri|$request_filename|$realpath_root"; }
            location /h { return 200 "$host|$http_host|$http_user_agent|$http_referer|$http_x_forwarded_for|$http_x_forwarded_proto|$http_via"; }
            location /p { return 200 "$proxy_add_x_forwarded_for|$remote_user|$request_method|$request_uri|$request"; }
            location /r { return 200 "$request_length|$connection_requests|$pipe|$scheme|$https"; }
            location /s { return 200 "$server_name|$server_protocol|$status|$uri|$nginx_version|"; }
            location /u { return 200 "$upstream_addr|$upstream_status|$upstream_response_time|$upstream_http_x|$upstream_cache_status|"; }
            location /g { return 200 "$gzip_ratio|$limit_rate|$sent_http_x|$request_body|$request_body_file|$bytes_sent|$body_bytes_sent"; }
            location /f { return 200 "$fastcgi_script_name|$proxy_host|$proxy_port|"; }
            location /$ { return 200 "price: ${arg_a}5"; }
        }"#,
    )
    .answers(&[
        "/a?a=1&b", "/a", "/b", "/c | Cookie: a=1; b=2", "/c | Cookie: b=x; A=upper", "/c | Cookie: xa=1;a=2",
        "/c | Cookie: a=1 | Cookie: b=2", "POST /c | Content-Type: text/x || abc", "/c", "/d/e/../f",
        "/h | Host: other:99 | User-Agent: ua | Referer: ref | X-Forwarded-For: 1.1.1.1 | X-Forwarded-Proto: https | Via: v",
        "/h", "/p", "/p?x | X-Forwarded-For: 1.1.1.1", "/p | X-Forwarded-For: 1.1.1.1 | X-Forwarded-For: 2.2.2.2",
        "/p | Authorization: Basic am86c2VjcmV0", "/p/%61?b=%20", "/r", "/r | X: y", "/u", "/g", "/f/x", "/$?a=1",
        "HEAD /p",
    ])
    .await;
}

#[tokio::test]
async fn in_logs_and_upstreams() {
    let backend = echo(&[
        ("/app", "HTTP/1.1 201 Made\r\nContent-Length: 3\r\nX-App: one\r\nX-App: two\r\nSet-Cookie: a=b; path=/\r\nX-Multi: x\r\n\r\nabc"),
    ])
    .await;
    alike(
        r#"
        log_format v '$uri $status $body_bytes_sent $upstream_addr $upstream_status $upstream_response_length '
            '$upstream_http_x_app $upstream_cookie_a $sent_http_x_app $proxy_host $proxy_port '
            '$upstream_bytes_received $sent_http_content_length $gzip_ratio $request_completion';
        access_log logs/access.log v;
        upstream named { server 127.0.0.1:8090; }
        server {
            listen 127.0.0.1:8080;
            root html;
            location /app { proxy_pass http://named; add_header X-Up "$upstream_status $upstream_addr $upstream_http_x_app"; }
            location /direct { proxy_pass http://127.0.0.1:8090/app; }
            location /copied { proxy_pass http://named/app; add_header X-Copy $upstream_http_x_multi always; }
            location / { }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("a.txt", "abc")
    .mainline()
    .answers(&["/app", "/direct", "/copied", "/a.txt", "HEAD /a.txt", "/a.txt | Range: bytes=0-1"])
    .await;
}

#[tokio::test]
async fn of_the_kernel() {
    alike(
        r#"
        map "$tcpinfo_rtt|$tcpinfo_rttvar|$tcpinfo_snd_cwnd|$tcpinfo_rcv_space" $measured {
            "~^[1-9]\d*\|[1-9]\d*\|[1-9]\d*\|[1-9]\d*$" yes;
            default no;
        }
        server { listen 127.0.0.1:8080; return 200 "$measured $tcpinfo_snd_cwnd $tcpinfo_rcv_space"; }"#,
    )
    .answers(&["/", "/again"])
    .await;
}

//! more_set_headers and its kin: nginx 1.31 of PyPI has the module.

use super::compare::{alike, echo};

#[tokio::test]
async fn fields_of_answers() {
    alike(
        r#"more_set_headers "X-Outer: o";
        server {
            listen 127.0.0.1:8080;
            root html;
            default_type text/plain;
            location /set { more_set_headers "X-A: 1" "x-b:2" 'Server: me' "C:  a  b"; return 200 hi; }
            location /again { more_set_headers "X-A: 1"; more_set_headers "x-a: 2"; return 200 x; }
            location /append { more_set_headers -a "Set-Cookie: a=1" "Set-Cookie: b=2"; more_set_headers -a "X-Outer: 2"; return 200 x; }
            location /status/404 { more_set_headers -s '404 500' "X-S: $status"; return 404; }
            location /status/200 { more_set_headers -s 404 "X-S: no"; more_set_headers -s 404 -s 200 "X-S: yes"; return 200 x; }
            location /type { more_set_headers -t 'text/html text/plain' "X-T: 1"; more_set_headers -t text/html "X-H: 1"; more_set_headers -t TEXT/plain "X-U: 1"; more_set_headers -t 'text/*' "X-W: 1"; return 200 x; }
            location /charset { charset koi8-r; more_set_headers -t 'text/plain; charset=koi8-r' "X-T: 1"; return 200 x; }
            location /clear { add_header X-B b; more_clear_headers X-B Server Content-Type Date; return 200 x; }
            location /clear/value { more_clear_headers "X-Outer: other"; return 200 x; }
            location /clear/some { more_clear_headers -s 404 'X-Out*'; return 404; }
            location /clear/prefix { more_set_headers "X-Ab: 1" "X-Acb: 2" "X-B: 3"; more_clear_headers "x-a*" "X-*b" "Content-*"; return 200 x; }
            location /clear/length { more_clear_headers "Content-Length"; return 200 x; }
            location /clear/location { more_clear_headers Location; return 302 /x; }
            location /prefix { more_set_headers "X-A: 1" "X-B: 1" "Y: 2"; more_set_headers "X-*: v"; return 200 x; }
            location /prefix/none { more_clear_headers X-Outer; more_set_headers "Z*: v"; return 200 x; }
            location /fresh { expires epoch; more_clear_headers Expires; return 200 x; }
            location /fresh/both { expires epoch; more_clear_headers Expires Cache-Control; return 200 x; }
            location /fresh/prefix { expires epoch; more_clear_headers "Exp*"; return 200 x; }
            location /fresh/again { expires epoch; more_clear_headers Expires; more_set_headers "Expires: x"; return 200 x; }
            location /fresh/first { expires epoch; more_set_headers "Expires: x"; more_clear_headers Expires; return 200 x; }
            location /empty { more_set_headers "X-Outer:" "Server: $arg_none" "Nothing"; return 200 x; }
            location /server { more_set_headers "Server:"; more_set_headers "Server: again" "Date:"; return 200 x; }
            location /content { charset koi8-r; more_set_headers "Content-Type: text/x; charset=utf-8"; return 200 x; }
            location /location { more_set_headers "Location: /there"; return 302 /x; }
            location /elsewhere { more_set_headers "Location: https://other.example/"; return 302 /x; }
            location /value { more_set_headers "X-V: $arg_v-$status-$sent_http_x_outer"; return 200 x; }
            location /if { if ($arg_x) { more_set_headers "X-If: 1"; } more_set_headers "X-All: 1"; return 200 x; }
            location /in { more_set_headers "X-A: out"; location /in/in { more_set_headers "X-B: in"; return 200 x; } return 200 y; }
            location /expires { more_set_headers "Cache-Control: no-cache"; expires epoch; return 200 x; }
            location /both { add_header Cache-Control a; more_set_headers "Cache-Control: b"; return 200 x; }
            location /page { error_page 404 = /other; more_set_headers "X-A: 1"; return 404; }
            location /other { more_set_headers "X-B: 1"; return 200 x; }
            location /validators { more_set_headers 'ETag: "own"' "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT"; }
            location /bare { more_clear_headers ETag Last-Modified Accept-Ranges; }
            location /ranges { more_set_headers -s 206 "X-Part: 1"; more_set_headers -s 200 "X-Whole: 1"; }
            location /from { more_clear_headers X-Powered-By "X-Secret-*"; proxy_pass http://127.0.0.1:8081/; }
        }"#,
    )
    .with_file("validators/a.txt", "text")
    .with_file("bare/a.txt", "text")
    .with_file("ranges/a.txt", "text")
    .with_backend(8081, echo(&[("/", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-Powered-By: php\r\nX-Secret-A: 1\r\nx-secret-b: 2\r\nX-Kept: 3\r\n\r\nx")]).await)
    .mainline()
    .answers(&[
        "/set", "/again", "/append", "/status/404", "/status/200", "/type", "/charset", "/clear", "/clear/value",
        "/clear/some", "/clear/prefix", "/clear/length", "/clear/location", "/prefix", "/prefix/none", "/fresh", "/fresh/both", "/fresh/prefix", "/fresh/again", "/fresh/first", "/empty", "/server",
        "/content", "/location", "/elsewhere", "/value?v=q", "/if", "/if?x=1", "/in", "/in/in", "/expires",
        "/both", "/page", "/validators/a.txt", "/bare/a.txt", "/bare/a.txt | Range: bytes=0-1",
        "/ranges/a.txt", "/ranges/a.txt | Range: bytes=0-1", "HEAD /set", "/none", "/from",
    ])
    .await;
}

#[tokio::test]
async fn fields_of_requests() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location /a { more_set_input_headers "X-In: $arg_v" "X-In2:" "User-Agent: me"; more_set_input_headers -t text/plain 'X-T: 1'; more_clear_input_headers 'X-Gone-*' 'X-Par: x'; echo "$http_x_in|$http_x_in2|$http_user_agent|$http_x_t|$http_x_gone_a|$http_x_par"; }
            location /host { more_set_input_headers "Host: Other.Example:81" "Cookie: a=1" "Accept-Encoding:"; echo "$http_host|$host|$cookie_a|$http_accept_encoding"; }
            location /replace { more_set_input_headers -r "X-Rep: new" "X-No: new"; more_set_input_headers "X-Dup: one"; echo "$http_x_rep|$http_x_no|$http_x_dup"; }
            location /user { more_clear_input_headers Authorization; echo "$remote_user|$http_authorization"; }
            location /order { more_set_input_headers "X-A: set"; set $before $http_x_a; echo "$before|"; }
            location /on { more_set_input_headers "X-In: 1"; more_clear_input_headers "X-Gone*"; proxy_pass http://127.0.0.1:8081; }
        }
        server {
            listen 127.0.0.1:8081;
            location / { echo "in=$http_x_in gone=$http_x_gone_a"; }
        }"#,
    )
    .mainline()
    .answers(&[
        "/a?v=7 | X-In2: 1 | X-Gone-A: 1 | X-Par: x", "/a | Content-Type: text/plain", "/host | Cookie: a=b",
        "/host | Accept-Encoding: gzip", "/replace | X-Rep: old | X-Dup: a | X-Dup: b",
        "/user | Authorization: Basic YTpi", "/order", "/on | X-Gone-A: 1",
    ])
    .await;
}

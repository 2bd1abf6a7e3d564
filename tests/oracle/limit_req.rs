//! limit_req: who asks too often is refused or waits, and the log says so.

use super::compare::alike;

#[tokio::test]
async fn requests_beyond_the_burst_are_refused() {
    alike(
        r#"
        limit_req_zone $arg_k zone=slow:32k rate=1r/m;
        limit_req_zone $arg_k$uri zone=path:32k rate=1r/m;
        limit_req_zone $arg_k zone=fast:32k rate=1r/s;
        log_format limits '$uri $arg_k $limit_req_status $status';
        access_log logs/access.log limits;
        error_log logs/error.log info;
        server {
            listen 127.0.0.1:8080;
            root html;
            limit_req zone=slow;
            location / { }
            location /burst { limit_req zone=path burst=2 nodelay; }
            location /status { limit_req zone=path; limit_req_status 429; limit_req_log_level info; }
            location /dry { limit_req zone=path; limit_req_dry_run on; limit_req_log_level notice; }
            location /drydelay { limit_req zone=path burst=3; limit_req_dry_run on; }
            location /delay { limit_req zone=fast burst=5; }
            location /some { limit_req zone=fast burst=5 delay=2; limit_req_log_level warn; }
            location /two { limit_req zone=fast burst=50 nodelay; limit_req zone=path burst=1 nodelay; }
            location /page { limit_req zone=path; error_page 503 /busy; }
            location /busy { limit_req zone=path; return 200 "busy"; }
            location /return { limit_req zone=path; return 204; }
            location /again { limit_req zone=path; try_files /none /again2; }
            location /again2 { limit_req zone=path; try_files /a =404; }
        }"#,
    )
    .with_file("a", "A")
    .with_errors()
    .answers(&[
        "/a", "/a?k=1", "/a?k=1", "/a?k=1", "/a?k=2", "/b?k=2",
        "/burst?k=3", "/burst?k=3", "/burst?k=3", "/burst?k=3", "/burst?k=3",
        "/status?k=4", "/status?k=4", "HEAD /status?k=4",
        "/dry?k=5", "/dry?k=5", "/drydelay?k=6", "/drydelay?k=6",
        // Together, for what is delayed lets time go by on the other side as well.
        "GET /delay?k=7 HTTP/1.1\r\nHost: a\r\n\r\nGET /delay?k=7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /some?k=8 HTTP/1.1\r\nHost: a\r\n\r\nGET /some?k=8 HTTP/1.1\r\nHost: a\r\n\r\nGET /some?k=8 HTTP/1.1\r\nHost: a\r\n\r\nGET /some?k=8 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "/two?k=9", "/two?k=9", "/two?k=9",
        "/page?k=10", "/page?k=10", "/return?k=11", "/return?k=11", "/return?k=11",
        "/again?k=12", "/again?k=12",
    ])
    .await;
}

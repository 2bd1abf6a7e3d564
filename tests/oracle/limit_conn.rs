//! limit_conn: who has too many connections at work is refused.

use super::compare::alike;

#[tokio::test]
async fn a_zone_without_room_for_one_refuses_in_its_words() {
    // One request at a time never has too many; what a limit sees of it is compared nevertheless.
    alike(
        r#"
        limit_conn_zone $arg_k zone=one:32k;
        log_format limits '$uri $arg_k $limit_conn_status $limit_req_status $status';
        access_log logs/access.log limits;
        error_log logs/error.log info;
        server {
            listen 127.0.0.1:8080;
            root html;
            limit_conn one 1;
            location / { }
            location /dry { limit_conn one 1; limit_conn_dry_run on; }
            location /none { limit_conn one 1; return 204; }
        }"#,
    )
    .with_file("a", "A")
    .with_errors()
    .answers(&["/a", "/a?k=1", "/a?k=1", "/dry?k=2", "/none?k=3", "POST /a?k=1 || body"])
    .await;
}

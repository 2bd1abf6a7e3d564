//! access: who may ask, by address; clients of unix sockets have none.

use crate::harness::Tidegate;
use crate::harness::client::Connection;

#[tokio::test]
async fn clients_of_unix_sockets_are_told_apart() {
    let server = Tidegate::start(
        r#"server {
            listen 127.0.0.1:8080; listen unix:web.sock;
            location /keep { deny unix:; try_files /page =404; }
            location /only { allow unix:; deny all; try_files /page =404; }
            location /net { allow 127.0.0.0/8; deny all; try_files /page =404; }
            location /all { deny all; allow unix:; try_files /page =404; }
            location /trusted {
                set_real_ip_from unix:; allow 1.2.3.4; deny all;
                add_header X-Seen "$remote_addr $tcpinfo_rtt." always;
                try_files /page =404;
            }
        }"#,
    )
    .with_file("page", "PAGE")
    .await;
    for (path, tcp, unix) in [
        ("/keep", 200, 403),
        ("/only", 403, 200),
        ("/net", 200, 403),
        ("/all", 403, 403),
        ("/trusted", 403, 200),
    ] {
        let fields = "Host: a\r\nX-Real-IP: 1.2.3.4\r\nConnection: close";
        let request = format!("GET {path} HTTP/1.1\r\n{fields}\r\n\r\n");
        server.ask(&format!("GET {path} | X-Real-IP: 1.2.3.4")).await.is(tcp);
        let mut connection = Connection::unix(&server.folder().join("web.sock")).await;
        connection.send(request).await;
        let answer = connection.answer().await;
        let answer = answer.is(unix);
        if path == "/trusted" {
            answer.has("X-Seen", "1.2.3.4 .");
        }
    }
}

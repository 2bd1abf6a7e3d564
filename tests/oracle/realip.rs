//! realip: whom a proxy says to have asked.

use super::compare::alike;

#[tokio::test]
async fn addresses_that_are_believed() {
    let values = [
        "",
        "1.2.3.4",
        "1.2.3.4:567",
        "::1",
        "[2001:db8::1]:99",
        "rubbish",
        "10.0.0.1, 1.2.3.4",
        "1.2.3.4, 10.0.0.1",
        "1.2.3.4,10.0.0.1, 10.0.0.2",
        "10.0.0.1",
        "1.2.3.4, unix:",
        " 1.2.3.4 ",
        "1.2.3.4, rubbish",
        "1.2.3",
        "[::1",
        "1.2.3.4:99999",
        ", ,",
    ];
    let mut asks = Vec::new();
    for path in ["/a", "/host", "/field", "/list", "/recursive", "/nobody", "/deny", "/jump"] {
        for value in values {
            asks.push(format!("{path} | X-Forwarded-For: {value} | X-Real-IP: {value}"));
        }
        asks.push(path.to_owned());
        asks.push(format!(
            "{path} | X-Forwarded-For: 1.1.1.1 | X-Forwarded-For: 2.2.2.2, 10.0.0.1"
        ));
    }
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"
        log_format real '$request_uri $remote_addr $realip_remote_addr $http_x_forwarded_for';
        map $remote_port $port { "~^\d{5}$" "high"; default $remote_port; }
        access_log logs/access.log real;
        server {
            listen 127.0.0.1:8080;
            root html;
            add_header X-Real "$remote_addr|$port|$realip_remote_addr" always;
            location / { }
            location /a { set_real_ip_from 127.0.0.1; try_files /b =404; }
            location /field { set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For; try_files /b =404; }
            location /list { set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; try_files /b =404; }
            location /recursive { set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; real_ip_recursive on; try_files /b =404; }
            location /nobody { set_real_ip_from 192.0.2.1; try_files /b =404; }
            location /host { set_real_ip_from localhost; try_files /b =404; }
            location /deny { set_real_ip_from 127.0.0.1; deny 1.2.3.4; try_files /b =404; }
            location /jump { try_files /x /field; }
        }"#,
    )
    .with_file("b", "B")
    .answers(&asks)
    .await;
}

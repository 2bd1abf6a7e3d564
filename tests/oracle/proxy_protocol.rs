//! The PROXY protocol in front of requests.

use super::compare::alike;

const CONF: &str = r#"
    log_format said '$remote_addr $proxy_protocol_addr $request $status';
    access_log logs/access.log said;
    server {
        listen 127.0.0.1:8080 proxy_protocol;
        location / { return 200 "$remote_addr|$proxy_protocol_addr|$proxy_protocol_port|$proxy_protocol_server_addr|$proxy_protocol_server_port|$proxy_protocol_tlv_alpn|$proxy_protocol_tlv_authority|$proxy_protocol_tlv_0x05|$proxy_protocol_tlv_ssl_version|$proxy_protocol_tlv_ssl_verify|$proxy_protocol_tlv_ssl_cn|$proxy_protocol_tlv_0xEA|"; }
    }
    server {
        listen 127.0.0.1:8081 proxy_protocol;
        set_real_ip_from 127.0.0.0/8;
        real_ip_header proxy_protocol;
        location / { return 200 "$remote_addr|$remote_port|$realip_remote_addr|$proxy_protocol_addr"; }
    }
    server {
        listen 127.0.0.1:8082 proxy_protocol;
        set_real_ip_from 10.0.0.0/8;
        real_ip_header proxy_protocol;
        location / { return 200 "$remote_addr|$realip_remote_addr"; }
    }"#;

#[tokio::test]
async fn lines_and_binary_headers() {
    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let v2 = |rest: &str| format!("\r\n\r\n\0\r\nQUIT\n{rest}{GET}");
    let asks: Vec<String> = [
        "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n",
        "PROXY TCP6 2001:db8::1 ::1 1000 80\r\n",
        "PROXY UNKNOWN\r\n",
        "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1000\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80 more\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 70000 80\r\n",
        "PROXY NONE 1 2 3 4\r\n",
        "PROXY TCP4 999.0.2.1 192.0.2.2 1000 80\r\n",
        "",
    ]
    .iter()
    .map(|line| format!("{line}{GET}"))
    .chain([
        v2("\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\0\x51"),
        v2("\x21\x11\0\x2a\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\0\x51\x01\0\x02h2\x02\0\x04name\x20\0\x0f\x01\0\0\0\x07\x21\0\x07TLSv1.3"),
        v2("\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\x50\0\x51"),
        v2("\x20\0\0\0"),
        v2("\x31\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x50\0\x51"),
        v2("\x21\x11\0\x04\x01\x02\x03\x04"),
        v2("\x21\x31\0\x03abc"),
    ])
    .collect();
    let others = [
        format!("@8081 PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n{GET}"),
        format!("@8082 PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n{GET}"),
    ];
    let asks: Vec<&str> = asks.iter().chain(&others).map(String::as_str).collect();
    alike(CONF).mainline().answers(&asks).await;
}

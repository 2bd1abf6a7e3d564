//! How bytes are moved: what nginx is told of it changes no answer.

use super::compare::alike;

const ASKS: &[&str] = &[
    "/empty",
    "/small",
    "/large",
    "HEAD /large",
    "/large | Range: bytes=70000-70099",
    "/large | Range: bytes=0-0,99990-",
    "/large | Accept-Encoding: gzip",
    "/missing",
    "/none/",
];

#[tokio::test]
async fn settings_that_change_no_answer() {
    let server = |port: u16, settings: &str| {
        format!("server {{ listen 127.0.0.1:{port}; root html; {settings} }}\n")
    };
    let conf = [
        server(8080, "aio threads; directio 4k; directio_alignment 512; sendfile off;"),
        server(8081, "sendfile on; sendfile_max_chunk 1k; tcp_nopush on; tcp_nodelay off; aio on;"),
        server(
            8082,
            "output_buffers 1 4k; postpone_output 0; read_ahead 64k; sendfile off; send_lowat 1;",
        ),
        server(
            8083,
            "connection_pool_size 256; request_pool_size 1k; client_header_buffer_size 128;",
        ),
        server(
            8084,
            "open_file_cache max=10; open_file_cache_valid 1s; open_file_cache_min_uses 1;
            open_file_cache_errors on; types_hash_max_size 64; server_names_hash_bucket_size 64;",
        ),
    ];
    // Of one bucket size for all.
    let conf = conf.concat().replace("server_names_hash_bucket_size 64;", "");
    let mut asks = Vec::new();
    for port in 8080..=8084 {
        for ask in ASKS {
            asks.push(format!("@{port} {ask}"));
        }
    }
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    // Without digits, which might be those of a port.
    let letter = |number: usize| char::from(b'a' + (number % 25) as u8);
    let large: String = (0..100_000).map(|number| letter(number / 25 + number)).collect();
    alike(&format!(
        "gzip on; gzip_types *; gzip_min_length 1000; variables_hash_max_size 2048; {conf}"
    ))
    .with_file("empty", "")
    .with_file("small", "small")
    .with_file("large", large)
    // What compression comes to differs by some bytes.
    .without_logs()
    .answers(&asks)
    .await;
}

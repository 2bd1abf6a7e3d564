//! Windows: nobody sends more than the other has room for (RFC 9113, section 6.9).

use super::conformance::*;
use crate::harness::http2::*;
use crate::harness::{Http2, Tidegate};

#[tokio::test]
async fn windows_are_kept() {
    let server = server().await;
    // A window of one byte: the answer comes in two pieces, the second when there is room.
    let mut client = Http2::with_settings(&server, &[(4, 1)]).await;
    let stream = client.head(&get("/", &[]), END_STREAM).await;
    assert_eq!(client.until(DATA).await.payload, b"o");
    client.frame(WINDOW_UPDATE, 0, stream, &[0, 0, 0, 1]).await;
    assert_eq!(client.until(DATA).await.payload, b"k");
    // Settings change the windows of open streams.
    let mut client = Http2::with_settings(&server, &[(4, 0)]).await;
    client.head(&get("/", &[]), END_STREAM).await;
    client.until(HEADERS).await;
    client.send(&settings_frame(&[(4, 1)])).await;
    assert_eq!(client.until(DATA).await.payload, b"o");
    // A window that has become negative stays shut until it is open again.
    let mut client = Http2::with_settings(&server, &[(4, 1)]).await;
    let stream = client.head(&get("/", &[]), END_STREAM).await;
    client.until(DATA).await;
    client.send(&settings_frame(&[(4, 0)])).await;
    client.frame(WINDOW_UPDATE, 0, stream, &[0, 0, 0, 1]).await;
    client.frame(PING, 0, 0, &[0; 8]).await;
    client.until(PING).await;
    client.frame(WINDOW_UPDATE, 0, stream, &[0, 0, 0, 1]).await;
    assert_eq!(client.until(DATA).await.payload, b"k");
    // Windows have an end.
    let most = 0x7fff_ffffu32.to_be_bytes();
    let mut client = Http2::to(&server).await;
    client.frame(WINDOW_UPDATE, 0, 0, &most).await;
    client.frame(WINDOW_UPDATE, 0, 0, &most).await;
    assert_eq!(client.goes_away().await, Some(FLOW_CONTROL_ERROR));
    let mut client = Http2::with_settings(&server, &[(4, 0)]).await;
    let stream = client.head(&get("/", &[]), END_STREAM).await;
    client.until(HEADERS).await;
    client.send(&settings_frame(&[(4, 2)])).await;
    client.frame(WINDOW_UPDATE, 0, stream, &most).await;
    client.frame(WINDOW_UPDATE, 0, stream, &most).await;
    client.get("/").await.is(200);
}

#[tokio::test]
async fn a_client_that_sends_more_than_it_may_is_stopped() {
    let server = Tidegate::start(
        "server { listen 127.0.0.1:8080; http2 on; http2_body_preread_size 16k; http2_max_concurrent_streams 3;
            location / { proxy_pass http://127.0.0.1:8090; } }",
    )
    .await;
    let mut client = server.http2().await;
    let settings = client.until(SETTINGS).await.payload;
    let has = |wanted: [u8; 6]| settings.chunks(6).any(|one| one == wanted);
    assert!(has([0, 3, 0, 0, 0, 3]) && has([0, 4, 0, 1, 0, 0]), "{settings:?}");
    for _ in 0..3 {
        client.head(&request("POST", "/", &[("content-length", "9")]), 0).await;
    }
    // nobody listens behind: 502 comes at once, so that streams are open again
    assert!(matches!(client.ask(&get("/", &[])).await, Reply::Answer(_) | Reply::Reset(7)));
}

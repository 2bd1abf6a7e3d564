//! A WebSocket's application, which says what it hears.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Backend;

const SWITCH: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

impl Backend {
    /// Switches protocols and sends back what it gets.
    pub async fn echoing() -> Self {
        Self::raw(|mut stream| async move {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(SWITCH).await;
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
        })
        .await
    }
}

//! What the tests stand on: the real binary in a folder of its own, and bytes in, bytes out.
//!
//! ```ignore
//! let server = Tidegate::start("
//!     server {
//!         listen 127.0.0.1:8080;
//!         location / { try_files $uri /fallback; }
//!         location /fallback { return 204; }
//!     }
//! ").with_file("found.html", "SEE THIS").await;
//!
//! server.get("/found.html").await.is(200).says("SEE THIS");
//! server.get("/missing").await.is(204);
//! ```
//!
//! Every port 8000 to 8999 in a configuration stands for a free one; a configuration of bare
//! blocks is put into `events {} http { … }`; what fails prints the configuration and the logs.
//! `TIDEGATE_TEST_BINARY` runs the same tests against another server (nginx), which is how a
//! doubtful test is judged.
#![allow(dead_code)] // not every test file needs every word

pub mod answer;
pub mod ask;
pub mod backend;
pub mod client;
pub mod config;
pub mod dns;
mod file;
pub mod handshake;
pub mod http2;
pub mod load;
pub mod process;
pub mod program;
pub mod server;
pub mod tls;

use std::future::Future;
use std::time::{Duration, Instant};

pub use answer::Answer;
pub use backend::Backend;
pub use client::{Client, Connection};
pub use http2::Http2;
pub use load::Load;
pub use server::Tidegate;

/// How long anything may take before a test gives up.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Asks until it is true, and fails at the deadline.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let end = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < end, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

//! Clients that ask all the time, on connections that are kept as long as the server keeps them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::Client;

/// Such clients, until they are told to stop. The first that loses a request fails the test.
pub struct Load {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    /// Four that want answers that begin with `word`.
    pub fn on(client: Client) -> Self {
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let task = |_| {
            let (stop, asked) = (stop.clone(), asked.clone());
            tokio::spawn(async move {
                let mut connection = client.connect().await;
                while !stop.load(Ordering::Relaxed) {
                    connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
                    let answer = connection.answer().await;
                    assert!(answer.text().starts_with("word"), "{answer:?}");
                    asked.fetch_add(1, Ordering::Relaxed);
                    if !answer.keeps_alive() {
                        connection = client.connect().await;
                    }
                    tokio::task::yield_now().await;
                }
            })
        };
        let tasks = (0..4).map(task).collect();
        Self { stop, asked, tasks }
    }

    /// How many requests there have been.
    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Has them stop, whatever they have lost.
    pub fn give_up(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Has them stop, and sees that nothing was lost.
    pub async fn end(self) {
        self.give_up();
        for task in self.tasks {
            task.await.expect("no request is lost");
        }
        assert!(self.asked.load(Ordering::Relaxed) > 0);
    }
}

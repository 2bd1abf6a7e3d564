//! The sockets that name servers are asked over: where there can be none, that is noted.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::net::runtime::{RuntimeProvider, TokioRuntimeProvider};
use tidegate_http::log::words::words;
use tidegate_http::shortage::is_shortage;

type Made<T> = Pin<Box<dyn Send + Future<Output = io::Result<T>>>>;

/// Where a resolver has its sockets from.
#[derive(Clone, Default)]
pub(super) struct Sockets {
    tokio: TokioRuntimeProvider,
    lack: Arc<Lack>,
}

/// How often there was no socket to be had, and what the system said of it last.
#[derive(Default)]
struct Lack {
    times: AtomicU32,
    words: Mutex<String>,
}

impl Sockets {
    /// How often there was none to be had.
    pub(super) fn lacked(&self) -> u32 {
        self.lack.times.load(Ordering::Relaxed)
    }

    /// What the system said of it last.
    pub(super) fn what_lacks(&self) -> String {
        self.lack.words.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, with a note where it comes to nothing for want of something.
    fn noted<T: 'static>(&self, made: Made<T>) -> Made<T> {
        let lack = Arc::clone(&self.lack);
        Box::pin(async move {
            made.await.inspect_err(|error| {
                if is_shortage(error) {
                    *lack.words.lock().unwrap_or_else(PoisonError::into_inner) = words(error);
                    lack.times.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
    }
}

impl RuntimeProvider for Sockets {
    type Handle = <TokioRuntimeProvider as RuntimeProvider>::Handle;
    type Timer = <TokioRuntimeProvider as RuntimeProvider>::Timer;
    type Udp = <TokioRuntimeProvider as RuntimeProvider>::Udp;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> Self::Handle {
        self.tokio.create_handle()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        from: Option<SocketAddr>,
        timeout: Option<Duration>,
    ) -> Made<Self::Tcp> {
        self.noted(self.tokio.connect_tcp(server, from, timeout))
    }

    fn bind_udp(&self, local: SocketAddr, server: SocketAddr) -> Made<Self::Udp> {
        self.noted(self.tokio.bind_udp(local, server))
    }
}

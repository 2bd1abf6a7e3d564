//! What systemd is told (`sd_notify`): that the server serves, reloads, stops, and lives.

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Where the service manager listens; nobody does where it has not started this process.
#[derive(Debug, Default)]
pub(super) struct Notify {
    to: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

/// As long as it is there, a thread tells the manager that this process lives.
pub(super) struct Busy(#[expect(dead_code, reason = "its end is what counts")] Sender<()>);

impl Notify {
    /// As the environment says (`NOTIFY_SOCKET`, `WATCHDOG_USEC`).
    pub(super) fn of_environment() -> Self {
        let address = env::var_os("NOTIFY_SOCKET").and_then(|name| {
            let name = name.as_bytes();
            match name.strip_prefix(b"@") {
                Some(name) => SocketAddr::from_abstract_name(name).ok(),
                None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)).ok(),
            }
        });
        let to = address.and_then(|address| Some((UnixDatagram::unbound().ok()?, address)));
        let microseconds = env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse::<u64>().ok());
        let watchdog = microseconds.filter(|number| *number > 0).map(Duration::from_micros);
        Self { to, watchdog: watchdog.map(|limit| limit / 2) }
    }

    /// How often [`Notify::lives`] wants to be called: in half of the time that is allowed.
    pub(super) fn interval(&self) -> Option<Duration> {
        self.to.as_ref().and(self.watchdog)
    }

    /// It serves, and by which process.
    pub(super) fn ready(&self) {
        self.say(&format!("READY=1\nMAINPID={}\nSTATUS=serving", std::process::id()));
    }

    /// It takes up a configuration; [`Notify::ready`] follows.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS=reloading"));
    }

    /// It is at something that may take long, and lives: the manager hears of it as long as the value
    /// is there, for so long at most.
    pub(super) fn busy(&self, most: Duration) -> Option<Busy> {
        let interval = self.interval()?;
        let (socket, address) = self.to.as_ref()?;
        let to = Some((socket.try_clone().ok()?, address.clone()));
        let (busy, ended) = channel::<()>();
        let thread = std::thread::Builder::new().name("busy".to_owned());
        let beat = move || {
            let notify = Self { to, watchdog: None };
            let begun = Instant::now();
            while ended.recv_timeout(interval / 2) == Err(RecvTimeoutError::Timeout)
                && begun.elapsed() < most
            {
                notify.lives();
            }
        };
        // Without a thread the manager hears of it later.
        thread.spawn(beat).ok()?;
        Some(Busy(busy))
    }

    /// It ends.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=ending with the last connections");
    }

    /// It lives.
    pub(super) fn lives(&self) {
        self.say("WATCHDOG=1");
    }

    fn say(&self, text: &str) {
        if let Some((socket, address)) = &self.to {
            // A manager that does not listen needs no news.
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}

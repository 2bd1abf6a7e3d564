//! What systemd is told (`sd_notify`): that the server serves, reloads, stops, and lives.

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Where the service manager listens; nobody does where it has not started this process.
#[derive(Debug, Default)]
pub(super) struct Notify {
    to: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

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

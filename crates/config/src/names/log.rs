//! What logs share by name.

use std::time::Duration;

use super::Names;
use crate::http::syslog::{SyslogId, SyslogServer};
use crate::value::size::Size;

/// `buffer=`, `flush=` and `gzip=` of a log file.
pub(crate) type LogBuffer = (Option<Size>, Option<Duration>, Option<u32>);

impl Names {
    /// A syslog server; the same words are the same server.
    pub(crate) fn syslog(&mut self, server: SyslogServer) -> SyslogId {
        let known = self.syslogs.iter().position(|known| *known == server);
        SyslogId(known.unwrap_or_else(|| {
            self.syslogs.push(server);
            self.syslogs.len() - 1
        }))
    }
}

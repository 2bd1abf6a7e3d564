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
        if let Some(known) = self.syslogs_known.get(&server) {
            return *known;
        }
        let id = SyslogId(self.syslogs.len());
        self.syslogs_known.insert(server.clone(), id);
        self.syslogs.push(server);
        id
    }
}

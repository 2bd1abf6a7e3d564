//! The duty of a container's first process: processes that others have left behind are buried.

use rustix::process::{Pid, WaitOptions, waitpid};

use super::{Master, Place};

impl Master {
    /// Waits for every process that has ended and is none of ours. Only the first process of a
    /// system is left with such.
    pub(super) fn bury_orphans(&self) {
        if std::process::id() != 1 {
            return;
        }
        let text = std::fs::read_to_string("/proc/self/task/1/children").unwrap_or_default();
        let children = text.split_whitespace().filter_map(|number| number.parse::<i32>().ok());
        for pid in children.filter(|pid| !self.is_ours(*pid)).filter_map(Pid::from_raw) {
            // One that still runs is left alone.
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }

    fn is_ours(&self, pid: i32) -> bool {
        let places = self.leaving.iter().chain([&self.parts.place]);
        let mut own = places.filter_map(|place| match place {
            Place::There(child) => i32::try_from(child.pid()).ok(),
            _ => None,
        });
        let successor = self.takeover.as_ref().map(|takeover| takeover.pid().as_raw_pid());
        own.any(|own| own == pid) || successor == Some(pid)
    }
}

//! What limits have said of a request.

use crate::zone::Held;

/// What limits have said of a request; they are asked once, whatever it becomes later.
#[derive(Debug, Default)]
pub struct Limits {
    /// What `limit_req` has said (`$limit_req_status`).
    pub requests: Option<Limited>,
    /// What `limit_conn` has said (`$limit_conn_status`).
    pub connections: Option<Limited>,
    /// The places that it holds in zones of `limit_conn`.
    pub held: Vec<Held>,
}

/// What a limit has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// It goes on.
    Passed,
    /// It had to wait.
    Delayed,
    /// It is refused.
    Rejected,
    /// It would have had to wait.
    DelayedDryRun,
    /// It would have been refused.
    RejectedDryRun,
}

impl Limited {
    /// nginx's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Delayed => "DELAYED",
            Self::Rejected => "REJECTED",
            Self::DelayedDryRun => "DELAYED_DRY_RUN",
            Self::RejectedDryRun => "REJECTED_DRY_RUN",
        }
    }
}

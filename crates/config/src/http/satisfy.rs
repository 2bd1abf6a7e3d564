//! `satisfy`: whether all checks of access must agree, or one is enough.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::value::choice::choice;

/// How checks of access are joined.
#[derive(Clone, Debug, Directives)]
pub struct Satisfy {
    /// Whether all of `allow`/`deny`, `auth_basic` and `auth_request` must agree, or any is enough.
    #[directive("satisfy", default = "all")]
    pub rule: SatisfyRule,
    /// How long an answer of 401 is held back, so that passwords cannot be guessed fast.
    #[directive("auth_delay", default = "0")]
    pub delay: Duration,
}

choice! {
    /// How checks of access are joined.
    pub enum SatisfyRule {
        /// All must agree.
        All = "all",
        /// One is enough.
        Any = "any",
    }
}

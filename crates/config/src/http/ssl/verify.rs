//! `ssl_verify_client`: whether clients must show a certificate.

use crate::value::choice::choice;

choice! {
    /// Whether clients must show a certificate.
    pub enum VerifyClient {
        /// They are not asked for one.
        Off = "off",
        /// They must show a good one.
        On = "on",
        /// They may show one, and it must be good then.
        Optional = "optional",
        /// They may show one; who has signed it is for the application to judge.
        OptionalNoCa = "optional_no_ca",
    }
}

impl VerifyClient {
    /// Whether clients are asked for a certificate.
    pub fn asks(self) -> bool {
        self != Self::Off
    }
}

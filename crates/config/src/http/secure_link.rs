//! `secure_link`: addresses that can be checked.

use tidegate_config_derive::Directives;

/// Addresses that can be checked.
#[derive(Clone, Debug, Directives)]
pub struct SecureLink {
    /// The hash and the time of an address.
    #[directive(
        "secure_link",
        args(1),
        ignored = "$secure_link is always empty, as for a wrong address"
    )]
    pub link: Option<String>,
    /// What the hash is made of.
    #[directive(
        "secure_link_md5",
        args(1),
        ignored = "$secure_link is always empty, as for a wrong address"
    )]
    pub md5: Option<String>,
    /// The secret word of the older form.
    #[directive(
        "secure_link_secret",
        args(1),
        ignored = "$secure_link is always empty, as for a wrong address"
    )]
    pub secret: Option<String>,
}

//! `secure_link`: addresses that can be checked.

use tidegate_config_derive::Directives;

use crate::value::template::Template;

/// Addresses that can be checked.
#[derive(Clone, Debug, Directives)]
pub struct SecureLink {
    /// Where a request carries its hash, in base64 as URLs have it, and behind a comma the time, in
    /// seconds since 1970, that it ends at.
    #[directive("secure_link")]
    pub link: Option<Template>,
    /// What the MD5 hash is made of.
    #[directive("secure_link_md5")]
    pub md5: Option<Template>,
    /// The secret word of the older form: `/prefix/hash/link`, the hash being of link and word.
    #[directive("secure_link_secret", args(1))]
    pub secret: Option<String>,
}

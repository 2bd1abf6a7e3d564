//! `secure_link`: addresses that can be checked.

use std::sync::Arc;

use tidegate_config_derive::Directives;

use crate::directive::Fault;
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

impl SecureLink {
    /// A level has one of the two forms (nginx: `ngx_http_secure_link_merge_loc_conf`).
    pub(crate) fn choose(this: &mut Arc<Self>, written: &SecureLinkWritten) -> Result<(), Fault> {
        let newer = written.link.is_some() || written.md5.is_some();
        match (written.secret.is_some(), newer) {
            (true, true) => Err(Fault::sentence(
                "\"secure_link_secret\" cannot be mixed with \"secure_link\" and \"secure_link_md5\"",
            )
            .hint("leave one of the two forms away; the newer is secure_link with secure_link_md5")),
            (true, false) if this.link.is_some() || this.md5.is_some() => {
                let settings = Arc::make_mut(this);
                (settings.link, settings.md5) = (None, None);
                Ok(())
            }
            (false, true) if this.secret.is_some() => {
                Arc::make_mut(this).secret = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

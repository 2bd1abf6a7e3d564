//! `auth_request`: access decided by a request of our own.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};

/// Access decided by a request of our own.
#[derive(Clone, Debug, Directives)]
pub struct AuthRequest {
    /// The URI that is asked, or `off`.
    #[directive("auth_request", parse = uri, args(1),
        differs = "nobody is asked yet: what it guards answers 403 to everybody")]
    pub uri: Option<String>,
}

fn uri(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Option<String>, Fault> {
    let text = &args.first().text;
    Ok((text != "off").then(|| text.clone()))
}

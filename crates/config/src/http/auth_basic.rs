//! `auth_basic`: names and passwords.

use std::path::PathBuf;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::template::Template;

/// Names and passwords (HTTP Basic).
#[derive(Clone, Debug, Directives)]
pub struct AuthBasic {
    /// The realm that is asked for, or `off`.
    #[directive("auth_basic", also(LimitExcept), parse = realm, args(1),
        differs = "no password is checked yet: what it guards answers 403 to everybody")]
    pub realm: Option<Template>,
    /// The file of names and passwords.
    #[directive("auth_basic_user_file", also(LimitExcept), parse = file, args(1),
        ignored = "no password is checked yet: what auth_basic guards answers 403 to everybody")]
    pub user_file: Option<PathBuf>,
}

fn realm(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Template>, Fault> {
    if args.first().text == "off" {
        return Ok(None);
    }
    Template::compile(args.first(), cx).map(Some)
}

fn file(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<PathBuf>, Fault> {
    Ok(Some(cx.folder.join(&args.first().text)))
}

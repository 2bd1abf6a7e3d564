//! `auth_basic`: names and passwords.

use std::path::PathBuf;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::template::Template;

/// Names and passwords (HTTP Basic).
#[derive(Clone, Debug, Directives)]
pub struct AuthBasic {
    /// The realm that clients are asked a name and a password for, or `off`.
    #[directive("auth_basic", also(LimitExcept), parse = realm, args(1))]
    pub realm: Option<Template>,
    /// The file of names and hashed passwords, as `htpasswd` writes it. Without one nobody is asked.
    #[directive("auth_basic_user_file", also(LimitExcept), parse = UserFile::parse, args(1))]
    pub user_file: Option<UserFile>,
}

/// A file of names and passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFile {
    /// Its path.
    pub path: Template,
    /// The folder of the main file, where a relative path begins.
    pub folder: PathBuf,
}

impl UserFile {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        let path = Template::compile(args.first(), cx)?;
        Ok(Some(Self { path, folder: cx.folder.to_path_buf() }))
    }
}

fn realm(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Template>, Fault> {
    if args.first().text == "off" {
        return Ok(None);
    }
    Template::compile(args.first(), cx).map(Some)
}

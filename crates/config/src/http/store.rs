//! `proxy_store` and its kin: answers that are kept as files.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::dav::DavAccess;
use crate::value::template::{Part, Template};
use crate::variable::{Builtin, Variable};

/// Answers that are kept as files.
#[derive(Clone, Debug, Directives)]
pub struct Store {
    /// Keeps whole answers of status 200 to GET: where the file of the request would be (`on`), or
    /// at a path.
    #[directive("{}_store", default = "off", parse = path, args(1))]
    pub path: Option<Template>,
    /// The rights of such files, and of the folders that are made for them.
    #[directive("{}_store_access", default = "user:rw")]
    pub access: DavAccess,
}

fn path(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Template>, Fault> {
    let word = args.first();
    match word.text.as_str() {
        "off" => Ok(None),
        "on" => {
            let name = Part::Variable(Variable::Builtin(Builtin::RequestFilename));
            Ok(Some(Template { parts: [name].into() }))
        }
        "" => Err(Fault::sentence("empty path").at(word.span).hint("a path of a file, or `on`")),
        _ => Template::compile(word, cx).map(Some),
    }
}

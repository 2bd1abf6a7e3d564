//! `limit_rate`: how fast an answer is sent.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::size::Size;
use crate::value::template::Template;

/// How fast an answer is sent.
#[derive(Clone, Debug, Directives)]
pub struct LimitRate {
    /// Bytes a second for one request; 0 is without bound.
    #[directive("limit_rate", also(LocationIf), default = "0", parse = size, args(1))]
    pub rate: Template,
    /// The bytes that are sent before the bound holds.
    #[directive("limit_rate_after", also(LocationIf), default = "0", parse = size, args(1))]
    pub after: Template,
}

/// A size, which requests may decide by variables (nginx: `ngx_http_set_complex_value_size_slot`).
pub(crate) fn size(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Template, Fault> {
    let value = Template::compile(args.first(), cx)?;
    match value.constant().map(|text| std::str::from_utf8(text).ok().and_then(Size::parse)) {
        Some(None) => Err(Fault::phrase("invalid value").at(args.first().span)),
        Some(Some(Size(0))) => Ok(Template::default()),
        Some(Some(_)) | None => Ok(value),
    }
}

//! What the request knows and forwarding asks: values of templates, matches of expressions.

use bytes::Bytes;
use tidegate_config::value::pattern::Pattern;
use tidegate_config::value::template::Template;
use tidegate_http::exchange::Exchange;

/// The request's side of a configuration's text.
pub(crate) trait Evaluate {
    /// The template with its variables filled in.
    fn render(&mut self, template: &Template) -> Bytes;

    /// Whether the expression matches; its groups are variables from then on.
    fn matches(&mut self, pattern: &Pattern, subject: &Bytes) -> bool;
}

impl Evaluate for Exchange<'_> {
    fn render(&mut self, template: &Template) -> Bytes {
        self.render(template)
    }

    fn matches(&mut self, pattern: &Pattern, subject: &Bytes) -> bool {
        self.matches(pattern, subject)
    }
}

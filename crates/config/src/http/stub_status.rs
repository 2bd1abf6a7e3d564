//! `stub_status`: how many connections there are.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};

/// How many connections there are.
#[derive(Clone, Debug, Directives)]
pub struct StubStatus {
    /// Answers with the numbers of connections and requests.
    #[directive("stub_status", only(Server, Location), own, parse = on, args(0, 1))]
    pub enabled: bool,
}

fn on(_: &Arguments<'_>, _: &mut Cx<'_>) -> Result<bool, Fault> {
    Ok(true)
}

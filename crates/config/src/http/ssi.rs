//! `ssi`: pages put together by the server.

use tidegate_config_derive::Directives;

/// Pages put together by the server.
#[derive(Clone, Debug, Directives)]
pub struct Ssi {
    /// Carries out the commands in pages.
    #[directive(
        "ssi",
        default = "off",
        also(LocationIf),
        ignored = "commands in pages are not carried out"
    )]
    pub enabled: bool,
    /// Says nothing in place of a failed command.
    #[directive(
        "ssi_silent_errors",
        default = "off",
        ignored = "commands in pages are not carried out"
    )]
    pub silent_errors: bool,
    /// The types of pages that are searched, besides `text/html`.
    #[directive("ssi_types", args(1, ..), ignored = "commands in pages are not carried out")]
    pub types: Option<Vec<String>>,
}

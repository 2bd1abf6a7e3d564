//! `ssi`: pages put together by the server.

use tidegate_config_derive::Directives;

use crate::http::types::MediaTypes;
use crate::value::size::Size;

/// Pages put together by the server.
#[derive(Clone, Debug, Directives)]
pub struct Ssi {
    /// Carries out the commands in pages.
    #[directive("ssi", default = "off", also(LocationIf))]
    pub enabled: bool,
    /// Says nothing in place of a failed command.
    #[directive("ssi_silent_errors", default = "off")]
    pub silent_errors: bool,
    /// The types of pages that are searched, besides `text/html`; `*` is all.
    #[directive("ssi_types", default = "text/html", joins)]
    pub types: MediaTypes,
    /// The longest value of a command's parameter.
    #[directive("ssi_value_length", default = "256")]
    pub value_length: Size,
    /// Whether `Last-Modified` and a weak `ETag` stay.
    #[directive("ssi_last_modified", default = "off")]
    pub last_modified: bool,
    /// The least piece of a page that is sent from its file.
    #[directive(
        "ssi_min_file_chunk",
        default = "1k",
        ignored = "pages are read to find their commands, and sent from memory"
    )]
    pub min_file_chunk: Size,
    /// Whether the buffers of a page are given back early.
    #[directive(
        "ssi_ignore_recycled_buffers",
        default = "off",
        ignored = "buffers are given back as soon as they are sent"
    )]
    pub ignore_recycled_buffers: bool,
    /// The longest answer that `include` keeps in a variable.
    #[directive("subrequest_output_buffer_size", default = "4k")]
    pub output_buffer: Size,
}

//! `gunzip`: answers for those who do not take what is compressed.

use tidegate_config_derive::Directives;

use crate::value::Buffers;

/// Whether what comes compressed is decompressed.
#[derive(Clone, Debug, Directives)]
pub struct Gunzip {
    /// Decompresses answers with `Content-Encoding: gzip` for clients that do not take it.
    #[directive("gunzip", default = "off")]
    pub enabled: bool,
    /// Number and size of the buffers.
    #[directive(
        "gunzip_buffers",
        default = "32 4k",
        ignored = "the decompressor has a buffer of its own size"
    )]
    pub buffers: Buffers,
}

//! `zstd` and its family: answers in the coding `zstd`.

use tidegate_config_derive::Directives;

use crate::http::gzip::Precompressed;
use crate::http::types::MediaTypes;
use crate::value::Buffers;
use crate::value::size::Size;

/// Whether an answer is compressed in the coding `zstd`, and how hard (as in the module
/// `zstd-nginx-module`).
#[derive(Clone, Debug, Directives)]
pub struct Zstd {
    /// Compresses answers for clients that take `zstd`, and do not like another coding that is on
    /// better.
    #[directive("zstd", default = "off", also(LocationIf))]
    pub enabled: bool,
    /// The types that are compressed, besides `text/html`; `*` is all.
    #[directive("zstd_types", default = "text/html", joins)]
    pub types: MediaTypes,
    /// How hard to compress, from 1, the fastest, to 22, the smallest; what is compressed while it
    /// is sent, and not kept, up to 12.
    #[directive("zstd_comp_level", default = "1", range = 1..=22)]
    pub level: u32,
    /// The length below which an answer is left alone, where its length is known.
    #[directive("zstd_min_length", default = "20")]
    pub min_length: Size,
    /// Number and size of the buffers.
    #[directive(
        "zstd_buffers",
        default = "32 4k",
        ignored = "the compressor has buffers of its own size"
    )]
    pub buffers: Buffers,
    /// Serves `name.zst` in place of `name`.
    #[directive("zstd_static", default = "off")]
    pub precompressed: Precompressed,
}

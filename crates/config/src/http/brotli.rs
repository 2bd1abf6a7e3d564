//! `brotli` and its family: answers in the coding `br`.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::gzip::Precompressed;
use crate::http::types::MediaTypes;
use crate::value::size::Size;
use crate::value::{Buffers, Value};

/// Whether an answer is compressed in the coding `br`, and how hard (as in the module `ngx_brotli`).
#[derive(Clone, Debug, Directives)]
pub struct Brotli {
    /// Compresses answers for clients that take `br`, and do not like another coding that is on
    /// better.
    #[directive("brotli", default = "off", also(LocationIf))]
    pub enabled: bool,
    /// The types that are compressed, besides `text/html`; `*` is all.
    #[directive("brotli_types", default = "text/html", joins)]
    pub types: MediaTypes,
    /// How hard to compress, from 0, the fastest, to 11, the smallest; what is compressed while it
    /// is sent, and not kept, up to 9.
    #[directive("brotli_comp_level", default = "6", range = 0..=11)]
    pub level: u32,
    /// The length below which an answer is left alone, where its length is known.
    #[directive("brotli_min_length", default = "20")]
    pub min_length: Size,
    /// How far back the compressor looks: a power of two from 1k to 16m.
    #[directive("brotli_window", default = "512k")]
    pub window: Window,
    /// Number and size of the buffers.
    #[directive(
        "brotli_buffers",
        default = "32 4k",
        ignored = "the compressor has buffers of its own size"
    )]
    pub buffers: Buffers,
    /// Serves `name.br` in place of `name`.
    #[directive("brotli_static", default = "off")]
    pub precompressed: Precompressed,
}

/// How far back a compressor looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(u32);

impl Window {
    /// The binary logarithm of the bytes, 10 to 24.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl Value for Window {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let size = Size::parse(&args.first().text).map(|size| size.0);
        match size.filter(|size| size.is_power_of_two()).map(u64::ilog2) {
            Some(bits @ 10..=24) => Ok(Self(bits)),
            _ => Err(Fault::phrase("invalid value")
                .at(args.first().span)
                .hint("a power of two: 1k, 2k, 4k, … 16m")),
        }
    }
}

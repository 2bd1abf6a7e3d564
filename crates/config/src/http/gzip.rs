//! `gzip` and its family: smaller answers.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault, Join};
use crate::http::types::MediaTypes;
use crate::value::choice::choice;
use crate::value::regex::Regex;
use crate::value::size::Size;
use crate::value::{Buffers, Value};

/// Whether an answer is compressed, and how hard.
#[derive(Clone, Debug, Directives)]
pub struct Gzip {
    /// Compresses answers for clients that take it.
    #[directive("gzip", default = "off", also(LocationIf))]
    pub enabled: bool,
    /// The types that are compressed, besides `text/html`; `*` is all.
    #[directive("gzip_types", default = "text/html", joins)]
    pub types: MediaTypes,
    /// How hard to compress, from 1, the fastest, to 9, the smallest.
    #[directive("gzip_comp_level", default = "1", range = 1..=9)]
    pub level: u32,
    /// The length below which an answer is left alone, where its length is known.
    #[directive("gzip_min_length", default = "20")]
    pub min_length: Size,
    /// Adds `Vary: Accept-Encoding` to what could be compressed.
    #[directive("gzip_vary", default = "off")]
    pub vary: bool,
    /// Which answers to proxies, known by `Via`, are compressed.
    #[directive("gzip_proxied", default = "off", joins)]
    pub proxied: Proxied,
    /// The least version of HTTP that is compressed for.
    #[directive("gzip_http_version", default = "1.1")]
    pub http_version: GzipVersion,
    /// The clients, by `User-Agent`, that get nothing compressed.
    #[directive("gzip_disable", repeat, parse = disable, args(1, ..))]
    pub disable: Vec<Vec<Disable>>,
    /// Number and size of the buffers.
    #[directive(
        "gzip_buffers",
        default = "32 4k",
        ignored = "the compressor has buffers of its own size"
    )]
    pub buffers: Buffers,
    /// The window of the compressor.
    #[directive("gzip_window", default = "32k", ignored = "the window is always 32k")]
    pub window: Size,
    /// The memory of the compressor.
    #[directive("gzip_hash", default = "64k", ignored = "the memory is always that of level 8")]
    pub hash: Size,
    /// The bytes that are collected before compression begins.
    #[directive("postpone_gzipping", default = "0", ignored = "bytes are compressed as they come")]
    pub postpone: Size,
    /// Whether a compressor that needs less is awaited.
    #[directive(
        "gzip_no_buffer",
        default = "off",
        ignored = "buffers are flushed when nothing more comes"
    )]
    pub no_buffer: bool,
    /// Serves `name.gz` in place of `name`.
    #[directive("gzip_static", default = "off")]
    pub precompressed: Precompressed,
}

choice! {
    /// Whether `name.gz` is served in place of `name`.
    pub enum Precompressed {
        /// Never.
        Off = "off",
        /// To clients that take it.
        On = "on",
        /// To all clients.
        Always = "always",
    }
}

choice! {
    /// The least version of HTTP that is compressed for.
    pub enum GzipVersion {
        /// HTTP/1.0.
        Http10 = "1.0",
        /// HTTP/1.1.
        Http11 = "1.1",
    }
}

/// Which answers to proxies are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proxied {
    /// `any`: all.
    pub any: bool,
    /// `expired`: those with an `Expires` in the past.
    pub expired: bool,
    /// `no-cache`: those with `Cache-Control: no-cache`.
    pub no_cache: bool,
    /// `no-store`: those with `Cache-Control: no-store`.
    pub no_store: bool,
    /// `private`: those with `Cache-Control: private`.
    pub private: bool,
    /// `no_last_modified`: those without `Last-Modified`.
    pub no_last_modified: bool,
    /// `no_etag`: those without `ETag`.
    pub no_etag: bool,
    /// `auth`: those to requests with `Authorization`.
    pub auth: bool,
}

impl Join for Proxied {
    fn join(self, other: Self) -> Self {
        Self {
            any: self.any || other.any,
            expired: self.expired || other.expired,
            no_cache: self.no_cache || other.no_cache,
            no_store: self.no_store || other.no_store,
            private: self.private || other.private,
            no_last_modified: self.no_last_modified || other.no_last_modified,
            no_etag: self.no_etag || other.no_etag,
            auth: self.auth || other.auth,
        }
    }
}

impl Value for Proxied {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        cx.twice(args.words);
        let mut proxied = Self::default();
        for word in args.words {
            match word.text.as_str() {
                "off" => {}
                "any" => proxied.any = true,
                "expired" => proxied.expired = true,
                "no-cache" => proxied.no_cache = true,
                "no-store" => proxied.no_store = true,
                "private" => proxied.private = true,
                "no_last_modified" => proxied.no_last_modified = true,
                "no_etag" => proxied.no_etag = true,
                "auth" => proxied.auth = true,
                _ => return Err(Fault::invalid_value(word)),
            }
        }
        Ok(proxied)
    }
}

/// A client that gets nothing compressed.
#[derive(Clone, Debug)]
pub enum Disable {
    /// Internet Explorer 4 to 6, without service pack 2 of the latter.
    Msie6,
    /// `degradation`: never the case here.
    Degradation,
    /// A `User-Agent` that matches.
    Agent(Regex),
}

fn disable(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Vec<Disable>, Fault> {
    let one = |word: &crate::syntax::Word| match word.text.as_str() {
        "msie6" => Ok(Disable::Msie6),
        "degradation" => Ok(Disable::Degradation),
        pattern => Regex::new(pattern, true)
            .map(Disable::Agent)
            .map_err(|error| Fault::sentence(error.to_string()).at(word.span)),
    };
    args.words.iter().map(one).collect()
}

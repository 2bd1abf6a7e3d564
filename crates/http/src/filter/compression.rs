//! compression: which of `gzip`, `brotli` and `zstd` an answer gets.

pub mod accept;
mod encode;
mod kept;

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use http::Method;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::types::MediaTypes;
use tidegate_config::value::size::Size;

use super::charset::essence;
use super::gzip;
use crate::body::Body;
use crate::exchange::Exchange;
use crate::response::Response;
use kept::Made;

/// Bytes before and after compression, while they are counted.
pub type Counts = Rc<Cell<(u64, u64)>>;

/// A way to compress, and how hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Coding {
    Gzip {
        /// 1 to 9.
        level: u32,
    },
    Brotli {
        /// 0 to 11.
        level: u32,
        /// The binary logarithm of the window, 10 to 24.
        window: u32,
    },
    Zstd {
        /// 1 to 22.
        level: u32,
    },
}

/// Compresses an answer where the configuration, the client and the answer allow it (nginx:
/// `ngx_http_gzip_header_filter` and those of the modules for brotli and zstd).
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let location = ex.location;
    if !(location.gzip.enabled || location.brotli.enabled || location.zstd.enabled) {
        return;
    }
    if !is_compressible(response) {
        return;
    }
    let ways = ways(ex, response);
    if ways == [None; 3] {
        return;
    }
    if location.gzip.vary {
        gzip::vary(response);
    }
    let Some(coding) = choice(ex, response, ways) else { return };
    if ex.method != Method::HEAD
        && let Err(error) = compress(ex, response, coding)
    {
        ex.log(Level::Crit, &format!("{} failed: {error}", coding.name()));
        return;
    }
    response.changed();
    response.headers.push("Content-Encoding", coding.name());
}

fn is_compressible(response: &Response) -> bool {
    matches!(response.status, 200 | 403 | 404)
        && response.headers.get("Content-Encoding").is_none_or(bytes::Bytes::is_empty)
        && !matches!(response.body, Body::Tunnel(_))
}

/// The ways that the configuration has for this answer, the smallest result first.
fn ways(ex: &Exchange<'_>, response: &Response) -> [Option<Coding>; 3] {
    let content_type = essence(response.content_type.as_deref().unwrap_or_default());
    let fits = |enabled: bool, types: &MediaTypes, least: Size| {
        enabled
            && response.content_length.is_none_or(|length| length >= least.0)
            && types.contains(content_type)
    };
    let (gzip, brotli, zstd) = (&ex.location.gzip, &ex.location.brotli, &ex.location.zstd);
    [
        fits(brotli.enabled, &brotli.types, brotli.min_length)
            .then(|| Coding::Brotli { level: brotli.level, window: brotli.window.bits() }),
        fits(zstd.enabled, &zstd.types, zstd.min_length)
            .then_some(Coding::Zstd { level: zstd.level }),
        fits(gzip.enabled, &gzip.types, gzip.min_length)
            .then_some(Coding::Gzip { level: gzip.level }),
    ]
}

/// The way that this client likes best. With gzip alone, its own rule decides.
fn choice(ex: &Exchange<'_>, response: &Response, ways: [Option<Coding>; 3]) -> Option<Coding> {
    if let [None, None, Some(gzip)] = ways {
        return gzip::is_taken(ex, response).then_some(gzip);
    }
    let fields = ex.request.headers.all(b"Accept-Encoding");
    let accepted = accept::Accepted::of(fields.map(AsRef::as_ref));
    let mut best = None;
    let mut quality = 0;
    for coding in ways.into_iter().flatten() {
        let liked = accepted.quality(coding.name().as_bytes());
        let gzip = matches!(coding, Coding::Gzip { .. });
        if liked > quality && (!gzip || gzip::is_taken(ex, response)) {
            (best, quality) = (Some(coding), liked);
        }
    }
    // Who likes it better as it is, gets it so.
    best.filter(|_| quality >= accepted.quality(b"identity"))
}

/// Compresses the body. What lies on disk is compressed once and kept.
fn compress(ex: &mut Exchange<'_>, response: &mut Response, coding: Coding) -> io::Result<()> {
    let from_disk = response.allow_ranges;
    let done = match &response.body {
        Body::Empty => Made::Here(encode::compress(&[], coding)?),
        Body::Bytes(bytes) if !from_disk => Made::Here(encode::compress(bytes, coding)?),
        body => kept::compressed(body, coding)?,
    };
    let counts = Counts::default();
    let body = std::mem::take(&mut response.body);
    response.body = match done {
        Made::Here(compressed) => {
            counts.set((body.len().unwrap_or_default(), compressed.len() as u64));
            Body::Bytes(compressed)
        }
        Made::Elsewhere(making) => Body::Stream(making),
        Made::Not => {
            let counts = Rc::clone(&counts);
            Body::Stream(encode::compress_stream(body.into_stream(), coding.quick(), counts)?)
        }
    };
    if let Coding::Gzip { .. } = coding {
        ex.sent.gzip_ratio = Some(counts);
    }
    Ok(())
}

impl Coding {
    /// Whether it takes so long that a worker would be held up by a page.
    fn is_slow(self) -> bool {
        self != self.quick()
    }

    /// The same, no slower than a stream may be compressed on the way.
    fn quick(self) -> Self {
        match self {
            Self::Gzip { .. } => self,
            Self::Brotli { level, window } => Self::Brotli { level: level.min(9), window },
            Self::Zstd { level } => Self::Zstd { level: level.min(12) },
        }
    }

    /// Its name in `Content-Encoding`.
    fn name(self) -> &'static str {
        match self {
            Self::Gzip { .. } => "gzip",
            Self::Brotli { .. } => "br",
            Self::Zstd { .. } => "zstd",
        }
    }
}

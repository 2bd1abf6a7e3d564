//! `http2`: connections that carry several requests at once.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::number;
use crate::value::size::Size;

/// The largest frame there is, in bytes (RFC 9113, section 4.2).
const LARGEST_FRAME: u64 = (1 << 24) - 1;

/// The largest window there is, in bytes (RFC 9113, section 6.9.1).
const LARGEST_WINDOW: u64 = (1 << 31) - 1;

/// Connections that carry several requests at once.
#[derive(Clone, Debug, Directives)]
pub struct Http2 {
    /// Lets connections speak HTTP/2: over TLS where both agree on it, in the clear where the
    /// client begins with it.
    #[directive("http2", only(Http, Server), default = "off")]
    pub enabled: bool,
    /// How much of each body may come before it is asked for.
    #[directive(
        "http2_body_preread_size",
        only(Http, Server),
        default = "64k",
        parse = preread,
        args(1),
        differs = "the window of each request opens to four times this size, so that distant clients can fill their line, and that of a connection to 1m"
    )]
    pub body_preread_size: Size,
    /// How many requests a connection carries at once.
    #[directive("http2_max_concurrent_streams", only(Http, Server), default = "128")]
    pub max_concurrent_streams: u32,
    /// The size of the buffer for reading.
    #[directive(
        "http2_recv_buffer_size",
        only(Http),
        default = "256k",
        parse = recv_buffer,
        args(1),
        ignored = "each connection reads into buffers of its own, of at most 16k, while there is something to read"
    )]
    pub recv_buffer_size: Size,
    /// The memory a request gets at first.
    #[directive(
        "http2_pool_size",
        only(Http, Server),
        default = "4k",
        parse = pool,
        args(1),
        ignored = "memory is taken as needed"
    )]
    pub pool_size: Size,
    /// The size of the table of requests.
    #[directive(
        "http2_streams_index_size",
        only(Http, Server),
        default = "32",
        parse = streams_index,
        args(1),
        ignored = "the table grows with the requests"
    )]
    pub streams_index_size: u64,
    /// Obsolete: `keepalive_timeout`.
    #[directive("http2_idle_timeout", only(Http, Server), repeat, parse = obsolete, args(1))]
    pub idle_timeout: Vec<Obsolete>,
    /// Obsolete: answers are not pushed.
    #[directive("http2_max_concurrent_pushes", only(Http, Server), repeat, parse = obsolete, args(1))]
    pub max_concurrent_pushes: Vec<Obsolete>,
    /// Obsolete: `large_client_header_buffers`.
    #[directive("http2_max_field_size", only(Http, Server), repeat, parse = obsolete, args(1))]
    pub max_field_size: Vec<Obsolete>,
    /// Obsolete: `large_client_header_buffers`.
    #[directive("http2_max_header_size", only(Http, Server), repeat, parse = obsolete, args(1))]
    pub max_header_size: Vec<Obsolete>,
    /// Obsolete: `keepalive_requests`.
    #[directive("http2_max_requests", only(Http, Server), repeat, parse = obsolete, args(1))]
    pub max_requests: Vec<Obsolete>,
    /// Obsolete: `client_header_timeout`.
    #[directive("http2_recv_timeout", only(Http, Server), repeat, parse = obsolete, args(1))]
    pub recv_timeout: Vec<Obsolete>,
}

/// How answers go out on such a connection.
#[derive(Clone, Debug, Directives)]
pub struct Http2Answer {
    /// The largest piece of an answer's body, so that answers take turns.
    #[directive("http2_chunk_size", default = "8k", parse = chunk, args(1))]
    pub chunk_size: Size,
    /// Obsolete: answers are not pushed.
    #[directive("http2_push", repeat, parse = obsolete, args(1))]
    pub push: Vec<Obsolete>,
    /// Obsolete: answers are not pushed.
    #[directive("http2_push_preload", repeat, parse = obsolete_flag)]
    pub push_preload: Vec<bool>,
}

/// A directive that nothing follows from; a warning says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Obsolete;

fn obsolete(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Obsolete, Fault> {
    let name = args.name.text.as_str();
    let heir = match name {
        "http2_idle_timeout" => Some("keepalive_timeout"),
        "http2_recv_timeout" => Some("client_header_timeout"),
        "http2_max_requests" => Some("keepalive_requests"),
        "http2_max_field_size" | "http2_max_header_size" => Some("large_client_header_buffers"),
        _ => None,
    };
    if let Some(heir) = heir {
        let text =
            format!("the \"{name}\" directive is obsolete, use the \"{heir}\" directive instead");
        cx.warn(text, args.name.span, format!("{heir} says it for every protocol"));
    } else {
        let text = format!("the \"{name}\" directive is obsolete, ignored");
        cx.warn(text, args.name.span, "browsers take no pushed answers any more; leave it out");
    }
    Ok(Obsolete)
}

fn obsolete_flag(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<bool, Fault> {
    obsolete(args, cx).map(|_| false)
}

fn size(args: &Arguments<'_>) -> Result<Size, Fault> {
    let word = args.first();
    Size::parse(&word.text).ok_or_else(|| Fault::phrase("invalid value").at(word.span))
}

fn preread(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Size, Fault> {
    let size = size(args)?;
    if size.0 > LARGEST_WINDOW {
        let text = format!("the maximum body preread buffer size is {LARGEST_WINDOW}");
        return Err(Fault::sentence(text).at(args.first().span));
    }
    Ok(size)
}

fn chunk(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Size, Fault> {
    let size = size(args)?;
    if size.0 == 0 {
        return Err(Fault::sentence("the http2 chunk size cannot be zero").at(args.first().span));
    }
    Ok(Size(size.0.min(LARGEST_FRAME)))
}

fn recv_buffer(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Size, Fault> {
    const LEAST: u64 = 32;
    let size = size(args)?;
    if size.0 < LEAST {
        return Err(Fault::phrase("value is too small").at(args.first().span));
    }
    Ok(size)
}

fn pool(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Size, Fault> {
    const LEAST: u64 = 112;
    let size = size(args)?;
    if size.0 < LEAST {
        let text = format!("the pool size must be no less than {LEAST}");
        return Err(Fault::sentence(text).at(args.first().span));
    }
    if size.0 % 16 != 0 {
        let text = "the pool size must be a multiple of 16";
        return Err(Fault::sentence(text).at(args.first().span));
    }
    Ok(size)
}

fn streams_index(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<u64, Fault> {
    let word = args.first();
    let number =
        number::parse(&word.text).ok_or_else(|| Fault::phrase("invalid number").at(word.span))?;
    if !number.is_power_of_two() {
        return Err(Fault::phrase("must be a power of two").at(word.span));
    }
    Ok(number)
}

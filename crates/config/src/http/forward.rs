//! What `proxy_`, `uwsgi_`, `fastcgi_`, `scgi_` and `grpc_` directives say alike, said once.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault, Join};
use crate::http::client_body::leveled_path;
use crate::http::early_hints::Conditions;
use crate::http::limit_rate::size;
use crate::value::path::TempPath;
use crate::value::size::Size;
use crate::value::template::Template;
use crate::value::{Buffers, Offset, Value};

/// How a request is forwarded, whatever is spoken.
#[derive(Clone, Debug, Directives)]
pub struct Forward {
    /// How long a connection may take to be made.
    #[directive("{}_connect_timeout", default = "60s")]
    pub connect_timeout: Duration,
    /// How long the upstream may take nothing between two writes.
    #[directive("{}_send_timeout", default = "60s")]
    pub send_timeout: Duration,
    /// How long the upstream may be silent between two reads.
    #[directive("{}_read_timeout", default = "60s")]
    pub read_timeout: Duration,
    /// Whether an answer is taken off the upstream as fast as it comes, or as the client takes it.
    #[directive("{}_buffering", not("grpc"), default = "on")]
    pub buffering: bool,
    /// Whether a request's body is taken whole before an upstream is asked.
    #[directive("{}_request_buffering", not("grpc"), default = "on")]
    pub request_buffering: bool,
    /// The size of the buffer for the first part of an answer; the head must fit in it.
    #[directive("{}_buffer_size", default = "4k")]
    pub buffer_size: Size,
    /// Number and size of the buffers for one answer.
    #[directive("{}_buffers", not("grpc"), default = "8 4k")]
    pub buffers: Buffers,
    /// How much may be on its way to the client while the answer is still being read: 64k where
    /// nothing is said.
    #[directive(
        "{}_busy_buffers_size",
        not("grpc"),
        args(1),
        differs = "it is 64k where nothing is said, never more, and never less than 4k"
    )]
    pub busy_buffers_size: Option<Size>,
    /// How much of an answer may wait in a file for a slow client; 0 is none.
    #[directive("{}_max_temp_file_size", not("grpc"), default = "1024m")]
    pub max_temp_file_size: Offset,
    /// How much is written to that file at once; 256k where nothing is said.
    #[directive(
        "{}_temp_file_write_size",
        not("grpc"),
        args(1),
        differs = "it is 256k where nothing is said"
    )]
    pub temp_file_write_size: Option<Size>,
    /// The folder of such files.
    #[directive("{}_temp_path", not("grpc"), default = "{}_temp", parse = forward_temp_path, args(1, 4))]
    pub temp_path: TempPath,
    /// When another server is asked.
    #[directive("{}_next_upstream", default = "error timeout", joins)]
    pub next_upstream: NextUpstream,
    /// For how long others are asked; 0 is without bound.
    #[directive("{}_next_upstream_timeout", default = "0")]
    pub next_upstream_timeout: Duration,
    /// How many are asked at most; 0 is without bound.
    #[directive("{}_next_upstream_tries", default = "0")]
    pub next_upstream_tries: u32,
    /// Fields of an answer that are not let through, besides the protocol's own.
    #[directive("{}_hide_header", repeat)]
    pub hide_header: Vec<String>,
    /// Fields that are let through though they would not be.
    #[directive("{}_pass_header", repeat)]
    pub pass_header: Vec<String>,
    /// Fields of an answer that we do not act on.
    #[directive("{}_ignore_headers", joins)]
    pub ignore_headers: IgnoreHeaders,
    /// Whether answers of 300 and more are given to `error_page`.
    #[directive("{}_intercept_errors", default = "off")]
    pub intercept_errors: bool,
    /// Whether the upstream goes on working when the client has left.
    #[directive("{}_ignore_client_abort", not("grpc"), default = "off")]
    pub ignore_client_abort: bool,
    /// Whether the request's fields are sent on.
    #[directive("{}_pass_request_headers", not("grpc"), default = "on")]
    pub pass_request_headers: bool,
    /// Whether the request's body is sent on.
    #[directive("{}_pass_request_body", not("grpc"), default = "on")]
    pub pass_request_body: bool,
    /// Whether ranges of an answer may be asked for, whatever it says.
    #[directive("{}_force_ranges", not("grpc"), default = "off")]
    pub force_ranges: bool,
    /// Whether dead upstreams are noticed on idle connections.
    #[directive("{}_socket_keepalive", default = "off")]
    pub socket_keepalive: bool,
    /// The size of the socket's buffer for reading.
    #[directive("{}_socket_rcvbuf", args(1))]
    pub socket_rcvbuf: Option<Size>,
    /// The size of the socket's buffer for writing.
    #[directive("{}_socket_sndbuf", args(1))]
    pub socket_sndbuf: Option<Size>,
    /// How many bytes of an answer are read in a second; 0 is without bound.
    #[directive("{}_limit_rate", not("grpc"), default = "0", parse = size, args(1))]
    pub limit_rate: Template,
    /// A server is asked where none of these texts is empty or `0`; `$upstream_last_addr` is its
    /// address then. Otherwise others are, and where none is left the client gets a 403.
    #[directive("{}_allow_upstream", joins)]
    pub allow_upstream: Conditions,
    /// The address, and perhaps the port, that connections are made from, or `off`. With `transparent`
    /// it may be one of another machine, such as the client's: a right that workers keep of root's, and
    /// answers have to be routed back here.
    #[directive(
        "{}_bind",
        parse = Bind::parse,
        args(1, 2),
        differs = "an idle connection is used again for requests from its address alone"
    )]
    pub bind: Option<Bind>,
}

/// The address that connections are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// The address, and perhaps a port.
    pub address: Template,
    /// Whether it may be another machine's.
    pub transparent: bool,
}

impl Bind {
    /// nginx: `ngx_http_upstream_bind_set_slot`
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        let word = args.first();
        if args.words.len() == 1 && word.text == "off" {
            return Ok(None);
        }
        let address = Template::compile(word, cx)?;
        let is_one =
            |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| local(text).is_some());
        if address.constant().is_some_and(|text| !is_one(text)) {
            let text = format!("invalid address \"{}\"", word.text);
            return Err(Fault::sentence(text).at(word.span).hint(
                "an address of this machine, perhaps with a port: 192.0.2.7, [2001:db8::7]:4000",
            ));
        }
        match args.words.get(1) {
            None => Ok(Some(Self { address, transparent: false })),
            Some(word) if word.text == "transparent" => {
                Ok(Some(Self { address, transparent: true }))
            }
            Some(word) => Err(Fault::invalid_parameter(word)),
        }
    }
}

/// The address that a `*_bind` means, once its variables have values.
pub fn local(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().map(|address| SocketAddr::new(address, 0));
    let with_port = || text.parse().ok().filter(|address: &SocketAddr| address.port() != 0);
    address.ok().or_else(with_port)
}

fn forward_temp_path(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<TempPath, Fault> {
    let TempPath { folder, levels } = leveled_path(args, cx)?;
    // The default of a family is its own name.
    let family = args.name.text.split('_').next().unwrap_or_default();
    let family = if family == "{}" { "proxy" } else { family };
    let folder = PathBuf::from(folder.to_string_lossy().replace("{}", family));
    let folder = cx.names.folder(folder, &levels).map_err(|fault| fault.at(args.first().span))?;
    Ok(TempPath { folder, levels })
}

/// When another server is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextUpstream {
    /// `error`: no connection, no answer.
    pub error: bool,
    /// `timeout`: too late an answer.
    pub timeout: bool,
    /// `invalid_header`: an answer that cannot be read.
    pub invalid_header: bool,
    /// `non_idempotent`: also requests that may have had an effect already.
    pub non_idempotent: bool,
    /// `http_500` and so on: answers of these statuses.
    pub statuses: Vec<u16>,
}

impl Join for NextUpstream {
    fn join(mut self, other: Self) -> Self {
        self.error |= other.error;
        self.timeout |= other.timeout;
        self.invalid_header |= other.invalid_header;
        self.non_idempotent |= other.non_idempotent;
        self.statuses.extend(other.statuses);
        self
    }
}

impl Value for NextUpstream {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        cx.twice(args.words);
        let mut next = Self::default();
        let mut off = false;
        for word in args.words {
            match word.text.as_str() {
                "error" => next.error = true,
                "timeout" => next.timeout = true,
                "invalid_header" | "invalid_response" => next.invalid_header = true,
                "non_idempotent" => next.non_idempotent = true,
                "updating" => {}
                "off" => off = true,
                "http_500" => next.statuses.push(500),
                "http_502" => next.statuses.push(502),
                "http_503" => next.statuses.push(503),
                "http_504" => next.statuses.push(504),
                "http_403" => next.statuses.push(403),
                "http_404" => next.statuses.push(404),
                "http_429" => next.statuses.push(429),
                _ => return Err(Fault::invalid_value(word)),
            }
        }
        Ok(if off { Self::default() } else { next })
    }
}

/// Fields of an answer that we do not act on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IgnoreHeaders {
    /// `X-Accel-Redirect`.
    pub accel_redirect: bool,
    /// `X-Accel-Expires`.
    pub accel_expires: bool,
    /// `X-Accel-Limit-Rate`.
    pub accel_limit_rate: bool,
    /// `X-Accel-Buffering`.
    pub accel_buffering: bool,
    /// `X-Accel-Charset`.
    pub accel_charset: bool,
    /// `Expires`.
    pub expires: bool,
    /// `Cache-Control`.
    pub cache_control: bool,
    /// `Set-Cookie`.
    pub set_cookie: bool,
    /// `Vary`.
    pub vary: bool,
}

impl Join for IgnoreHeaders {
    fn join(self, other: Self) -> Self {
        Self {
            accel_redirect: self.accel_redirect || other.accel_redirect,
            accel_expires: self.accel_expires || other.accel_expires,
            accel_limit_rate: self.accel_limit_rate || other.accel_limit_rate,
            accel_buffering: self.accel_buffering || other.accel_buffering,
            accel_charset: self.accel_charset || other.accel_charset,
            expires: self.expires || other.expires,
            cache_control: self.cache_control || other.cache_control,
            set_cookie: self.set_cookie || other.set_cookie,
            vary: self.vary || other.vary,
        }
    }
}

impl Value for IgnoreHeaders {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        cx.twice(args.words);
        let mut ignore = Self::default();
        for word in args.words {
            match word.text.as_str() {
                "X-Accel-Redirect" => ignore.accel_redirect = true,
                "X-Accel-Expires" => ignore.accel_expires = true,
                "X-Accel-Limit-Rate" => ignore.accel_limit_rate = true,
                "X-Accel-Buffering" => ignore.accel_buffering = true,
                "X-Accel-Charset" => ignore.accel_charset = true,
                "Expires" => ignore.expires = true,
                "Cache-Control" => ignore.cache_control = true,
                "Set-Cookie" => ignore.set_cookie = true,
                "Vary" => ignore.vary = true,
                _ => return Err(Fault::invalid_value(word)),
            }
        }
        Ok(ignore)
    }
}

//! `listen`: where connections are taken.

use std::fs::read_to_string;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use tidegate_config_derive::Directives;

use crate::diagnostic::Diagnostic;
use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::syntax::Word;
use crate::value::address::ListenAddress;
use crate::value::size::Size;
use crate::value::{Value, number, time};

/// Where connections are taken.
#[derive(Clone, Debug, Directives)]
pub struct Listen {
    /// An address, and how it is listened on.
    #[directive("listen", only(Server), own, repeat)]
    pub on: Vec<Listener>,
}

/// One `listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The addresses it names, one a port.
    pub addresses: Vec<BindAddress>,
    /// How they are listened on.
    pub options: ListenOptions,
    /// Where it is said.
    pub span: crate::source::Span,
}

/// One address that a socket is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BindAddress {
    /// A unix socket.
    Unix(PathBuf),
    /// An address and a port.
    Ip(SocketAddr),
    /// A name that has no address here, where that is excused, and a port.
    Host(String, u16),
}

impl BindAddress {
    /// One a port and address; a name stands for all that it has.
    fn all(address: &ListenAddress, word: &Word, cx: &mut Cx<'_>) -> Vec<Self> {
        match address {
            ListenAddress::Unix(path) => vec![Self::Unix(path.clone())],
            ListenAddress::Ip(ip, ports) => {
                ports.clone().map(|port| Self::Ip(SocketAddr::new(*ip, port))).collect()
            }
            ListenAddress::Host(host, ports) => {
                let found = cx.files.addresses(host, looked_up);
                if found.is_empty() {
                    let text =
                        format!("host not found in \"{}\" of the \"listen\" directive", word.text);
                    let hint = "an address of this machine, or a name that has one";
                    let told = Diagnostic::emerg(text).at(word.span).hint(hint).absent(true);
                    cx.diagnostics.push(told);
                    return ports.clone().map(|port| Self::Host(host.clone(), port)).collect();
                }
                let all = ports.clone().flat_map(|port| {
                    found.iter().map(move |ip| Self::Ip(SocketAddr::new(*ip, port)))
                });
                all.collect()
            }
        }
    }
}

/// The addresses of a name, those of IPv4 first; those of IPv6 where this machine has any of its own
/// (nginx: `ngx_inet_resolve_host`).
fn looked_up(host: &str) -> Vec<IpAddr> {
    let found = (host, 0).to_socket_addrs().into_iter().flatten();
    let mut found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    let interfaces = read_to_string("/proc/net/if_inet6").unwrap_or_default();
    let has_ipv6 = interfaces.lines().any(|line| !line.trim_end().ends_with(" lo"));
    found.retain(|ip| ip.is_ipv4() || has_ipv6);
    found.sort_by_key(IpAddr::is_ipv6);
    found.dedup();
    found
}

impl std::fmt::Display for BindAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Ip(address) => address.fmt(f),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// How an address is listened on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenOptions {
    /// `default_server`: answers for names that no server has.
    pub default_server: bool,
    /// `ssl`: TLS.
    pub ssl: bool,
    /// `http2`, the old form.
    pub http2: bool,
    /// `quic`: HTTP/3.
    pub quic: bool,
    /// `proxy_protocol`: the PROXY protocol comes first.
    pub proxy_protocol: bool,
    /// `backlog=`: how many connections wait to be taken.
    pub backlog: Option<u32>,
    /// `rcvbuf=`: the size of the buffer for reading.
    pub rcvbuf: Option<Size>,
    /// `sndbuf=`: the size of the buffer for writing.
    pub sndbuf: Option<Size>,
    /// `reuseport`: other processes of this user may listen there, too. Workers share one socket, and
    /// what comes there.
    pub reuseport: bool,
    /// `ipv6only=`: whether `[::]` is for IPv6 alone, as it is by default.
    pub ipv6only: Option<bool>,
    /// `so_keepalive=`: whether dead clients are noticed.
    pub so_keepalive: Option<bool>,
    /// `deferred`: a connection is taken when its first bytes are there.
    pub deferred: bool,
    /// `fastopen=`: the queue of TCP Fast Open.
    pub fastopen: Option<u32>,
    /// Whether any option of the socket itself is said.
    pub bind: bool,
}

impl Value for Listener {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let address = ListenAddress::parse(&word.text).map_err(|error| {
            Fault::sentence(format!("{error} in \"{}\" of the \"listen\" directive", word.text))
                .at(word.span)
        })?;
        let addresses = BindAddress::all(&address, word, cx);
        let mut options = ListenOptions::default();
        for word in args.from(1) {
            options.parameter(word, cx)?;
        }
        Ok(Self { addresses, options, span: args.name.span })
    }
}

/// What becomes of an address with `quic`.
const NOT_OPENED: &str = "the address is not opened, as connections are not taken over QUIC";

/// Parameters that are not acted on yet, and why.
const WITHOUT_EFFECT: [(&str, &str); 4] = [
    ("deferred", "a connection is taken at once, and waited for without cost"),
    ("fastopen", "a connection is taken when it is made"),
    ("accept_filter", "Linux has no such filters"),
    ("multipath", "connections go over one path at a time"),
];

impl ListenOptions {
    fn parameter(&mut self, word: &Word, cx: &mut Cx<'_>) -> Result<(), Fault> {
        let (key, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        if let Some((_, why)) = WITHOUT_EFFECT.iter().find(|(name, _)| *name == key) {
            cx.names.ignored(&format!("listen ... {key}"), *why, word.span);
        }
        match (key, word.text.contains('=')) {
            ("default_server" | "default", false) => self.default_server = true,
            ("ssl", false) => self.ssl = true,
            ("http2", false) => {
                self.http2 = true;
                let text = "the \"listen ... http2\" directive is deprecated, use the \"http2\" directive instead";
                cx.warn(text, word.span, "http2 on;");
            }
            ("spdy", false) => cx.warn("SPDY is gone", word.span, "http2 on;"),
            ("quic", false) => {
                self.quic = true;
                cx.names.ignored("listen ... quic", NOT_OPENED, word.span);
            }
            ("proxy_protocol", false) => self.proxy_protocol = true,
            ("bind", false) => self.bind = true,
            ("deferred", false) => (self.deferred, self.bind) = (true, true),
            ("reuseport", false) => (self.reuseport, self.bind) = (true, true),
            ("multipath", false) => {}
            _ => return self.socket(key, value, word),
        }
        Ok(())
    }

    fn socket(&mut self, key: &str, value: &str, word: &Word) -> Result<(), Fault> {
        // nginx cites some of them whole.
        let invalid = |what: &str| {
            let whole = ["backlog", "rcvbuf", "sndbuf", "fastopen"].contains(&what);
            let text = if whole { &word.text } else { value };
            Fault::sentence(format!("invalid {what} \"{text}\"")).at(word.span)
        };
        match key {
            "backlog" => {
                let backlog = number::parse(value).and_then(|number| u32::try_from(number).ok());
                self.backlog =
                    Some(backlog.filter(|number| *number > 0).ok_or_else(|| invalid("backlog"))?);
            }
            "rcvbuf" => self.rcvbuf = Some(Size::parse(value).ok_or_else(|| invalid("rcvbuf"))?),
            "sndbuf" => self.sndbuf = Some(Size::parse(value).ok_or_else(|| invalid("sndbuf"))?),
            "fastopen" => {
                let queue = number::parse(value).and_then(|number| u32::try_from(number).ok());
                self.fastopen = Some(queue.ok_or_else(|| invalid("fastopen"))?);
            }
            "ipv6only" => {
                self.ipv6only = Some(flag(value).ok_or_else(|| Fault::invalid_parameter(word))?);
            }
            "so_keepalive" => {
                self.so_keepalive =
                    Some(keepalive(value).ok_or_else(|| invalid("so_keepalive value:"))?);
            }
            "accept_filter" => {}
            _ => {
                return Err(Fault::invalid_parameter(word).hint(
                    "for example: listen 80 default_server; listen 443 ssl; listen unix:/run/x.sock",
                ));
            }
        }
        self.bind = true;
        Ok(())
    }
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// `on`, `off` or `idle:interval:count`.
fn keepalive(value: &str) -> Option<bool> {
    if let Some(flag) = flag(value) {
        return Some(flag);
    }
    let mut parts = value.split(':');
    let good = |part: &str| part.is_empty() || time::parse_seconds(part).is_some();
    let some = parts.clone().any(|part| !part.is_empty());
    let well_formed = some && parts.clone().count() <= 3 && parts.all(good);
    well_formed.then_some(true)
}

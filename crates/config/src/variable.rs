//! Every `$variable`: its name, and who knows its value.

mod doc;
mod reference;

pub use reference::markdown;

/// A variable, found by name once, when the configuration is read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// One of nginx's own.
    Builtin(Builtin),
    /// A part of the request or answer, named by the rest of the variable's name.
    Named(Source, Box<str>),
    /// `$1` to `$9`: a group of the last regular expression that matched.
    Capture(u8),
    /// One that the configuration defines: `set`, `map`, a named group.
    Slot(Slot),
}

/// The number of a variable that the configuration defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub usize);

/// Where the rest of a variable's name is looked up. Names are lower case with `_` for `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// `$http_…`: a field of the request.
    Http,
    /// `$sent_http_…`: a field of the answer.
    SentHttp,
    /// `$sent_trailer_…`: a trailer of the answer.
    SentTrailer,
    /// `$upstream_http_…`: a field of the upstream's answer.
    UpstreamHttp,
    /// `$upstream_trailer_…`: a trailer of the upstream's answer.
    UpstreamTrailer,
    /// `$upstream_cookie_…`: a cookie of the upstream's answer.
    UpstreamCookie,
    /// `$proxy_protocol_tlv_…`: a value of the PROXY protocol.
    ProxyProtocolTlv,
    /// `$arg_…`: an argument of the request line.
    Arg,
    /// `$cookie_…`: a cookie of the request.
    Cookie,
}

impl Source {
    const PREFIXES: [(&'static str, Self); 9] = [
        ("http_", Self::Http),
        ("sent_http_", Self::SentHttp),
        ("sent_trailer_", Self::SentTrailer),
        ("upstream_http_", Self::UpstreamHttp),
        ("upstream_trailer_", Self::UpstreamTrailer),
        ("upstream_cookie_", Self::UpstreamCookie),
        ("proxy_protocol_tlv_", Self::ProxyProtocolTlv),
        ("arg_", Self::Arg),
        ("cookie_", Self::Cookie),
    ];
}

impl Variable {
    /// The variable of this name, unless the configuration has to define it.
    pub fn find(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        if let [digit @ b'1'..=b'9'] = lower.as_bytes() {
            return Some(Self::Capture(digit - b'0'));
        }
        if let Some(builtin) = Builtin::of(&lower) {
            return Some(Self::Builtin(builtin));
        }
        Source::PREFIXES.iter().find_map(|(prefix, source)| {
            lower.strip_prefix(prefix).map(|rest| Self::Named(*source, rest.into()))
        })
    }
}

impl Builtin {
    /// Whether no request gives it a value yet: what stands behind it does not act.
    pub fn is_empty_yet(self) -> bool {
        matches!(
            self,
            Self::Http3
                | Self::SslEchOuterServerName
                | Self::SslEchStatus
                | Self::UpstreamCacheEtag
                | Self::UpstreamCacheLastModified
                | Self::UpstreamCacheStatus
        )
    }
}

macro_rules! builtins {
    ($($variant:ident = $name:literal,)*) => {
        /// The variables of nginx's own modules, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Builtin { $($variant,)* }

        impl Builtin {
            /// All names.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The variable of this name, in lower case.
            pub fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

builtins! {
    AncientBrowser = "ancient_browser",
    Args = "args",
    BinaryRemoteAddr = "binary_remote_addr",
    BodyBytesSent = "body_bytes_sent",
    BytesSent = "bytes_sent",
    Connection = "connection",
    ConnectionRequests = "connection_requests",
    ConnectionTime = "connection_time",
    ConnectionsActive = "connections_active",
    ConnectionsReading = "connections_reading",
    ConnectionsWaiting = "connections_waiting",
    ConnectionsWriting = "connections_writing",
    ContentLength = "content_length",
    ContentType = "content_type",
    DateGmt = "date_gmt",
    DateLocal = "date_local",
    DocumentRoot = "document_root",
    DocumentUri = "document_uri",
    FastcgiPathInfo = "fastcgi_path_info",
    FastcgiScriptName = "fastcgi_script_name",
    GzipRatio = "gzip_ratio",
    Host = "host",
    Hostname = "hostname",
    Http2 = "http2",
    Http3 = "http3",
    Https = "https",
    InvalidReferer = "invalid_referer",
    IsArgs = "is_args",
    IsRequestPort = "is_request_port",
    LimitConnStatus = "limit_conn_status",
    LimitRate = "limit_rate",
    LimitReqStatus = "limit_req_status",
    ModernBrowser = "modern_browser",
    Msec = "msec",
    Msie = "msie",
    NginxVersion = "nginx_version",
    Pid = "pid",
    Pipe = "pipe",
    ProxyAddXForwardedFor = "proxy_add_x_forwarded_for",
    ProxyHost = "proxy_host",
    ProxyPort = "proxy_port",
    ProxyProtocolAddr = "proxy_protocol_addr",
    ProxyProtocolPort = "proxy_protocol_port",
    ProxyProtocolServerAddr = "proxy_protocol_server_addr",
    ProxyProtocolServerPort = "proxy_protocol_server_port",
    QueryString = "query_string",
    RealipRemoteAddr = "realip_remote_addr",
    RealipRemotePort = "realip_remote_port",
    RealpathRoot = "realpath_root",
    RemoteAddr = "remote_addr",
    RemotePort = "remote_port",
    RemoteUser = "remote_user",
    Request = "request",
    RequestBody = "request_body",
    RequestBodyFile = "request_body_file",
    RequestCompletion = "request_completion",
    RequestFilename = "request_filename",
    RequestId = "request_id",
    RequestLength = "request_length",
    RequestMethod = "request_method",
    RequestPort = "request_port",
    RequestTime = "request_time",
    RequestUri = "request_uri",
    Scheme = "scheme",
    SecureLink = "secure_link",
    SecureLinkExpires = "secure_link_expires",
    ServerAddr = "server_addr",
    ServerName = "server_name",
    ServerPort = "server_port",
    ServerProtocol = "server_protocol",
    SliceRange = "slice_range",
    SslAlpnProtocol = "ssl_alpn_protocol",
    SslCipher = "ssl_cipher",
    SslCiphers = "ssl_ciphers",
    SslClientCert = "ssl_client_cert",
    SslClientEscapedCert = "ssl_client_escaped_cert",
    SslClientFingerprint = "ssl_client_fingerprint",
    SslClientIDn = "ssl_client_i_dn",
    SslClientIDnLegacy = "ssl_client_i_dn_legacy",
    SslClientRawCert = "ssl_client_raw_cert",
    SslClientSDn = "ssl_client_s_dn",
    SslClientSDnLegacy = "ssl_client_s_dn_legacy",
    SslClientSerial = "ssl_client_serial",
    SslClientSigalg = "ssl_client_sigalg",
    SslClientVEnd = "ssl_client_v_end",
    SslClientVRemain = "ssl_client_v_remain",
    SslClientVStart = "ssl_client_v_start",
    SslClientVerify = "ssl_client_verify",
    SslCurve = "ssl_curve",
    SslCurves = "ssl_curves",
    SslEarlyData = "ssl_early_data",
    SslEchOuterServerName = "ssl_ech_outer_server_name",
    SslEchStatus = "ssl_ech_status",
    SslProtocol = "ssl_protocol",
    SslServerName = "ssl_server_name",
    SslSessionId = "ssl_session_id",
    SslSessionReused = "ssl_session_reused",
    SslSigalg = "ssl_sigalg",
    SslSigalgs = "ssl_sigalgs",
    Status = "status",
    TcpinfoRcvSpace = "tcpinfo_rcv_space",
    TcpinfoRtt = "tcpinfo_rtt",
    TcpinfoRttvar = "tcpinfo_rttvar",
    TcpinfoSndCwnd = "tcpinfo_snd_cwnd",
    TimeIso8601 = "time_iso8601",
    TimeLocal = "time_local",
    UidGot = "uid_got",
    UidReset = "uid_reset",
    UidSet = "uid_set",
    UpstreamAddr = "upstream_addr",
    UpstreamLastAddr = "upstream_last_addr",
    UpstreamBytesReceived = "upstream_bytes_received",
    UpstreamBytesSent = "upstream_bytes_sent",
    UpstreamCacheEtag = "upstream_cache_etag",
    UpstreamCacheLastModified = "upstream_cache_last_modified",
    UpstreamCacheStatus = "upstream_cache_status",
    UpstreamConnectTime = "upstream_connect_time",
    UpstreamError = "upstream_error",
    UpstreamHeaderTime = "upstream_header_time",
    UpstreamResponseLength = "upstream_response_length",
    UpstreamResponseTime = "upstream_response_time",
    UpstreamStatus = "upstream_status",
    Uri = "uri",
}

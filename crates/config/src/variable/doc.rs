//! What each of nginx's own variables holds.

use super::Builtin;

impl Builtin {
    /// What it holds, in a few words.
    pub fn doc(self) -> &'static str {
        let name = self.name();
        let tables = [CLIENT, REQUEST, ANSWER, SERVER, FORWARDED, ENCRYPTED];
        let mut entries = tables.into_iter().flatten();
        entries.find(|(known, _)| *known == name).map_or("", |(_, doc)| doc)
    }
}

/// Names and what they hold.
type Entries = &'static [(&'static str, &'static str)];

/// Who asks, and the connection.
const CLIENT: Entries = &[
    ("ancient_browser", "`ancient_browser_value` where the browser is an old one"),
    ("binary_remote_addr", "the client's address in 4 or 16 bytes"),
    ("connection", "the connection's number"),
    ("connection_requests", "how many requests the connection has brought, with this one"),
    ("connection_time", "the connection's age in seconds, to the millisecond"),
    ("invalid_referer", "empty where `valid_referers` knows the `Referer`, else `1`"),
    ("modern_browser", "`modern_browser_value` where the browser is a new one"),
    ("msie", "`1` where the browser is an Internet Explorer"),
    ("pipe", "`p` where the request came behind another without a pause, else `.`"),
    ("proxy_protocol_addr", "the client's address in the PROXY protocol"),
    ("proxy_protocol_port", "the client's port in the PROXY protocol"),
    ("proxy_protocol_server_addr", "the server's address in the PROXY protocol"),
    ("proxy_protocol_server_port", "the server's port in the PROXY protocol"),
    ("realip_remote_addr", "the client's address before `real_ip_header` changed it"),
    ("realip_remote_port", "the client's port before `real_ip_header` changed it"),
    ("remote_addr", "the client's address"),
    ("remote_port", "the client's port"),
    ("remote_user", "the name in `Authorization: Basic`"),
    ("tcpinfo_rcv_space", "the room of the connection's window, in bytes"),
    ("tcpinfo_rtt", "the connection's round trip, in microseconds"),
    ("tcpinfo_rttvar", "how much the round trip varies, in microseconds"),
    ("tcpinfo_snd_cwnd", "the connection's congestion window, in segments"),
    ("uid_got", "the cookie of `userid` that the client sent"),
    ("uid_reset", "where it is set, `userid` gives a new cookie"),
    ("uid_set", "the cookie of `userid` that the client is given"),
];

/// What is asked for.
const REQUEST: Entries = &[
    ("args", "the arguments of the request line; `set` may change them"),
    ("content_length", "the field `Content-Length`"),
    ("content_type", "the field `Content-Type`"),
    ("document_root", "what `root` or `alias` names"),
    ("document_uri", "the same as `$uri`"),
    (
        "host",
        "the host of the request line, else of `Host`, else the server's name; in lower case, without port",
    ),
    ("http2", "`h2` or `h2c` where HTTP/2 is spoken"),
    ("http3", "`h3` where HTTP/3 is spoken"),
    ("https", "`on` where the connection is encrypted"),
    ("is_args", "`?` where there are arguments"),
    ("is_request_port", "`:` where `$request_port` is not empty"),
    ("limit_conn_status", "what `limit_conn` came to"),
    ("limit_rate", "the rate of the answer in bytes a second; `set` may change it"),
    ("limit_req_status", "what `limit_req` came to"),
    ("query_string", "the same as `$args`"),
    ("realpath_root", "what `root` or `alias` names, its symbolic links followed"),
    ("request", "the request line"),
    ("request_body", "the body, where it was read into memory to be forwarded"),
    ("request_body_file", "the file that holds the body"),
    ("request_completion", "`OK` where the answer went out whole"),
    ("request_filename", "the file that the URI leads to"),
    ("request_id", "a random number of the request, in 32 hexadecimal digits"),
    ("request_length", "the length of line, head and body, in bytes"),
    ("request_method", "the method"),
    ("request_port", "the port of the request line, else of `Host`"),
    ("request_time", "the request's age in seconds, to the millisecond"),
    ("request_uri", "the URI as the client wrote it, with arguments"),
    ("scheme", "`http` or `https`"),
    (
        "secure_link",
        "`1` where `secure_link` finds the link true, `0` where it has expired, else empty",
    ),
    ("secure_link_expires", "the time at which the link expires"),
    ("server_protocol", "`HTTP/1.0`, `HTTP/1.1`, `HTTP/2.0` and the like"),
    ("slice_range", "the range that `slice` asks for"),
    ("uri", "the path, decoded and normal, after what has been rewritten"),
];

/// What is sent.
const ANSWER: Entries = &[
    ("body_bytes_sent", "the length of the body that was sent"),
    ("bytes_sent", "the length of head and body that were sent"),
    ("gzip_ratio", "how many times shorter `gzip` made the body"),
    ("status", "the status"),
];

/// Who answers, and when.
const SERVER: Entries = &[
    ("connections_active", "how many connections there are, idle ones with them"),
    ("connections_reading", "how many connections bring a head"),
    ("connections_waiting", "how many connections are idle"),
    ("connections_writing", "how many connections are answered"),
    ("date_gmt", "the time in GMT, in the form that `config timefmt` of SSI says"),
    ("date_local", "the local time, in the form that `config timefmt` of SSI says"),
    ("hostname", "the machine's name"),
    ("msec", "the time in seconds since 1970, to the millisecond"),
    ("nginx_version", "the version of nginx that is spoken here"),
    ("pid", "the number of the worker process"),
    ("server_addr", "the address that the client reached"),
    ("server_name", "the first name of the server that answers"),
    ("server_port", "the port that the client reached"),
    ("time_iso8601", "the local time as `2026-01-31T12:00:00+01:00`"),
    ("time_local", "the local time as `31/Jan/2026:12:00:00 +0100`"),
];

/// What is forwarded.
const FORWARDED: Entries = &[
    ("fastcgi_path_info", "the second group of `fastcgi_split_path_info`"),
    ("fastcgi_script_name", "its first group, else the URI, with `fastcgi_index` behind a slash"),
    ("proxy_add_x_forwarded_for", "the field `X-Forwarded-For` and the client's address behind it"),
    ("proxy_host", "host and port of `proxy_pass`"),
    ("proxy_port", "the port of `proxy_pass`"),
    ("upstream_addr", "the addresses of the servers that were asked"),
    ("upstream_last_addr", "the address of the server that was asked last, or is about to be"),
    ("upstream_bytes_received", "how many bytes came from each"),
    ("upstream_bytes_sent", "how many bytes went to each"),
    ("upstream_cache_etag", "the ETag of the answer that is kept"),
    ("upstream_cache_last_modified", "the `Last-Modified` of the answer that is kept"),
    ("upstream_cache_status", "`HIT`, `MISS` and so on, where answers are kept"),
    ("upstream_connect_time", "how long each connection took"),
    ("upstream_error", "of our own: why the last server that was asked did not answer"),
    ("upstream_header_time", "how long the head of each answer took"),
    ("upstream_response_length", "the length of each answer's body"),
    ("upstream_response_time", "how long each answer took"),
    ("upstream_status", "the status of each answer"),
];

/// What TLS says of the connection.
const ENCRYPTED: Entries = &[
    ("ssl_alpn_protocol", "the protocol that was agreed on"),
    ("ssl_cipher", "the cipher"),
    ("ssl_ciphers", "the ciphers that the client offered"),
    ("ssl_client_cert", "the client's certificate in PEM, its lines indented"),
    ("ssl_client_escaped_cert", "the client's certificate in PEM, URL-encoded"),
    ("ssl_client_fingerprint", "SHA-1 of the client's certificate"),
    ("ssl_client_i_dn", "who issued the client's certificate"),
    ("ssl_client_raw_cert", "the client's certificate in PEM"),
    ("ssl_client_i_dn_legacy", "who issued the client's certificate, with slashes"),
    ("ssl_client_s_dn_legacy", "whose the client's certificate is, with slashes"),
    ("ssl_client_sigalg", "by what the client signed: `ecdsa_secp256r1_sha256`"),
    ("ssl_ech_outer_server_name", "the name outside the encrypted client hello"),
    ("ssl_ech_status", "what came of the encrypted client hello"),
    ("ssl_sigalg", "by what the server signed: `ecdsa_secp256r1_sha256`"),
    ("ssl_sigalgs", "by what the client takes signatures, as numbers: `0x0403:0x0804`"),
    ("ssl_client_s_dn", "whose the client's certificate is"),
    ("ssl_client_serial", "the serial number of the client's certificate"),
    ("ssl_client_v_end", "the last day of the client's certificate"),
    ("ssl_client_v_remain", "how many days it still holds"),
    ("ssl_client_v_start", "the first day of the client's certificate"),
    ("ssl_client_verify", "`SUCCESS`, `FAILED:…` or `NONE`"),
    ("ssl_curve", "the curve that keys were agreed by"),
    ("ssl_curves", "the curves that the client offered"),
    ("ssl_early_data", "`1` while the request may have been sent twice"),
    ("ssl_protocol", "`TLSv1.3` or `TLSv1.2`"),
    ("ssl_server_name", "the name that the client asked for by SNI"),
    (
        "ssl_session_id",
        "the session's number; in TLS 1.3, which has none, one that is drawn for the handshake",
    ),
    ("ssl_session_reused", "`r` where a session was taken up again, else `.`"),
];

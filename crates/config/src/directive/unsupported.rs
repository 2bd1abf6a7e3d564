//! nginx's directives that no feature here has: passed over or refused, each with the reason.
//!
//! Refused is what would let in whom it was to keep out, or send what it was to change, if it were
//! passed over.

use super::{Arity, Context, Contexts, Declaration, Effect};
use Context::{Http, Location, LocationIf, Main, Server};

const LEVELS: &[Context] = &[Http, Server, Location];
const SERVERS: &[Context] = &[Http, Server];

/// Directives with the same contexts, arity and effect.
type Row = (&'static [&'static str], &'static [Context], Arity, Effect);

const ONE: Arity = Arity::ONE;
const FLAG: Arity = Arity::FLAG;
const ANY: Arity = Arity::at_least(1);

const fn up_to(most: u8) -> Arity {
    Arity::between(1, most)
}

const fn exactly(count: u8) -> Arity {
    Arity::between(count, count)
}

const fn refused(reason: &'static str) -> Effect {
    Effect::Refused { reason, unless: "" }
}

const fn refused_unless(unless: &'static str, reason: &'static str) -> Effect {
    Effect::Refused { reason, unless }
}

/// All of them.
pub(crate) fn declarations() -> Vec<Declaration> {
    let rows = PAGES.iter().chain(ACCESS).chain(UPSTREAMS).chain(PROTOCOLS);
    let mut all = Vec::new();
    for (names, contexts, arity, effect) in rows {
        all.extend(names.iter().map(|name| declaration(name, contexts, *arity, *effect)));
    }
    for declaration in &mut all {
        declaration.block = BLOCKS.contains(&declaration.name.as_str());
    }
    all
}

fn declaration(name: &str, contexts: &[Context], arity: Arity, effect: Effect) -> Declaration {
    let doc = match effect {
        Effect::Acts => "",
        Effect::Differs(reason) | Effect::Ignored(reason) | Effect::Refused { reason, .. } => {
            reason
        }
    };
    let contexts = Contexts::of(contexts);
    let name = name.to_owned();
    Declaration { name, contexts, arity, default: None, doc, effect, repeat: true, block: false }
}

const BLOCKS: [&str; 2] = ["mail", "stream"];

const NO_BROWSERS: Effect = refused("browsers are not told apart");
const WHOLE_FILES: Effect = Effect::Ignored("files are sent from their beginning, or by ranges");
const NO_SSI: Effect = Effect::Ignored("commands in pages are not carried out");
const NO_COOKIES: Effect = Effect::Ignored("no cookie is set, and $uid_got and $uid_set are empty");
const NO_WEBDAV: Effect =
    Effect::Ignored("PUT, DELETE, MKCOL, COPY and MOVE are answered with 405");

/// What becomes of pages and files.
const PAGES: &[Row] = &[
    (&["ancient_browser"], LEVELS, ANY, NO_BROWSERS),
    (&["modern_browser"], LEVELS, up_to(2), NO_BROWSERS),
    (&["ancient_browser_value", "modern_browser_value"], LEVELS, ONE, NO_BROWSERS),
    (&["dav_methods"], LEVELS, ANY, NO_WEBDAV),
    (&["dav_access"], LEVELS, up_to(3), NO_WEBDAV),
    (&["create_full_put_path"], LEVELS, FLAG, NO_WEBDAV),
    (&["min_delete_depth"], LEVELS, ONE, NO_WEBDAV),
    (&["early_hints"], LEVELS, ANY, Effect::Ignored("answers with status 103 are not sent on")),
    (&["empty_gif"], &[Location], exactly(0), refused("there is no such picture")),
    (&["flv", "mp4"], &[Location], exactly(0), WHOLE_FILES),
    (&["mp4_buffer_size", "mp4_max_buffer_size"], LEVELS, ONE, WHOLE_FILES),
    (&["mp4_start_key_frame"], LEVELS, FLAG, WHOLE_FILES),
    (
        &["open_file_cache_events"],
        LEVELS,
        FLAG,
        Effect::Ignored("a changed file is always seen at once"),
    ),
    (&["random_index"], &[Location], FLAG, refused_unless("off", "no file is drawn by lot")),
    (&["slice"], LEVELS, ONE, Effect::Ignored("answers are asked for whole")),
    (&["ssi_ignore_recycled_buffers", "ssi_last_modified"], LEVELS, FLAG, NO_SSI),
    (&["ssi_min_file_chunk", "ssi_value_length"], LEVELS, ONE, NO_SSI),
    (
        &["subrequest_output_buffer_size"],
        LEVELS,
        ONE,
        Effect::Ignored("there are no subrequests yet"),
    ),
    (
        &[
            "userid",
            "userid_domain",
            "userid_expires",
            "userid_mark",
            "userid_name",
            "userid_p3p",
            "userid_path",
            "userid_service",
        ],
        LEVELS,
        ONE,
        NO_COOKIES,
    ),
    (&["userid_flags"], LEVELS, up_to(3), NO_COOKIES),
];

/// Who is let in, and what is known of a client.
const ACCESS: &[Row] = &[
    (
        &["disable_symlinks"],
        LEVELS,
        up_to(2),
        refused_unless("off", "symbolic links are followed, also out of the root"),
    ),
    (
        &["client_body_early_read"],
        SERVERS,
        ANY,
        Effect::Ignored("a body is read when it is asked for"),
    ),
];

const NOT_COPIED: Effect = Effect::Ignored("requests are not copied to others");

/// What concerns forwarding.
const UPSTREAMS: &[Row] = &[
    (&["mirror"], LEVELS, ONE, NOT_COPIED),
    (&["mirror_request_body"], LEVELS, FLAG, NOT_COPIED),
    (&["proxy_cache_convert_head"], LEVELS, FLAG, Effect::Ignored("answers are not kept yet")),
];

const NO_GRPC: Effect = Effect::Ignored("gRPC is not spoken");
const NO_MEMCACHED: Effect = Effect::Ignored("memcached is not spoken");
const NO_TUNNEL: Effect = Effect::Ignored("CONNECT is answered with 405");
const NO_QUIC: Effect = Effect::Ignored("connections are not taken over QUIC");

/// What is spoken.
const PROTOCOLS: &[Row] = &[
    (&["mail"], &[Main], exactly(0), refused("only HTTP is forwarded")),
    (&["stream"], &[Main], exactly(0), refused("only HTTP is forwarded")),
    (&["grpc_pass"], &[Location, LocationIf], ONE, refused("gRPC is not spoken")),
    (&["grpc_bind"], LEVELS, up_to(2), NO_GRPC),
    (
        &[
            "grpc_buffer_size",
            "grpc_connect_timeout",
            "grpc_hide_header",
            "grpc_next_upstream_timeout",
            "grpc_next_upstream_tries",
            "grpc_pass_header",
            "grpc_read_timeout",
            "grpc_send_timeout",
            "grpc_socket_rcvbuf",
            "grpc_socket_sndbuf",
            "grpc_ssl_certificate",
            "grpc_ssl_certificate_key",
            "grpc_ssl_ciphers",
            "grpc_ssl_crl",
            "grpc_ssl_name",
            "grpc_ssl_password_file",
            "grpc_ssl_trusted_certificate",
            "grpc_ssl_verify_depth",
        ],
        LEVELS,
        ONE,
        NO_GRPC,
    ),
    (&["grpc_ignore_headers", "grpc_next_upstream", "grpc_ssl_protocols"], LEVELS, ANY, NO_GRPC),
    (
        &[
            "grpc_intercept_errors",
            "grpc_socket_keepalive",
            "grpc_ssl_server_name",
            "grpc_ssl_session_reuse",
            "grpc_ssl_verify",
        ],
        LEVELS,
        FLAG,
        NO_GRPC,
    ),
    (&["grpc_set_header", "grpc_ssl_conf_command"], LEVELS, exactly(2), NO_GRPC),
    (&["grpc_ssl_certificate_cache"], LEVELS, up_to(3), NO_GRPC),
    (&["memcached_pass"], &[Location, LocationIf], ONE, refused("memcached is not spoken")),
    (&["memcached_bind"], LEVELS, up_to(2), NO_MEMCACHED),
    (
        &[
            "memcached_buffer_size",
            "memcached_connect_timeout",
            "memcached_gzip_flag",
            "memcached_next_upstream_timeout",
            "memcached_next_upstream_tries",
            "memcached_read_timeout",
            "memcached_send_timeout",
        ],
        LEVELS,
        ONE,
        NO_MEMCACHED,
    ),
    (&["memcached_next_upstream"], LEVELS, ANY, NO_MEMCACHED),
    (&["memcached_socket_keepalive"], LEVELS, FLAG, NO_MEMCACHED),
    (
        &["tunnel_pass"],
        &[Server, Location, LocationIf],
        Arity::between(0, 1),
        refused("CONNECT is answered with 405"),
    ),
    (&["tunnel_bind"], LEVELS, up_to(2), NO_TUNNEL),
    (
        &[
            "tunnel_buffer_size",
            "tunnel_connect_timeout",
            "tunnel_next_upstream_timeout",
            "tunnel_next_upstream_tries",
            "tunnel_read_timeout",
            "tunnel_send_lowat",
            "tunnel_send_timeout",
            "tunnel_socket_rcvbuf",
            "tunnel_socket_sndbuf",
        ],
        LEVELS,
        ONE,
        NO_TUNNEL,
    ),
    (&["tunnel_next_upstream"], LEVELS, ANY, NO_TUNNEL),
    (&["tunnel_socket_keepalive"], LEVELS, FLAG, NO_TUNNEL),
    (&["http3", "http3_hq", "quic_gso", "quic_retry"], SERVERS, FLAG, NO_QUIC),
    (
        &[
            "http3_max_concurrent_streams",
            "http3_stream_buffer_size",
            "quic_active_connection_id_limit",
            "quic_host_key",
        ],
        SERVERS,
        ONE,
        NO_QUIC,
    ),
    (&["quic_bpf"], &[Main], FLAG, NO_QUIC),
    (
        &["ssl_object_cache_inheritable"],
        &[Main],
        FLAG,
        Effect::Ignored("certificates are read anew"),
    ),
];

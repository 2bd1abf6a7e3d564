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

const fn refused(reason: &'static str) -> Effect {
    Effect::Refused { reason, unless: "" }
}

/// All of them.
pub(crate) fn declarations() -> Vec<Declaration> {
    let rows = PAGES.iter().chain(ACCESS).chain(UPSTREAMS).chain(PROTOCOLS);
    let mut all = Vec::new();
    for (names, contexts, arity, effect) in rows {
        all.extend(names.iter().map(|name| declaration(name, contexts, *arity, *effect)));
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
    Declaration {
        name: name.to_owned(),
        contexts,
        arity,
        default: None,
        doc,
        effect,
        repeat: true,
        block: false,
        own: false,
        field: name.to_owned(),
    }
}

/// What becomes of pages and files.
const PAGES: &[Row] = &[(
    &["open_file_cache_events"],
    LEVELS,
    FLAG,
    Effect::Ignored("files are looked at when it is time (open_file_cache_valid)"),
)];

/// Who is let in, and what is known of a client.
const ACCESS: &[Row] = &[(
    &["client_body_early_read"],
    SERVERS,
    ANY,
    Effect::Ignored("a body is read when it is asked for"),
)];

/// What concerns forwarding.
const UPSTREAMS: &[Row] =
    &[(&["proxy_cache_convert_head"], LEVELS, FLAG, Effect::Ignored("answers are not kept yet"))];

const NO_MEMCACHED: Effect = Effect::Ignored("memcached is not spoken");
const NO_TUNNEL: Effect = Effect::Ignored("CONNECT is answered with 405");
const NO_QUIC: Effect = Effect::Ignored("connections are not taken over QUIC");

/// What is spoken.
const PROTOCOLS: &[Row] = &[
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

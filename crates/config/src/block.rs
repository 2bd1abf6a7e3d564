//! The blocks, each a list of its features, and how statements get into them.

pub mod events;
pub mod http;
pub mod location;
pub mod main;
pub mod server;
pub mod upstream;

use std::sync::{Arc, LazyLock};

pub use events::Events;
pub use http::Http;
pub use location::Location;
pub use main::Main;
pub use server::{Server, ServerSettings};
pub use upstream::Upstream;

use crate::directive::{
    Arity, Block, Context, Contexts, Declaration, Effect, Owner, Table, unsupported,
};
use crate::files::Files;

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// What concerns the process.
    pub main: Main,
    /// What concerns connections of any kind.
    pub events: Events,
    /// What concerns HTTP; without servers where nothing is said of it.
    pub http: Arc<Http>,
    /// The files that it was read from, and those it names and needs: whoever acts on it reads
    /// them here, since it may not have the right to read them itself.
    pub files: Arc<Files>,
}

/// A directive that opens a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opens {
    Events,
    Http,
    Server,
    Location,
    If,
    LimitExcept,
    Upstream,
    Types,
    Map,
    Geo,
    SplitClients,
    CharsetMap,
    Match,
}

/// The directives that open blocks: name, contexts, arity, reference entry.
type Opening = (&'static str, Opens, &'static [Context], Arity, &'static str);

const OPENINGS: &[Opening] = &[
    ("events", Opens::Events, &[Context::Main], Arity::between(0, 0), "What concerns connections."),
    ("http", Opens::Http, &[Context::Main], Arity::between(0, 0), "What concerns HTTP."),
    ("server", Opens::Server, &[Context::Http], Arity::between(0, 0), "A virtual server."),
    (
        "location",
        Opens::Location,
        &[Context::Server, Context::Location],
        Arity::between(1, 2),
        "What holds for some URIs: `= /exact`, `/prefix`, `^~ /prefix`, `~ regex`, `~* regex`, `@name`.",
    ),
    (
        "if",
        Opens::If,
        &[Context::Server, Context::Location],
        Arity::at_least(1),
        "What holds where a condition does.",
    ),
    (
        "limit_except",
        Opens::LimitExcept,
        &[Context::Location],
        Arity::at_least(1),
        "What holds for all but these methods.",
    ),
    (
        "upstream",
        Opens::Upstream,
        &[Context::Http],
        Arity::ONE,
        "A group of servers that requests are forwarded to.",
    ),
    (
        "types",
        Opens::Types,
        &[Context::Http, Context::Server, Context::Location],
        Arity::between(0, 0),
        "The types of files by their extensions.",
    ),
    (
        "map",
        Opens::Map,
        &[Context::Http],
        Arity::between(2, 2),
        "A variable whose value depends on another's.",
    ),
    (
        "geo",
        Opens::Geo,
        &[Context::Http],
        Arity::between(1, 2),
        "A variable whose value depends on an address.",
    ),
    (
        "split_clients",
        Opens::SplitClients,
        &[Context::Http],
        Arity::between(2, 2),
        "A variable whose value depends on a hash, so that clients fall into shares.",
    ),
    (
        "charset_map",
        Opens::CharsetMap,
        &[Context::Http],
        Arity::between(2, 2),
        "How one charset is converted into another, byte by byte in hexadecimal digits.",
    ),
    (
        "match",
        Opens::Match,
        &[Context::Http],
        Arity::ONE,
        "What the answer to a `health_check` must be like: `status 200-399`, `status ! 500`, \
            `header Name`, `header ! Name`, `header Name = text`, `header Name ~ regex`, \
            `body ~ regex`, `require $variable`.",
    ),
];

/// All directives of all blocks.
pub(crate) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(declared);
    &TABLE
}

fn declared() -> Table {
    let mut table = Table::default();
    table.add(Main::declarations(), Owner::Main);
    table.add(Events::declarations(), Owner::Events);
    table.add(<Http as Block>::declarations(), Owner::Http);
    table.add(ServerSettings::declarations(), Owner::Server);
    table.add(Location::declarations(), Owner::Location);
    table.add(Upstream::declarations(), Owner::Upstream);
    for (name, opens, contexts, arity, doc) in OPENINGS {
        let declaration = Declaration {
            name: (*name).to_owned(),
            contexts: Contexts::of(contexts),
            arity: *arity,
            default: None,
            doc,
            effect: Effect::Acts,
            repeat: true,
            block: true,
            own: *opens != Opens::Types,
            field: (*name).to_owned(),
        };
        table.push(declaration, Owner::Block(*opens));
    }
    for declaration in unsupported::declarations() {
        table.push(declaration, Owner::Nobody);
    }
    table
}

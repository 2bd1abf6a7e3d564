//! `events`: connections of any kind.

use std::sync::Arc;

use tidegate_config_derive::{Block, Directives};

use crate::diagnostic::Diagnostic;
use crate::directive::{Arguments, Cx, Fault};
use crate::http::access::networks;
use crate::value::cidr::Cidr;
use crate::value::number;

/// What concerns connections of any kind.
#[derive(Clone, Debug, Block)]
pub struct Events {
    /// Connections.
    pub connections: Arc<Connections>,
}

/// Connections of any kind.
#[derive(Clone, Debug, Directives)]
pub struct Connections {
    /// How many connections a worker has at most.
    #[directive("worker_connections", only(Events), default = "512", parse = connections, args(1))]
    pub worker_connections: u32,
    /// How events are awaited.
    #[directive("use", only(Events), ignored = "epoll is always used")]
    pub method: Option<String>,
    /// Whether all waiting connections are taken at once.
    #[directive(
        "multi_accept",
        only(Events),
        default = "off",
        ignored = "waiting connections are taken as they come"
    )]
    pub multi_accept: bool,
    /// Whether workers take turns at taking connections.
    #[directive(
        "accept_mutex",
        only(Events),
        default = "off",
        ignored = "all workers are woken, and share what comes"
    )]
    pub accept_mutex: bool,
    /// How long a worker waits for its turn.
    #[directive(
        "accept_mutex_delay",
        only(Events),
        args(1),
        ignored = "all workers are woken, and share what comes"
    )]
    pub accept_mutex_delay: Option<Vec<String>>,
    /// The clients about which everything is told.
    #[directive(
        "debug_connection",
        only(Events),
        joins,
        parse = networks,
        args(1),
        differs = "told are a request's line and fields, its location, and the answer's fields"
    )]
    pub debug_connection: Vec<Cidr>,
    /// How many operations wait at once.
    #[directive(
        "worker_aio_requests",
        only(Events),
        args(1),
        ignored = "files are read otherwise"
    )]
    pub worker_aio_requests: Option<Vec<String>>,
    /// How many events are taken at once.
    #[directive("epoll_events", only(Events), args(1), ignored = "the number is fixed")]
    pub epoll_events: Option<Vec<String>>,
}

/// nginx: `ngx_event_connections`
fn connections(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<u32, Fault> {
    let word = args.first();
    let number = number::parse(&word.text);
    number.map(|number| u32::try_from(number).unwrap_or(u32::MAX)).ok_or_else(|| {
        let text = format!("invalid number \"{}\"", word.text);
        Fault::sentence(text).at(word.span).hint("how many connections a worker has at most")
    })
}

impl Connections {
    /// Whether there are more than the sockets that are listened on (nginx: `ngx_event_init_conf`,
    /// which names no place).
    pub(crate) fn check(&self, sockets: usize, cx: &mut Cx<'_>) {
        let most = self.worker_connections;
        if usize::try_from(most).is_ok_and(|most| most <= sockets) {
            let text =
                format!("{most} worker_connections are not enough for {sockets} listening sockets");
            let hint = "each socket is one, and each client; 512 hold where nothing is said";
            cx.diagnostics.push(Diagnostic::emerg(text).hint(hint));
        }
    }
}

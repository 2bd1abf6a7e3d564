//! The addresses that are listened on, each with its servers.

mod protocols;

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use crate::block::server::{NameTable, Server};
use crate::diagnostic::Diagnostic;
use crate::directive::Cx;
use crate::http::listen::{BindAddress, ListenOptions};
use crate::http::server_name::{NameKind, WILDCARD};
use crate::source::Span;

use protocols::Protocols;

/// An address that is listened on, and its servers.
#[derive(Clone, Debug)]
pub struct Socket {
    /// The address.
    pub address: BindAddress,
    /// How it is listened on.
    pub options: ListenOptions,
    /// The server for hosts that no server has; a place in `servers`.
    pub default: usize,
    /// The servers' names.
    pub names: NameTable,
    /// Its servers.
    servers: Vec<usize>,
}

impl Socket {
    /// Its servers; places in `servers`.
    pub fn servers(&self) -> impl Iterator<Item = usize> {
        self.servers.iter().copied()
    }
}

/// Joins the `listen`s of all servers by address.
pub(super) fn all(servers: &[Server], cx: &mut Cx<'_>) -> Vec<Socket> {
    let mut sockets = Sockets::default();
    for (number, server) in servers.iter().enumerate() {
        if server.settings.listen.on.is_empty() {
            // nginx: port 80 (8000 without the right to it, which the server decides).
            let address = BindAddress::Ip((Ipv4Addr::UNSPECIFIED, 80).into());
            let options = Said { options: &ListenOptions::default(), at: server.span };
            add(&mut sockets, (number, server), address, options, cx);
        }
        let mut own: HashSet<&BindAddress> = HashSet::new();
        for listener in &server.settings.listen.on {
            for address in &listener.addresses {
                if !own.insert(address) {
                    let text = format!("a duplicate listen {address}");
                    let hint = "a server listens on an address once: keep one of the two";
                    cx.diagnostics.push(Diagnostic::emerg(text).at(listener.span).hint(hint));
                    continue;
                }
                let options = Said { options: &listener.options, at: listener.span };
                add(&mut sockets, (number, server), address.clone(), options, cx);
            }
        }
    }
    for socket in &mut sockets.all {
        socket.names.complete(&mut cx.names.compiled);
        names_of_nobody(socket, servers, cx);
    }
    sockets.all
}

/// Where several servers share an address, nginx puts their names into tables, and refuses what
/// does not fit there.
fn names_of_nobody(socket: &Socket, servers: &[Server], cx: &mut Cx<'_>) {
    if socket.servers.len() < 2 {
        return;
    }
    for server in socket.servers().filter_map(|number| servers.get(number)) {
        let names = server.settings.server_name.names.iter().flat_map(|names| &names.0);
        for name in names.filter(|name| matches!(name.kind, NameKind::Nothing)) {
            let address = &socket.address;
            let text = format!("invalid server name or wildcard \"{}\" on {address}", name.text);
            cx.diagnostics.push(Diagnostic::emerg(text).at(name.span).hint(WILDCARD));
        }
    }
}

/// One `listen`, and where it stands.
#[derive(Clone, Copy)]
struct Said<'a> {
    options: &'a ListenOptions,
    at: Span,
}

/// The addresses so far, and where each stands.
#[derive(Default)]
struct Sockets {
    all: Vec<Socket>,
    by_address: HashMap<BindAddress, usize>,
    /// How each was said so far.
    protocols: Vec<Protocols>,
}

fn add(
    Sockets { all, by_address, protocols }: &mut Sockets,
    (number, server): (usize, &Server),
    address: BindAddress,
    Said { options, at }: Said<'_>,
    cx: &mut Cx<'_>,
) {
    let place = *by_address.entry(address).or_insert_with_key(|address| {
        all.push(Socket {
            address: address.clone(),
            options: ListenOptions::default(),
            default: number,
            names: NameTable::default(),
            servers: Vec::new(),
        });
        protocols.push(Protocols::default());
        all.len() - 1
    });
    let (Some(socket), Some(protocols)) = (all.get_mut(place), protocols.get_mut(place)) else {
        return;
    };
    if !socket.servers.is_empty() && protocols.differ(&socket.options, options) {
        let text = format!("protocol options redefined for {}", socket.address);
        let hint = "ssl, http2 and proxy_protocol hold for the address, whichever server says them: \
                    say them in one `listen`, or the same in all";
        cx.warn(text, at, hint);
    }
    if options.default_server {
        if socket.options.default_server {
            let text = format!("a duplicate default server for {}", socket.address);
            let hint =
                "one server answers for names that no server has: take the word from the others";
            cx.diagnostics.push(Diagnostic::emerg(text).at(at).hint(hint));
        }
        socket.default = number;
    }
    if options.bind && socket.options.bind {
        let text = format!("duplicate listen options for {}", socket.address);
        let hint = "another server says options of this socket: say them once";
        cx.diagnostics.push(Diagnostic::emerg(text).at(at).hint(hint));
    }
    socket.options.join(options);
    socket.options.ssl |= server.settings.ssl.old_form;
    socket.servers.push(number);
    for (name, span) in socket.names.add(number, server) {
        let text = format!("conflicting server name \"{name}\" on {}, ignored", socket.address);
        let hint = "another server above has this name on this address, and answers";
        cx.warn(text, span, hint);
    }
}

impl ListenOptions {
    /// Options may be said at any one of the servers that share an address.
    fn join(&mut self, other: &Self) {
        self.default_server |= other.default_server;
        self.ssl |= other.ssl;
        self.http2 |= other.http2;
        self.quic |= other.quic;
        self.proxy_protocol |= other.proxy_protocol;
        self.reuseport |= other.reuseport;
        self.deferred |= other.deferred;
        self.bind |= other.bind;
        self.backlog = self.backlog.or(other.backlog);
        self.rcvbuf = self.rcvbuf.or(other.rcvbuf);
        self.sndbuf = self.sndbuf.or(other.sndbuf);
        self.ipv6only = self.ipv6only.or(other.ipv6only);
        self.so_keepalive = self.so_keepalive.or(other.so_keepalive);
        self.fastopen = self.fastopen.or(other.fastopen);
    }
}

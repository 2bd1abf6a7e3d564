//! The addresses that are listened on, each with its servers.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use crate::block::server::{NameTable, Server};
use crate::diagnostic::Diagnostic;
use crate::directive::Cx;
use crate::http::listen::{BindAddress, ListenOptions};

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
            add(&mut sockets, (number, server), address, &ListenOptions::default(), cx);
        }
        let mut own: HashSet<&BindAddress> = HashSet::new();
        for listener in &server.settings.listen.on {
            for address in &listener.addresses {
                if !own.insert(address) {
                    let text = format!("a duplicate listen {address}");
                    cx.diagnostics.push(Diagnostic::emerg(text).at(listener.span));
                    continue;
                }
                add(&mut sockets, (number, server), address.clone(), &listener.options, cx);
            }
        }
    }
    sockets.all
}

/// The addresses so far, and where each stands.
#[derive(Default)]
struct Sockets {
    all: Vec<Socket>,
    by_address: HashMap<BindAddress, usize>,
}

fn add(
    Sockets { all, by_address }: &mut Sockets,
    (number, server): (usize, &Server),
    address: BindAddress,
    options: &ListenOptions,
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
        all.len() - 1
    });
    let Some(socket) = all.get_mut(place) else {
        return;
    };
    if options.default_server {
        if socket.options.default_server {
            let text = format!("a duplicate default server for {}", socket.address);
            cx.diagnostics.push(Diagnostic::emerg(text).at(server.span));
        }
        socket.default = number;
    }
    if options.bind && socket.options.bind {
        let text = format!("duplicate listen options for {}", socket.address);
        let hint = "another server says options of this socket: say them once";
        cx.diagnostics.push(Diagnostic::emerg(text).at(server.span).hint(hint));
    }
    socket.options.join(options);
    socket.options.ssl |= server.settings.ssl.old_form;
    socket.servers.push(number);
    for name in socket.names.add(number, server) {
        let text =
            format!("conflicting server name \"{}\" on {}, ignored", name.text, socket.address);
        let hint = "another server above has this name on this address, and answers";
        cx.warn(text, name.span, hint);
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

//! What a person at a terminal is told at the start: where it serves, and how it ends.

use std::io::{self, IsTerminal};

use tidegate_config::Config;
use tidegate_config::block::http::Socket;
use tidegate_config::http::listen::BindAddress;

use crate::cli::output;

/// So many addresses are named.
const NAMED: usize = 3;

/// Tells a person where it serves. Scripts are told nothing, as by nginx.
pub(super) fn greet(config: &Config) {
    if io::stderr().is_terminal() {
        output::complain(&text(config));
    }
}

fn text(config: &Config) -> String {
    let process = &config.main.process;
    let end = if process.daemon { "`tidegate -s quit` ends it" } else { "Ctrl-C ends it" };
    let mut named: Vec<String> = config.http.sockets.iter().map(address).collect();
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    if named.is_empty() {
        return format!("tidegate listens nowhere: the configuration has no server; {end}\n");
    }
    format!("tidegate serves on {}; {end}\n", named.join(", "))
}

/// As a browser takes it.
fn address(socket: &Socket) -> String {
    let (scheme, usual) = if socket.options.ssl { ("https", 443) } else { ("http", 80) };
    match &socket.address {
        BindAddress::Unix(path) => format!("unix:{}", path.display()),
        BindAddress::Ip(address) => {
            let port = Some(address.port()).filter(|port| *port != usual);
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let host = match address.ip() {
                ip if ip.is_unspecified() => "localhost".to_owned(),
                ip if ip.is_ipv6() => format!("[{ip}]"),
                ip => ip.to_string(),
            };
            format!("{scheme}://{host}{port}/")
        }
        BindAddress::Host(name, port) => format!("{scheme}://{name}:{port}/"),
    }
}

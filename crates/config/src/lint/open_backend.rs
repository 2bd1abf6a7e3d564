//! `uwsgi_pass 203.0.113.7:3031`: who reaches that port runs code there.

use std::net::{IpAddr, SocketAddr};

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;
use crate::syntax::Statement;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "open-backend",
    title: "A uwsgi, FastCGI or SCGI backend that is open to the world",
    danger: "These protocols know no password, and who speaks them chooses which file is run: `SCRIPT_FILENAME`, `UWSGI_FILE`.",
    mend: "Let the backend listen on 127.0.0.1 or on a unix socket, or reach it through a tunnel.",
    example: "server { location / { uwsgi_pass 203.0.113.7:3031; } }",
    mended: "server { location / { uwsgi_pass 127.0.0.1:3031; } }",
    check: Check::Level(check),
};

/// Looks for public addresses of such backends, also by way of a group.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for name in ["uwsgi_pass", "fastcgi_pass", "scgi_pass"] {
        for pass in level.all(name) {
            let target =
                first_of(pass).trim_start_matches("suwsgi://").trim_start_matches("uwsgi://");
            if is_public(target) {
                tell(diagnostics, pass, target);
            }
            let Some(http) = level.outwards().find(|level| level.name() == "http") else {
                continue;
            };
            let Some(group) = http.called("upstream", target) else {
                continue;
            };
            for server in group.body().iter().filter(|inner| inner.name.text == "server") {
                if is_public(first_of(server)) {
                    tell(diagnostics, server, first_of(server));
                }
            }
        }
    }
}

fn tell(diagnostics: &mut Diagnostics, statement: &Statement, address: &str) {
    let text =
        format!("{address} takes orders from whoever reaches it: the protocol knows no password");
    let hint = "let it listen on 127.0.0.1, a private address or a unix socket";
    warn(diagnostics, statement, text, hint);
}

/// Whether an address is one of the whole Internet, or all of a machine's.
fn is_public(text: &str) -> bool {
    let ip =
        text.parse::<SocketAddr>().map(|address| address.ip()).or_else(|_| text.parse::<IpAddr>());
    match ip {
        Ok(IpAddr::V4(ip)) => {
            let [first, second, ..] = ip.octets();
            let shared = first == 100 && (64..128).contains(&second);
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared)
        }
        Ok(IpAddr::V6(ip)) => {
            let [first, ..] = ip.octets();
            !(ip.is_loopback() || first & 0xfe == 0xfc || ip.is_unicast_link_local())
        }
        Err(_) => false,
    }
}

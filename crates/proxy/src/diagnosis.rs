//! What most likely is wrong with an upstream that does not answer, and the mend.
//!
//! nginx's words stand first in the line of the error log; this stands behind them in parentheses.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tidegate_config::http::forward::Forward;

use crate::connect::Address;
use crate::fault::{Action, Fault};
use crate::protocol::{Head, Invalid};
use crate::secure::unwelcome;

/// What is known of a try that failed.
pub(crate) struct Circumstances<'a> {
    /// The prefix of the directives: `proxy`, `uwsgi`, …
    pub(crate) family: &'static str,
    /// What they say.
    pub(crate) forward: &'a Forward,
    /// What is known of the request that may have silenced the peer.
    pub(crate) hint: Option<&'a str>,
    /// What the peer has said first, cut short.
    pub(crate) said: &'a [u8],
}

/// What speaks it, and what else there is.
const HTTP2: &str =
    "grpc_pass and proxy_http_version 2 do; for HTTP/1 leave proxy_http_version 2 out";

/// What is likely to be done about it, if anything can be said.
pub(crate) fn mend(fault: &Fault, known: &Circumstances<'_>) -> Option<String> {
    let family = known.family;
    Some(match fault {
        Fault::Connect { to: Address::Unix(path), error } => unreached(path, error.kind())?,
        Fault::Connect { to, error } => match error.kind() {
            ErrorKind::ConnectionRefused => {
                format!("nobody listens on {to}: is the application started, on this port?")
            }
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                format!("there is no way to {to}: has the machine or the container moved?")
            }
            _ => return None,
        },
        Fault::TimedOut(Action::Connecting) => {
            let time = known.forward.connect_timeout;
            format!(
                "{family}_connect_timeout is {time:?}; a firewall may drop what is sent, or all \
                     places of the backlog are taken"
            )
        }
        Fault::Denied => format!("a text of {family}_allow_upstream is empty or 0"),
        Fault::System { error, action: Action::Connecting, .. } => unbound(error, family)?,
        Fault::Handshake(unshaken) => unshaken.mend(family)?,
        Fault::TimedOut(Action::Handshaking) => format!(
            "it is silent for {family}_connect_timeout, {:?}: does it speak TLS on this port?",
            known.forward.connect_timeout
        ),
        Fault::TimedOut(Action::Sending) => {
            format!(
                "the application takes nothing for {family}_send_timeout, {:?}",
                known.forward.send_timeout
            )
        }
        Fault::TimedOut(_) => format!(
            "the application is silent for {family}_read_timeout, {:?}: raise it where answers take \
             longer; where none ever comes, does it speak {}?",
            known.forward.read_timeout,
            language(family)
        ),
        Fault::Invalid { reason: Invalid::TooBig, .. } => too_long("does not fit into", known),
        Fault::Invalid { reason: Invalid::Malformed(_), action: Action::ReadingHeader } => {
            too_long("breaks the rules of HTTP/2, or is far longer than", known)
        }
        Fault::Invalid {
            reason: Invalid::StatusLine | Invalid::Field(_),
            action: Action::ReadingHeader,
        } if !known.said.starts_with(b"HTTP/") => stranger(known.said),
        Fault::System { error, .. } if let Some(mend) = unwelcome(error, family) => mend,
        Fault::Invalid { reason: Invalid::Http2(text), action: Action::ReadingHeader }
            if text.starts_with("upstream sent invalid HTTP/2") =>
        {
            format!("does it speak HTTP/2 on this port? {HTTP2}")
        }
        Fault::Declined { unseen: true, .. } => {
            "it has not looked at the request: it is overloaded, or about to leave".to_owned()
        }
        Fault::Closed(Action::ReadingHeader)
        | Fault::System { action: Action::ReadingHeader | Action::Sending, .. } => silent(known),
        _ => return None,
    })
}

/// Of a header that is too long, or may be.
fn too_long(how: &str, known: &Circumstances<'_>) -> String {
    let (family, size) = (known.family, known.forward.buffer_size);
    format!(
        "its header {how} {family}_buffer_size, {size}; raise it, or send fewer and shorter cookies"
    )
}

/// Of an address that connections cannot be made from.
fn unbound(error: &std::io::Error, family: &str) -> Option<String> {
    Some(match error.kind() {
        ErrorKind::AddrNotAvailable => {
            format!("{family}_bind names an address of another machine, which takes `transparent`")
        }
        ErrorKind::AddrInUse => format!("{family}_bind names a port that is in use"),
        ErrorKind::PermissionDenied => {
            format!("{family}_bind … transparent takes CAP_NET_RAW: have root start it")
        }
        _ => return None,
    })
}

/// What is spoken by directives of this prefix.
fn language(family: &str) -> &str {
    match family {
        "proxy" => "HTTP",
        other => other,
    }
}

/// Of one that hangs up without a word.
fn silent(known: &Circumstances<'_>) -> String {
    if let Some(hint) = known.hint {
        return hint.to_owned();
    }
    if !known.said.is_empty() {
        return stranger(known.said);
    }
    match known.family {
        "uwsgi" => "it hung up without a word: does it speak uwsgi? What listens by `http` or \
                    `http-socket`, or as gunicorn does, wants proxy_pass; else its own log says why"
            .to_owned(),
        "proxy" => "it hung up without a word: does it speak HTTP? uWSGI's `socket` wants \
                    uwsgi_pass, PHP-FPM fastcgi_pass; else its own log says why"
            .to_owned(),
        _ => "it hung up without a word: its own log may say why".to_owned(),
    }
}

/// Of an answer to what is not HTTP that only a server of HTTP gives: applications do not speak of
/// the connection.
pub(crate) fn doubt(head: &Head, family: &str) -> Option<String> {
    let close = || head.headers.get("Connection").is_some();
    let is_http = matches!(family, "proxy" | "grpc");
    (head.status == 400 && !is_http && close()).then(|| {
        format!(
            "as servers of HTTP do to what they do not understand: does it speak {family}? Else \
                 use proxy_pass"
        )
    })
}

/// Of one that speaks another language: what its first bytes look like.
fn stranger(said: &[u8]) -> String {
    let language = match said {
        [0x15 | 0x16, 3, ..] => Some("TLS: use https:// in proxy_pass"),
        [0, 0, _, 4, ..] => Some("HTTP/2: use grpc_pass, or proxy_http_version 2"),
        [1, 3 | 6 | 7 | 11, ..] => Some("FastCGI: use fastcgi_pass"),
        _ if said.starts_with(b"SSH-") => Some("SSH"),
        _ => None,
    };
    let said = said.escape_ascii();
    match language {
        Some(language) => format!("it says \"{said}\", which is {language}"),
        None => format!("it says \"{said}\": does it speak HTTP?"),
    }
}

/// Of a socket that cannot be connected to.
fn unreached(path: &Path, kind: ErrorKind) -> Option<String> {
    Some(match kind {
        ErrorKind::ConnectionRefused => {
            "the socket was left behind by an application that is gone: start it again".to_owned()
        }
        ErrorKind::NotFound => {
            let private = path.starts_with("/tmp") || path.starts_with("/var/tmp");
            let private = if private { "; a service may have a /tmp of its own" } else { "" };
            format!("there is no such socket: is the application started, with this path?{private}")
        }
        ErrorKind::PermissionDenied => refused(path),
        ErrorKind::WouldBlock => "all places of its backlog are taken: more workers, or a longer \
                                  one (`listen` of uWSGI, `backlog` of gunicorn, net.core.somaxconn)"
            .to_owned(),
        _ => return None,
    })
}

/// Whose rights are missing where.
fn refused(path: &Path) -> String {
    let user = rustix::process::geteuid().as_raw();
    let Ok(socket) = std::fs::metadata(path) else {
        let closed = |folder: &&Path| std::fs::metadata(folder).is_err();
        let folder = path.ancestors().skip(1).take_while(closed).last().and_then(Path::parent);
        let folder = folder.or_else(|| path.parent()).unwrap_or(path).display();
        return format!(
            "workers run as user {user}, who may not enter the folder {folder}: chmod o+x"
        );
    };
    let (mode, owner, group) = (socket.mode() & 0o777, socket.uid(), socket.gid());
    format!(
        "workers run as user {user}, the socket has mode {mode:03o}, user {owner}, group {group}: let \
         them write to it (`chmod-socket` and `chown-socket` of uWSGI, `umask` of gunicorn)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_language() {
        assert!(stranger(b"\x15\x03\x01\0\x02").contains("which is TLS: use https://"));
        assert!(stranger(b"\0\0\x12\x04\0").contains("which is HTTP/2"));
        assert_eq!(stranger(b"220 mail\r\n"), "it says \"220 mail\\r\\n\": does it speak HTTP?");
    }

    #[test]
    fn a_socket_says_what_is_wrong_with_it() {
        let missing = unreached(Path::new("/tmp/app.sock"), ErrorKind::NotFound).unwrap();
        assert!(missing.ends_with("a service may have a /tmp of its own"), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        std::fs::write(&path, "").unwrap();
        let refused = unreached(&path, ErrorKind::PermissionDenied).unwrap();
        assert!(refused.contains("the socket has mode 6"), "{refused}");
    }
}

//! Whether a request may come by its connection (nginx: `ngx_http_process_request`,
//! `ngx_http_set_virtual_server`).

use std::sync::Arc;

use tidegate_config::http::error_log::Level;
use tidegate_config::http::ssl::verify::VerifyClient;
use tidegate_http::exchange::Exchange;
use tidegate_http::tls::session::Session;
use tidegate_http::tls::trust::Distrust;

use super::Answers;
use crate::runtime::Generation;

/// What we are at (nginx says so in each of these lines).
const READING: &str = "while reading client request headers";

/// The status that a request is refused with, which the log is told: plain HTTP on a port of TLS,
/// a certificate that is missing or bad, a server that another handshake would be needed for.
pub(crate) fn refused(ex: &Exchange<'_>, generation: &Generation) -> Option<u16> {
    if !ex.connection.to_tls {
        return None;
    }
    let Some(session) = ex.connection.tls.as_deref() else {
        tell(ex, "client sent plain HTTP request to HTTPS port");
        return Some(497);
    };
    let verify = ex.server.settings.ssl.verify_client;
    if verify == VerifyClient::Off {
        return None;
    }
    let place = ex.http.servers.iter().position(|server| std::ptr::eq(server, ex.server));
    let asked = place.and_then(|place| generation.tls.answers(place));
    let unasked = asked.is_some_and(|asked| asked.standing.is_some() && !is_judge(asked, session));
    if is_misdirected(ex, session) || (unasked && !session.peer.is_empty()) {
        tell(
            ex,
            "client attempted to request the server name different from the one that was negotiated",
        );
        return Some(421);
    }
    let distrust = asked.and_then(|asked| distrust(asked, session));
    let lenient = verify == VerifyClient::OptionalNoCa;
    if let Some(distrust) = distrust.filter(|why| !(lenient && why.is_of_authority())) {
        let (code, words) = (distrust.code, distrust.words);
        tell(ex, &format!("client SSL certificate verify error: ({code}:{words})"));
        return Some(495);
    }
    if verify == VerifyClient::On && session.peer.is_empty() {
        tell(ex, "client sent no required SSL certificate");
        return Some(496);
    }
    if let Some(words) = session.revoked {
        tell(ex, &format!("client SSL certificate verify error: {words}"));
        return Some(495);
    }
    None
}

fn tell(ex: &Exchange<'_>, text: &str) {
    ex.log(Level::Info, &format!("{text} {READING}"));
}

/// What the server that is asked thinks of the client's certificate, which another one may have
/// asked for: without a name in the handshake, that of the socket.
fn distrust(asked: &Answers, session: &Session) -> Option<Distrust> {
    if is_judge(asked, session) { session.distrust } else { session.judged_by(&asked.trust) }
}

/// Whether it is this server that has judged the client's certificate at the handshake.
fn is_judge(asked: &Answers, session: &Session) -> bool {
    session.judge.as_ref().is_some_and(|judge| Arc::ptr_eq(judge, &asked.trust))
}

/// Whether the handshake was with another server's name, so that its certificates were asked for. A
/// name of no server leaves the choice to `Host`.
fn is_misdirected(ex: &Exchange<'_>, session: &Session) -> bool {
    let asked = session.server_name.as_deref().filter(|_| session.is_known_name);
    asked.is_some_and(|asked| ex.request.host.as_deref().unwrap_or_default() != asked.as_bytes())
}

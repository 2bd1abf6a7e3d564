//! What servers that are reached over TLS must have (nginx: `ngx_http_ssl_merge_srv_conf`,
//! `ngx_http_ssl_init`).

use crate::block::http::Socket;
use crate::block::server::Server;
use crate::diagnostic::Diagnostic;
use crate::directive::Cx;
use crate::http::ssl::ocsp::Ocsp;
use crate::http::ssl::verify::VerifyClient;
use crate::value::pem::Pem;

/// Looks at all servers, and at the sockets that they are reached by.
pub(crate) fn check(servers: &[Server], sockets: &[Socket], cx: &mut Cx<'_>) {
    for server in servers {
        keys(server, cx);
        trust(server, cx);
        status(server, cx);
    }
    for socket in sockets.iter().filter(|socket| socket.options.ssl) {
        let Some(default) = servers.get(socket.default) else { continue };
        if !default.settings.ssl.certificate.is_empty() {
            continue;
        }
        if !default.settings.ssl.reject_handshake {
            lacking(default, cx);
            continue;
        }
        for server in socket.servers().filter_map(|number| servers.get(number)) {
            let ssl = &server.settings.ssl;
            if ssl.certificate.is_empty() && !ssl.reject_handshake {
                lacking(server, cx);
            }
        }
    }
}

fn keys(server: &Server, cx: &mut Cx<'_>) {
    let ssl = &server.settings.ssl;
    if let Some(Pem { text, span, .. }) = ssl.certificate.get(ssl.certificate_key.len()) {
        let text = format!("no \"ssl_certificate_key\" is defined for certificate \"{text}\"");
        let hint = "ssl_certificate_key names the file with its key";
        cx.diagnostics.push(Diagnostic::emerg(text).at(*span).hint(hint));
    }
}

fn trust(server: &Server, cx: &mut Cx<'_>) {
    let ssl = &server.settings.ssl;
    let needed = matches!(ssl.verify_client, VerifyClient::On | VerifyClient::Optional);
    if needed && ssl.client_certificate.is_none() && ssl.trusted_certificate.is_none() {
        let text = "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client";
        let hint = "name the file of the authority that signs your clients' certificates";
        cx.diagnostics.push(Diagnostic::emerg(text).at(server.span).hint(hint));
    }
}

fn status(server: &Server, cx: &mut Cx<'_>) {
    let ssl = &server.settings.ssl;
    if ssl.ocsp != Ocsp::Off && ssl.verify_client == VerifyClient::OptionalNoCa {
        let text = "\"ssl_ocsp\" is incompatible with \"ssl_verify_client optional_no_ca\"";
        let hint =
            "an authority that nobody knows cannot be asked; use `ssl_verify_client optional`";
        cx.diagnostics.push(Diagnostic::emerg(text).at(server.span).hint(hint));
    }
}

fn lacking(server: &Server, cx: &mut Cx<'_>) {
    let text = "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive";
    let hint = "ssl_certificate and ssl_certificate_key name its files; \
                `ssl_reject_handshake on` does without";
    cx.diagnostics.push(Diagnostic::emerg(text).at(server.span).hint(hint));
}

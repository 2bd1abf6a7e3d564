//! Certificates that variables name, shown to clients.

use std::sync::Arc;

use bytes::BytesMut;
use tidegate_config::block::Server;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::ssl::Ssl;
use tidegate_config::value::pem::{Pem, PemSource};
use tidegate_http::client::{Connection, NoBody};
use tidegate_http::exchange::Exchange;
use tidegate_http::head::{Parsed, Parser, Rules};
use tidegate_http::tls::named::{self, Source};

use super::resolver::Shown;
use super::staple::Stapling;
use crate::runtime::Generation;

/// Certificates that variables name.
#[derive(Debug)]
pub(super) struct Named {
    pairs: Vec<(Pem, Pem)>,
    stapling: Option<Stapling>,
    kept: named::Named<Shown>,
}

impl Named {
    /// `None` where no variable names a certificate.
    pub(super) fn of(
        ssl: &Ssl,
        passwords: Vec<Vec<u8>>,
        stapling: Option<Stapling>,
    ) -> Option<Self> {
        let variable = |pem: &Pem| matches!(pem.from, PemSource::Variable(..));
        let pairs: Vec<(Pem, Pem)> = ssl
            .certificate
            .iter()
            .zip(&ssl.certificate_key)
            .filter(|(certificate, key)| variable(certificate) || variable(key))
            .map(|(certificate, key)| (certificate.clone(), key.clone()))
            .collect();
        let kept = named::Named::new(passwords, ssl.certificate_cache);
        (!pairs.is_empty()).then_some(Self { pairs, stapling, kept })
    }

    /// The certificates for a connection whose handshake has begun; what is wrong, in nginx's words.
    pub(super) fn certificates(
        &self,
        generation: &Generation,
        connection: &Connection,
        server: &Server,
    ) -> Result<Vec<Shown>, String> {
        let mut ex = blank(generation, connection, server).ok_or("no request can be made up")?;
        let mut all = Vec::new();
        for (certificate, key) in &self.pairs {
            let (certificate, key) = (Source::of(&mut ex, certificate), Source::of(&mut ex, key));
            all.push(self.kept.get((&certificate, &key), |certified, name| {
                let certified = Arc::new(certified);
                let staple = self.stapling.as_ref().and_then(|stapling| {
                    let unstapled = |why: &&str| {
                        let text = format!("\"ssl_stapling\" ignored, {why} \"{name}\"");
                        generation.logs.tell(Level::Warn, &text);
                    };
                    stapling.staple(&certified).inspect_err(unstapled).ok()
                });
                Shown { certified, staple }
            })?);
        }
        Ok(all)
    }
}

/// A request that asks for nothing, so that variables can be asked (nginx:
/// `ngx_http_alloc_request` in `ngx_http_ssl_certificate`).
fn blank<'a>(
    generation: &'a Generation,
    connection: &'a Connection,
    server: &'a Server,
) -> Option<Exchange<'a>> {
    let rules = Rules {
        buffer_size: 1024,
        large_buffers: 1,
        large_buffer_size: 1024,
        max_headers: 1,
        ignore_invalid: true,
        underscores: false,
        merge_slashes: true,
    };
    let mut text = BytesMut::from(&b"GET / HTTP/1.0\r\n\r\n"[..]);
    let Parsed::Complete(head) = Parser::new().parse(&mut text, &rules) else { return None };
    let site = (&*generation.http, &generation.logs);
    Some(Exchange::new(site, connection, server, head, Box::new(NoBody)))
}

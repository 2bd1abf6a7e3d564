//! Certificates that variables name: read at a handshake, and kept until their files change.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::BytesMut;
use tidegate_config::block::Server;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::ssl::Ssl;
use tidegate_config::value::pem::{Pem, PemSource};
use tidegate_http::client::{Connection, NoBody};
use tidegate_http::exchange::Exchange;
use tidegate_http::head::{Parsed, Parser, Rules};
use tidegate_http::tls::fault::Fault;
use tidegate_http::tls::{certificate, key};

use super::locked;
use super::resolver::Shown;
use super::staple::Stapling;
use crate::runtime::Generation;

/// How many certificates are kept.
const MOST: usize = 1000;

/// Certificates that variables name.
#[derive(Debug)]
pub(super) struct Named {
    pairs: Vec<(Pem, Pem)>,
    passwords: Vec<Vec<u8>>,
    stapling: Option<Stapling>,
    kept: Mutex<HashMap<(String, String), Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    shown: Shown,
    changed: (Option<SystemTime>, Option<SystemTime>),
}

/// What variables have come to: text, or a path.
enum Source {
    Text(String),
    File(PathBuf),
}

impl Source {
    fn bytes(&self) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::File(path) => Ok(std::fs::read(path)?),
        }
    }

    fn changed(&self) -> Option<SystemTime> {
        match self {
            Self::Text(_) => None,
            Self::File(path) => std::fs::metadata(path).and_then(|meta| meta.modified()).ok(),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Text(text) => format!("data:{text}"),
            Self::File(path) => path.display().to_string(),
        }
    }
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
        (!pairs.is_empty()).then(|| Self { pairs, passwords, stapling, kept: Mutex::default() })
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
            let (certificate, key) = (source(&mut ex, certificate), source(&mut ex, key));
            all.push(self.shown(&certificate, &key, generation)?);
        }
        Ok(all)
    }

    fn shown(
        &self,
        certificate: &Source,
        key: &Source,
        generation: &Generation,
    ) -> Result<Shown, String> {
        let names = (certificate.name(), key.name());
        let changed = (certificate.changed(), key.changed());
        if let Some(kept) = locked(&self.kept).get(&names).filter(|kept| kept.changed == changed) {
            return Ok(kept.shown.clone());
        }
        let told = |what: &str, name: &str, fault: &Fault| {
            let name: String = name.chars().take(80).collect();
            format!("cannot load {what} \"{name}\": {fault}")
        };
        let chain = certificate.bytes().and_then(|text| certificate::chain(&text));
        let chain = chain.map_err(|fault| told("certificate", &names.0, &fault))?;
        let signer = key.bytes().and_then(|text| key::read(&text, &self.passwords));
        let signer = signer.map_err(|fault| told("certificate key", &names.1, &fault))?;
        let certified = certificate::certified(chain, signer)
            .map_err(|fault| told("certificate key", &names.1, &fault))?;
        let certified = Arc::new(certified);
        let staple = self.stapling.as_ref().and_then(|stapling| {
            let unstapled = |why: &&str| {
                let name: String = names.0.chars().take(80).collect();
                let text = format!("\"ssl_stapling\" ignored, {why} \"{name}\"");
                generation.logs.tell(Level::Warn, &text);
            };
            stapling.staple(&certified).inspect_err(unstapled).ok()
        });
        let shown = Shown { certified, staple };
        let mut kept = locked(&self.kept);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(names, Kept { shown: shown.clone(), changed });
        Ok(shown)
    }
}

fn source(ex: &mut Exchange<'_>, pem: &Pem) -> Source {
    match &pem.from {
        PemSource::File(path) => Source::File(path.clone()),
        PemSource::Data(text) => Source::Text(text.clone()),
        PemSource::Variable(template, folder) => {
            let text = String::from_utf8_lossy(&ex.render(template)).into_owned();
            match text.strip_prefix("data:") {
                Some(data) => Source::Text(data.to_owned()),
                None => Source::File(folder.join(text)),
            }
        }
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

//! `ssl_ocsp`: whether clients' certificates still hold, by the word of their authorities.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rustls::pki_types::CertificateDer;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::ssl::Ssl;
use tidegate_config::http::ssl::ocsp::{Ocsp, OcspCache, Responder};
use tidegate_http::tls::ocsp::{Question, Status};
use tidegate_http::tls::trust::Trust;

use super::{Memory, locked, ocsp};
use crate::runtime::Generation;

/// How long a word without an end is remembered, in seconds (nginx: `ngx_ssl_ocsp_cache_store`).
const HOUR: u64 = 3600;

/// What a remembered word costs, in bytes.
const COST: usize = 256;

/// How long a chain is followed.
const LINKS: usize = 10;

/// How clients' certificates are asked about.
#[derive(Debug)]
pub(super) struct Standing {
    /// Whether all of a chain is asked about, not the client's own certificate alone.
    whole: bool,
    responder: Option<Responder>,
    known: Option<Arc<Known>>,
}

/// What authorities have said.
#[derive(Debug)]
pub(super) struct Known {
    said: Mutex<HashMap<Vec<u8>, (Status, u64)>>,
    most: usize,
}

impl Known {
    /// With room for so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { said: Mutex::default(), most: (room / COST).max(1) }
    }

    fn find(&self, name: &[u8]) -> Option<Status> {
        let said = locked(&self.said);
        said.get(name).filter(|(_, until)| *until > ocsp::now()).map(|(status, _)| *status)
    }

    fn keep(&self, name: &[u8], status: Status, until: u64) {
        let mut said = locked(&self.said);
        if said.len() >= self.most {
            let now = ocsp::now();
            said.retain(|_, (_, until)| *until > now);
        }
        if said.len() >= self.most {
            said.clear();
        }
        said.insert(name.to_vec(), (status, until));
    }
}

impl Standing {
    /// `None` where nobody is asked.
    pub(super) fn of(ssl: &Ssl, memory: (&Memory, Option<&Memory>)) -> Option<Self> {
        if ssl.ocsp == Ocsp::Off || !ssl.verify_client.asks() {
            return None;
        }
        let known = match &ssl.ocsp_cache {
            OcspCache::Off => None,
            OcspCache::Shared { name, size } => {
                let room = usize::try_from(size.0).unwrap_or(usize::MAX);
                Some(memory.0.known(memory.1, name, room))
            }
        };
        Some(Self { whole: ssl.ocsp == Ocsp::On, responder: ssl.ocsp_responder.clone(), known })
    }

    /// What is wrong with a chain that is trusted otherwise, in nginx's words.
    pub(super) async fn fault(
        &self,
        chain: &[CertificateDer<'_>],
        trust: &Trust,
        generation: &Generation,
    ) -> Option<&'static str> {
        let leaf = chain.first()?;
        let mut certificate = leaf;
        for _ in 0..LINKS {
            let mut issuers = chain.iter().chain(trust.certificates());
            let question =
                issuers.find_map(|issuer| Some((Question::about(certificate, issuer)?, issuer)));
            match question {
                // A root is trusted by itself.
                Some((_, issuer)) if issuer == certificate && certificate != leaf => return None,
                Some((question, issuer)) => {
                    match self.status(&question, generation).await {
                        Some(Status::Good) => {}
                        Some(Status::Revoked) => return Some("certificate revoked"),
                        Some(Status::Unknown) => return Some("certificate status unknown"),
                        None => return Some("certificate status request failed"),
                    }
                    certificate = issuer;
                }
                None if certificate == leaf => return Some("certificate status request failed"),
                // What stands here is trusted without its issuer.
                None => return None,
            }
            if !self.whole {
                return None;
            }
        }
        Some("certificate status request failed")
    }

    /// `None` where nobody has said anything that counts, of which the log is told.
    async fn status(&self, question: &Question, generation: &Generation) -> Option<Status> {
        if let Some(status) = self.known.as_ref().and_then(|known| known.find(question.name())) {
            return Some(status);
        }
        let named = || question.responder.as_deref().and_then(Responder::of);
        let Some(responder) = self.responder.clone().or_else(named) else {
            let text =
                "no OCSP responder URL in the certificate while requesting certificate status";
            generation.logs.tell(Level::Error, text);
            return None;
        };
        match ocsp::ask(&responder, question).await {
            Ok((_, verdict)) => {
                if let Some(known) = &self.known {
                    let until = verdict.until.unwrap_or_else(|| ocsp::now() + HOUR);
                    known.keep(question.name(), verdict.status, until);
                }
                Some(verdict.status)
            }
            Err(why) => {
                generation.logs.tell(Level::Error, &ocsp::told(&why, &responder));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_has_an_end_and_a_bound() {
        let known = Known::new(2 * COST);
        let later = ocsp::now() + 100;
        known.keep(b"a", Status::Good, later);
        known.keep(b"b", Status::Revoked, 1);
        assert_eq!(known.find(b"a"), Some(Status::Good));
        assert_eq!(known.find(b"b"), None);
        known.keep(b"c", Status::Unknown, later);
        assert_eq!(known.find(b"a"), Some(Status::Good));
        assert_eq!(known.find(b"c"), Some(Status::Unknown));
        known.keep(b"d", Status::Good, later);
        assert!(locked(&known.said).len() <= 2);
    }
}

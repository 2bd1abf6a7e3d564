//! `ssl_stapling`: an authority's word on our certificate, sent along with it.

use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use tidegate_config::files::Files;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::ssl::Ssl;
use tidegate_config::http::ssl::ocsp::Responder;
use tidegate_http::tls::load;
use tidegate_http::tls::ocsp::{Question, Status};
use tidegate_http::tls::trust::Trust;

use super::{locked, ocsp};
use crate::runtime::Generation;

/// When the authority is asked again: at the latest, at the earliest, and how long before its word
/// ends (nginx: `ngx_ssl_stapling_ocsp_handler`).
const LATEST: Duration = Duration::from_hours(1);
const EARLIEST: Duration = Duration::from_mins(5);

/// One certificate, and what its authority says of it.
#[derive(Debug)]
pub(super) struct Staple {
    question: Question,
    responder: Responder,
    bare: Arc<CertifiedKey>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// With the last word, and until when that holds, in seconds since 1970.
    stapled: Option<(Arc<CertifiedKey>, u64)>,
    /// When to ask next; `None` while somebody does.
    due: Option<Instant>,
}

/// How authorities are asked about the certificates of one server.
#[derive(Debug)]
pub(super) struct Stapling {
    /// Who is asked instead of whom certificates name.
    responder: Option<Responder>,
    /// Those that may have signed what comes without its signer.
    authorities: Trust,
}

impl Stapling {
    /// `None` where nobody is asked.
    pub(super) fn of(ssl: &Ssl, files: &Files) -> Option<Self> {
        if !ssl.stapling || ssl.stapling_file.is_some() {
            return None;
        }
        let mut authorities = Trust::default();
        if let Some(file) = &ssl.trusted_certificate {
            // What is wrong with it is told where clients are judged by it.
            let _ = load::authorities(&mut authorities, file, files);
        }
        Some(Self { responder: ssl.stapling_responder.clone(), authorities })
    }

    /// A certificate that is asked about; else why nobody can be asked.
    pub(super) fn staple(
        &self,
        certified: &Arc<CertifiedKey>,
    ) -> Result<Arc<Staple>, &'static str> {
        let (question, responder) = self.question(&certified.cert)?;
        let state = Mutex::new(State { stapled: None, due: Some(Instant::now()) });
        Ok(Arc::new(Staple { question, responder, bare: Arc::clone(certified), state }))
    }

    /// What is asked about a chain's first certificate, and whom.
    pub(super) fn question(
        &self,
        chain: &[CertificateDer<'_>],
    ) -> Result<(Question, Responder), &'static str> {
        let unknown = "issuer certificate not found for certificate";
        let (first, rest) = chain.split_first().ok_or(unknown)?;
        let mut issuers = rest.iter().chain(self.authorities.certificates());
        let asked = issuers.find_map(|issuer| Question::about(first, issuer));
        let question = asked.ok_or(unknown)?;
        let named = question.responder.as_deref().map(Responder::of);
        let responder = match (&self.responder, named) {
            (Some(said), _) => said.clone(),
            (None, Some(Some(named))) => named,
            (None, Some(None)) => {
                return Err("invalid URL prefix in the OCSP responder of certificate");
            }
            (None, None) => return Err("no OCSP responder URL in the certificate"),
        };
        Ok((question, responder))
    }
}

impl Staple {
    /// The certificate as it is shown now.
    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        let state = locked(&self.state);
        let good = state.stapled.as_ref().filter(|(_, until)| *until >= ocsp::now());
        Arc::clone(good.map_or(&self.bare, |(certified, _)| certified))
    }

    /// Asks the authority when it is time, beside the connections.
    pub(super) fn refresh(self: &Arc<Self>, generation: &Rc<Generation>) {
        if !self.begins() {
            return;
        }
        let (this, generation) = (Arc::clone(self), Rc::clone(generation));
        tokio::task::spawn_local(async move {
            if let Err(why) = this.ask().await {
                generation.logs.tell(Level::Error, &ocsp::told(&why, &this.responder));
            }
        });
    }

    /// Whether it is time, and nobody else asks.
    fn begins(&self) -> bool {
        let due = &mut locked(&self.state).due;
        let begins = due.is_some_and(|due| due <= Instant::now());
        if begins {
            *due = None;
        }
        begins
    }

    async fn ask(&self) -> Result<(), String> {
        let asked = ocsp::ask(&self.responder, &self.question).await;
        let mut state = locked(&self.state);
        state.due = Some(Instant::now() + EARLIEST);
        let (answer, verdict) = asked?;
        match verdict.status {
            Status::Good => {}
            Status::Revoked => {
                return Err("certificate status \"revoked\" in the OCSP response".to_owned());
            }
            Status::Unknown => {
                return Err("certificate status \"unknown\" in the OCSP response".to_owned());
            }
        }
        let until = verdict.until.unwrap_or(u64::MAX);
        let left = Duration::from_secs(until.saturating_sub(ocsp::now())).min(LATEST + EARLIEST);
        let wait = left.saturating_sub(EARLIEST).max(EARLIEST);
        state.due = Some(Instant::now() + wait);
        let mut certified = CertifiedKey::clone(&self.bare);
        certified.ocsp = Some(answer);
        state.stapled = Some((Arc::new(certified), until));
        Ok(())
    }
}

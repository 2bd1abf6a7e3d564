//! Internal redirects: another URI, without a word to the client.

use bytes::Bytes;
use tidegate_config::http::error_log::Level;

use crate::exchange::Exchange;
use crate::stop::Stop;
use crate::trace::Event;

impl Exchange<'_> {
    /// Goes on with another URI, from the server's rewrites on (nginx:
    /// `ngx_http_internal_redirect`).
    pub fn redirect(&mut self, uri: Bytes, args: Option<Bytes>) -> Result<(), Stop> {
        if !self.spend_redirect() {
            let uri = String::from_utf8_lossy(&uri);
            return Err(self.cycle(&format!("while internally redirecting to \"{uri}\"")));
        }
        self.note(|| Event::Redirected(uri.clone(), args.clone()));
        self.uri = uri;
        self.args = args;
        self.raw_uri = false;
        self.in_location = true;
        self.behind_alias = false;
        self.internal = true;
        self.location = &self.server.location;
        Ok(())
    }

    /// Takes one of the changes that the URI may go through; false when all are used up.
    pub(crate) fn spend_redirect(&mut self) -> bool {
        self.redirects_left = self.redirects_left.saturating_sub(1);
        self.redirects_left > 0
    }

    /// Tells that the URI has changed too often.
    pub(crate) fn cycle(&self, what: &str) -> Stop {
        self.log(Level::Error, &format!("rewrite or internal redirection cycle {what}"));
        Stop::Status(500)
    }
}

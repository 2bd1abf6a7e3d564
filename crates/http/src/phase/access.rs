//! access: who may ask.

use tidegate_config::http::access::Rule;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::satisfy::SatisfyRule;

use super::{auth_basic, auth_request, wait};
use crate::client::Endpoint;
use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::response::Response;
use crate::stop::Stop;

/// Lets the request in, or ends it with 401 or 403, as `allow` and `deny`, `auth_basic` and
/// `auth_request` say, joined by `satisfy` (nginx: the phases `ACCESS` and `POST_ACCESS`). A
/// subrequest is let in, for the request it is made for is judged.
pub async fn run(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let location = ex.location;
    let silent = location.access.rules.is_empty()
        && location.auth_basic.realm.is_none()
        && location.auth_request.uri.is_none();
    if silent || ex.subrequest {
        return Ok(());
    }
    // Boxed, so that requests that nobody asks about stay small.
    Box::pin(judged(ex)).await
}

async fn judged(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    match judge(ex).await {
        Err(stop) if stop.status() == Some(401) && !ex.location.satisfy.delay.is_zero() => {
            ex.log(Level::Info, "delaying unauthorized request");
            if ex.trace.is_some() {
                return Err(stop);
            }
            wait(ex, ex.location.satisfy.delay).await?;
            Err(stop)
        }
        judged => judged,
    }
}

async fn judge(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let any = ex.location.satisfy.rule == SatisfyRule::Any;
    let mut refusal = None;
    if is_settled(by_address(ex), any, &mut refusal)?
        || is_settled(auth_basic::judge(ex).await?, any, &mut refusal)?
        || is_settled(auth_request::judge(ex).await?, any, &mut refusal)?
    {
        return Ok(());
    }
    let Some(refusal) = refusal else { return Ok(()) };
    if refusal.status == 403 {
        ex.log(Level::Error, "access forbidden by rule");
    }
    Err(refusal.into())
}

/// What one check says of a request.
pub(super) enum Verdict {
    /// Nothing: it is not configured, or not about this client.
    Silent,
    /// It may come in.
    Granted,
    /// It may not, unless another check lets it in and one is enough.
    Refused(Refusal),
}

impl Verdict {
    /// A refusal with 401, and what is to be proven.
    pub(super) fn challenge(text: Vec<u8>) -> Self {
        let mut challenges = Headers::with_capacity(1);
        challenges.push("WWW-Authenticate", text);
        Self::unauthorized(challenges)
    }

    /// A refusal with 401, and these challenges.
    pub(super) fn unauthorized(challenges: Headers) -> Self {
        Self::Refused(Refusal { status: 401, challenges })
    }

    /// A refusal with 403.
    pub(super) fn forbidden() -> Self {
        Self::Refused(Refusal { status: 403, challenges: Headers::new() })
    }
}

/// How a request is refused.
pub(super) struct Refusal {
    /// 401 or 403.
    status: u16,
    /// The fields `WWW-Authenticate` of the answer.
    challenges: Headers,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        if refusal.challenges.is_empty() {
            return Self::Status(refusal.status);
        }
        let answer = Response::new(refusal.status);
        Self::Special(Box::new(Response { headers: refusal.challenges, ..answer }))
    }
}

/// Whether the request is let in by this check alone. Where one check is enough, refusals are kept
/// until none is left to ask, and 401 goes before 403; else the first one ends the request.
fn is_settled(verdict: Verdict, any: bool, kept: &mut Option<Refusal>) -> Result<bool, Stop> {
    match verdict {
        Verdict::Silent => Ok(false),
        Verdict::Granted => Ok(any),
        Verdict::Refused(refusal) if !any => Err(refusal.into()),
        Verdict::Refused(refusal) => {
            if kept.as_ref().is_none_or(|kept| kept.status != 401) {
                *kept = Some(refusal);
            }
            Ok(false)
        }
    }
}

/// `allow` and `deny`
fn by_address(ex: &Exchange<'_>) -> Verdict {
    match decide(&ex.location.access.rules, &ex.remote) {
        None => Verdict::Silent,
        Some(true) => Verdict::Granted,
        Some(false) => {
            if ex.location.satisfy.rule == SatisfyRule::All {
                ex.log(Level::Error, "access forbidden by rule");
            }
            Verdict::forbidden()
        }
    }
}

/// What the first rule that is about this client says.
fn decide(rules: &[Rule], client: &Endpoint) -> Option<bool> {
    let is_about = |rule: &&Rule| match client {
        Endpoint::Ip(address) => rule.who.contains(address.ip()),
        Endpoint::Unix(_) => rule.who.contains_unix(),
    };
    rules.iter().find(is_about).map(|rule| rule.allow)
}

#[cfg(test)]
mod tests {
    use crate::testing::outcome;

    #[test]
    fn the_first_rule_about_the_client_decides() {
        for (rules, expected) in [
            ("", "content /"),
            ("deny all;", "status 403"),
            ("allow 192.0.2.0/24; deny all;", "content /"),
            ("deny 192.0.2.1; allow all;", "status 403"),
            ("deny 10.0.0.0/8;", "content /"),
            ("auth_request /x;", "status 500"),
            ("satisfy any; allow 192.0.2.1; deny all; auth_request /x;", "content /"),
            ("satisfy any; deny all; auth_request off;", "status 403"),
        ] {
            let server = format!("server {{ location / {{ {rules} }} }}");
            assert_eq!(outcome(&server, "GET /"), expected, "{rules}");
        }
    }
}

//! `auth_request`: another part of the site says who may ask.

use bytes::Bytes;
use tidegate_config::http::error_log::Level;

use super::access::Verdict;
use crate::exchange::Exchange;
use crate::headers::Headers;
use crate::shortage;
use crate::stop::Stop;

/// Asks the URI that the location names, and lets in whom it answers with 2xx; 401 with its
/// challenge and 403 refuse, and anything else is a fault (nginx: `ngx_http_auth_request_handler`).
pub(super) async fn judge(ex: &mut Exchange<'_>) -> Result<Verdict, Stop> {
    let settings = &ex.location.auth_request;
    let Some(uri) = &settings.uri else { return Ok(Verdict::Silent) };
    let Some(site) = ex.site else {
        ex.log(Level::Crit, "auth_request has nobody to ask");
        return Err(Stop::Status(500));
    };
    let mut asked = ex.subrequest(Bytes::from(uri.clone()));
    let answer = site.answer(&mut asked).await;
    let status = answer.as_ref().map_or(asked.sent.status, |answer| answer.status);
    if let Some(answer) = answer {
        asked.sent.status = status;
        asked.sent.answer = Some(Box::new(answer));
    }
    let values: Vec<_> =
        settings.set.iter().map(|set| (set.variable, asked.render(&set.value))).collect();
    let challenges = challenges(&asked);
    ex.rejoin(asked);
    for (variable, value) in values {
        ex.set(variable, Some(value));
    }
    match status {
        200..=299 => Ok(Verdict::Granted),
        401 => Ok(Verdict::unauthorized(challenges)),
        403 => Ok(Verdict::forbidden()),
        // It was not asked.
        503 if shortage::is_acute() => Err(Stop::Status(503)),
        _ => {
            ex.log(Level::Error, &format!("auth request unexpected status: {status}"));
            Err(Stop::Status(500))
        }
    }
}

/// What the answer wants to be proven.
fn challenges(asked: &Exchange<'_>) -> Headers {
    const NAME: &str = "WWW-Authenticate";
    let mut challenges = Headers::new();
    // An upstream's, where it was hidden on the way.
    let given = asked.sent.answer.as_deref().map(|answer| &answer.headers);
    for headers in given.into_iter().chain([&asked.upstream_headers]) {
        if challenges.is_empty() {
            headers.all(NAME.as_bytes()).for_each(|value| challenges.push(NAME, value.clone()));
        }
    }
    challenges
}

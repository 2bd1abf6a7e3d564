//! `limit_req`: who asks too often waits, or is refused.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::limit_req::RequestLimit;

use super::wait;
use crate::exchange::Exchange;
use crate::limits::Limited;
use crate::stop::Stop;
use crate::zone::{Asked, RequestZone, Zones};

/// The longest key, in bytes.
pub(super) const LONGEST_KEY: usize = 65535;

/// Counts the request in all zones that the location names, and lets it go on, delays it, or ends it
/// with `limit_req_status` (nginx: `ngx_http_limit_req_handler`). A request is counted once.
pub async fn run(ex: &mut Exchange<'_>, zones: &Zones) -> Result<(), Stop> {
    let settings = &ex.location.limit_req;
    if settings.limits.is_empty() || ex.limits.requests.is_some() {
        return Ok(());
    }
    let now = now();
    let Some(judged) = judge(ex, zones, now) else { return Ok(()) };
    let (refused, delayed) = settings.log_level.levels();
    let dry = if settings.dry_run { ", dry run" } else { "" };
    match judged {
        Judged::Refused(over) => {
            if let Some((zone, excess)) = over {
                let (whole, rest) = (excess / 1000, excess % 1000);
                let text =
                    format!("limiting requests{dry}, excess: {whole}.{rest:03} by zone \"{zone}\"");
                ex.log(refused, &text);
            }
            if settings.dry_run {
                ex.limits.requests = Some(Limited::RejectedDryRun);
                return Ok(());
            }
            ex.limits.requests = Some(Limited::Rejected);
            Err(Stop::Status(u16::try_from(settings.status).unwrap_or(503)))
        }
        Judged::Within { delay, .. } if delay.is_zero() => {
            ex.limits.requests = Some(Limited::Passed);
            Ok(())
        }
        Judged::Within { delay, excess, zone } => {
            let (whole, rest) = (excess / 1000, excess % 1000);
            let text =
                format!("delaying request{dry}, excess: {whole}.{rest:03}, by zone \"{zone}\"");
            ex.log(delayed, &text);
            if settings.dry_run {
                ex.limits.requests = Some(Limited::DelayedDryRun);
                return Ok(());
            }
            ex.limits.requests = Some(Limited::Delayed);
            Box::pin(wait(ex, delay)).await
        }
    }
}

/// What all zones together say.
enum Judged {
    /// Too often: the zone, and how much is above its rate; without them, it has no room.
    Refused(Option<(String, u64)>),
    /// It may go on after a while.
    Within { delay: Duration, excess: u64, zone: String },
}

/// One zone that a request is counted in.
struct Counted<'z> {
    zone: &'z RequestZone,
    key: Bytes,
    limit: RequestLimit,
}

/// Asks all zones, and counts in all of them unless one refuses; `None` where no zone has a key
/// for this request.
fn judge(ex: &mut Exchange<'_>, zones: &Zones, now: u64) -> Option<Judged> {
    let location = ex.location;
    let mut counted: Vec<Counted<'_>> = Vec::new();
    for limit in &location.limit_req.limits {
        let (Some(zone), Some(key)) = (zones.requests(limit.zone), key(ex, limit)) else {
            continue;
        };
        match zone.ask(&key, limit.burst, now, false) {
            Asked::Within(_) => counted.push(Counted { zone, key, limit: limit.clone() }),
            Asked::Beyond(excess) => {
                return Some(Judged::Refused(Some((zone.name().to_owned(), excess))));
            }
            Asked::NoRoom => {
                let text = format!("could not allocate node in limit_req zone \"{}\"", zone.name());
                ex.log(Level::Alert, &text);
                return Some(Judged::Refused(None));
            }
        }
    }
    let mut longest = (Duration::ZERO, 0, "");
    // As in nginx the last one is asked first, and of equal delays the first asked is told.
    for one in counted.iter().rev() {
        let excess = one.zone.count(&one.key, now);
        let delay = one.zone.time_for(excess.saturating_sub(one.limit.delay));
        if delay > longest.0 {
            longest = (delay, excess, one.zone.name());
        }
    }
    let (delay, excess, zone) = longest;
    (!counted.is_empty()).then(|| Judged::Within { delay, excess, zone: zone.to_owned() })
}

/// What tells the client apart in the zone of a limit; `None` where it is not counted there.
fn key(ex: &mut Exchange<'_>, limit: &RequestLimit) -> Option<Bytes> {
    let http = ex.http;
    let zone = http.limit_req_zones.zones.iter().find(|zone| zone.id == limit.zone)?;
    let key = ex.render(&zone.key);
    checked(ex, key, &zone.key_text)
}

/// A key that is neither empty nor too long.
pub(super) fn checked(ex: &Exchange<'_>, key: Bytes, name: &str) -> Option<Bytes> {
    if key.len() > LONGEST_KEY {
        let value = String::from_utf8_lossy(&key);
        let text = format!("the value of the \"{name}\" key is more than 65535 bytes: \"{value}\"");
        ex.log(Level::Error, &text);
        return None;
    }
    Some(key).filter(|key| !key.is_empty())
}

/// Milliseconds since some moment before the first request.
pub(crate) fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let since = START.get_or_init(Instant::now).elapsed() + Duration::from_hours(24);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

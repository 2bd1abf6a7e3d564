//! `limit_conn`: who has too many connections at work is refused.

use tidegate_config::http::limit_conn::ConnectionLimit;

use super::limit_req::checked;
use crate::exchange::Exchange;
use crate::limits::Limited;
use crate::stop::Stop;
use crate::zone::Zones;

/// Takes a place in all zones that the location names, until the request has been answered; where
/// one has none left, the request ends with `limit_conn_status` (nginx:
/// `ngx_http_limit_conn_handler`). A request is counted once.
pub fn run(ex: &mut Exchange<'_>, zones: &Zones) -> Result<(), Stop> {
    let settings = &ex.location.limit_conn;
    if settings.limits.is_empty() || ex.limits.connections.is_some() {
        return Ok(());
    }
    for limit in &settings.limits {
        let (Some(zone), Some(key)) = (zones.connections(limit.zone), key(ex, limit)) else {
            continue;
        };
        ex.limits.connections = Some(Limited::Passed);
        match zone.hold(&key, limit.most) {
            Ok(held) => ex.limits.held.push(held),
            Err(has_all) => {
                if has_all {
                    let dry = if settings.dry_run { ", dry run" } else { "" };
                    let text = format!("limiting connections{dry} by zone \"{}\"", zone.name());
                    ex.log(settings.log_level.levels().0, &text);
                }
                ex.limits.held.clear();
                if settings.dry_run {
                    ex.limits.connections = Some(Limited::RejectedDryRun);
                    return Ok(());
                }
                ex.limits.connections = Some(Limited::Rejected);
                return Err(Stop::Status(u16::try_from(settings.status).unwrap_or(503)));
            }
        }
    }
    Ok(())
}

/// What tells the client apart in the zone of a limit; `None` where it is not counted there.
fn key(ex: &mut Exchange<'_>, limit: &ConnectionLimit) -> Option<bytes::Bytes> {
    let http = ex.http;
    let zone = http.limit_conn_zones.zones.iter().find(|zone| zone.id == limit.zone)?;
    let key = ex.render(&zone.key);
    checked(ex, key, &zone.key_text)
}

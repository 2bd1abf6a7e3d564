//! `sticky`: a client is kept with the peer that served it first.
//!
//! nginx: `ngx_http_upstream_sticky_module`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tidegate_config::http::upstream::sticky::{Cookie, Learn, Sticky};
use tidegate_config::value::template::Template;
use tidegate_http::exchange::Exchange;
use tidegate_http::record::{Reader, Writer};
use tidegate_http::response::Response;

use super::balancer::Balancer;
use super::group::Group;
use super::selection::Lease;

/// What the peer is called that the client of this request is kept with.
pub(crate) fn sid(ex: &mut Exchange<'_>, group: &Group) -> Option<Bytes> {
    let sticky = group.description.sticky.as_ref()?;
    let sid = match sticky {
        Sticky::Cookie(cookie) => ex.render(&cookie.sent),
        Sticky::Route(keys) => first(ex, keys)?,
        Sticky::Learn(learn) => group.sessions.find(&first(ex, &learn.lookup)?, learn)?,
    };
    Some(sid).filter(|sid| !sid.is_empty())
}

fn first(ex: &mut Exchange<'_>, keys: &[Template]) -> Option<Bytes> {
    keys.iter().map(|key| ex.render(key)).find(|value| !value.is_empty())
}

/// Remembers who has answered: by a cookie of the answer, or as a session.
pub(crate) fn keep(ex: &mut Exchange<'_>, lease: (Arc<Group>, Arc<str>), response: &mut Response) {
    let (group, sid) = lease;
    match &group.description.sticky {
        Some(Sticky::Cookie(cookie)) => {
            let value = set_cookie(ex, cookie, &sid);
            response.headers.push("Set-Cookie", value);
        }
        Some(Sticky::Learn(learn)) => {
            if let Some(name) = first(ex, &learn.create) {
                group.sessions.remember(name, &sid, learn);
            }
        }
        Some(Sticky::Route(_)) | None => {}
    }
}

impl Balancer {
    /// What a peer is called.
    pub(super) fn sid(&self, id: u64) -> Option<Arc<str>> {
        self.all().find(|peer| peer.id == id).map(|peer| peer.sid.clone())
    }
}

/// Who has answered, where it matters.
pub(crate) fn to_keep(lease: &Lease) -> Option<(Arc<Group>, Arc<str>)> {
    let group = lease.shared_group();
    group.description.sticky.as_ref()?;
    Some((group.clone(), lease.sid.clone()?))
}

fn set_cookie(ex: &mut Exchange<'_>, cookie: &Cookie, sid: &str) -> String {
    let mut render = |template: &Option<Template>| {
        let value = template.as_ref().map(|template| ex.render(template));
        value.map(|value| String::from_utf8_lossy(&value).into_owned())
    };
    let (domain, samesite, path) =
        (render(&cookie.domain), render(&cookie.samesite), render(&cookie.path));
    let mut out = format!("{}={sid}", cookie.name);
    if let Some(time) = cookie.expires {
        let _ = write!(out, "; expires={}; max-age={}", date(time), time.as_secs());
    }
    if let Some(domain) = domain {
        let _ = write!(out, "; domain={domain}");
    }
    if cookie.httponly {
        out += "; httponly";
    }
    if cookie.secure {
        out += "; secure";
    }
    match samesite.as_deref() {
        None | Some("") => {}
        Some(word @ ("lax" | "none")) => {
            let _ = write!(out, "; samesite={word}");
        }
        Some(_) => out += "; samesite=strict",
    }
    if let Some(path) = path {
        let _ = write!(out, "; path={path}");
    }
    out
}

/// When so much time will have gone, in the form of old cookies: `Thu, 31-Dec-37 23:55:55 GMT`.
fn date(time: Duration) -> String {
    const END: u64 = 2_145_916_555;
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(END);
    let at = SystemTime::now() + time;
    let max = time.as_secs() >= 10 * 365 * 24 * 3600;
    let text = httpdate::fmt_http_date(if max || at > end { end } else { at });
    // `Thu, 31 Dec 2037 23:55:55 GMT` has its parts at fixed places.
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    format!("{}-{}-{} {}", part(0..7), part(8..11), part(14..16), part(17..29))
}

/// Sessions and the peers that began them.
#[derive(Debug, Default)]
pub struct Sessions {
    known: Mutex<HashMap<Bytes, (Arc<str>, Instant)>>,
}

/// How much memory nginx takes for a session, in bytes: so many fit into a zone.
const SESSION: u64 = 256;

impl Sessions {
    /// The peer of a session, which is in use.
    fn find(&self, session: &Bytes, learn: &Learn) -> Option<Bytes> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (sid, used) = known.get_mut(session)?;
        let now = Instant::now();
        if now.duration_since(*used) > learn.timeout {
            known.remove(session);
            return None;
        }
        *used = now;
        Some(Bytes::copy_from_slice(sid.as_bytes()))
    }

    /// A session begins. Where there is no room the old ones go, and if there are none, the one
    /// that was used least lately.
    fn remember(&self, session: Bytes, sid: &Arc<str>, learn: &Learn) {
        let now = Instant::now();
        let most = (learn.size.0 / SESSION).max(1) as usize;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= most && !known.contains_key(&session) {
            known.retain(|_, (_, used)| now.duration_since(*used) <= learn.timeout);
            if known.len() >= most {
                let oldest = known.iter().min_by_key(|(_, (_, used))| *used);
                let oldest = oldest.map(|(session, _)| session.clone());
                oldest.map(|session| known.remove(&session));
            }
        }
        known.insert(session, (sid.clone(), now));
    }

    /// Writes them down for another process, whose clock is another.
    pub(super) fn write(&self, writer: &mut Writer) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        writer.number(known.len() as u64);
        for (session, (sid, used)) in &*known {
            writer.text(session);
            writer.text(sid.as_bytes());
            writer.number(u64::try_from(used.elapsed().as_millis()).unwrap_or(u64::MAX));
        }
    }

    /// Takes up what was written down, as far as there is room; nothing where none are learned here.
    pub(super) fn read(&self, reader: &mut Reader<'_>, learn: Option<&Learn>) -> Option<()> {
        let most = learn.map_or(0, |learn| (learn.size.0 / SESSION).max(1) as usize);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..reader.number()? {
            let (session, sid, age) = (reader.text()?, reader.text()?, reader.number()?);
            let used = Instant::now().checked_sub(Duration::from_millis(age));
            if let (Some(used), Ok(sid), true) = (used, str::from_utf8(sid), known.len() < most) {
                let new = || (Arc::from(sid), used);
                known.entry(Bytes::copy_from_slice(session)).or_insert_with(new);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use tidegate_config::value::size::Size;

    use super::*;

    #[test]
    fn sessions_are_bounded_and_end() {
        let size = Size(2 * SESSION);
        let mut learn =
            Learn { create: Vec::new(), lookup: Vec::new(), size, timeout: Duration::from_mins(1) };
        let (sessions, sid) = (Sessions::default(), Arc::from("peer"));
        for name in ["one", "two", "three"] {
            sessions.remember(name.into(), &sid, &learn);
        }
        assert_eq!(sessions.find(&"one".into(), &learn), None);
        assert_eq!(sessions.find(&"three".into(), &learn).unwrap(), "peer");
        let mut writer = Writer::default();
        sessions.write(&mut writer);
        let next = Sessions::default();
        next.read(&mut Reader::new(writer.bytes()), Some(&learn)).unwrap();
        assert_eq!(next.find(&"three".into(), &learn).unwrap(), "peer");
        next.read(&mut Reader::new(&[9; 30]), Some(&learn));
        let nobody = Sessions::default();
        nobody.read(&mut Reader::new(writer.bytes()), None).unwrap();
        assert_eq!(nobody.find(&"three".into(), &learn), None);
        learn.timeout = Duration::ZERO;
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(sessions.find(&"three".into(), &learn), None);
    }

    #[test]
    fn dates_are_those_of_old_cookies() {
        assert_eq!(date(Duration::from_hours(11 * 365 * 24)), "Thu, 31-Dec-37 23:55:55 GMT");
    }
}

//! userid: a cookie that tells clients apart.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::userid::{UserId, UserIdExpires, UserIdMode};

use crate::client::Endpoint;
use crate::date::{http_date, unix_time};
use crate::exchange::Exchange;
use crate::response::Response;

/// The four numbers of a cookie: service, time, process, sequence; as they lie in memory.
pub type Uid = [u32; 4];

/// The digits of base 64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The first sequence number of version 2 (nginx: `sequencer_v2`).
const FIRST: u32 = 0x0303_0302;

/// Gives the client a cookie, unless it has one (nginx: `ngx_http_userid_filter`).
pub(super) fn apply(ex: &mut Exchange<'_>, response: &mut Response) {
    let location = ex.location;
    let settings = &location.userid;
    if !matches!(settings.enabled, UserIdMode::On | UserIdMode::V1) {
        return;
    }
    let Some(uid) = given(ex) else { return };
    let mut value = [settings.name.as_bytes(), b"="].concat();
    value.extend_from_slice(&encoded(uid, settings.mark));
    let now = unix_time();
    match settings.expires {
        UserIdExpires::Off => {}
        UserIdExpires::Max => value.extend_from_slice(b"; expires=Thu, 31-Dec-37 23:55:55 GMT"),
        UserIdExpires::After(time) => {
            value.extend_from_slice(b"; expires=");
            value.extend_from_slice(&cookie_date(now + time));
        }
    }
    for (name, text) in [("domain", &settings.domain), ("path", &Some(settings.path.clone()))] {
        if let Some(text) = text {
            value.extend_from_slice(format!("; {name}={text}").as_bytes());
        }
    }
    if settings.flags.secure {
        value.extend_from_slice(b"; secure");
    }
    if settings.flags.httponly {
        value.extend_from_slice(b"; httponly");
    }
    if let Some(samesite) = settings.flags.samesite {
        value.extend_from_slice(format!("; samesite={samesite}").as_bytes());
    }
    response.headers.push("Set-Cookie", value);
    if let Some(p3p) = &settings.p3p {
        response.headers.push("P3P", p3p.clone());
    }
}

/// The cookie that the client came with.
fn got(ex: &Exchange<'_>) -> Option<(Uid, Bytes)> {
    if ex.location.userid.enabled == UserIdMode::Off {
        return None;
    }
    let cookie = ex.cookie(&ex.location.userid.name)?;
    let shown = || String::from_utf8_lossy(&cookie).into_owned();
    let Some(digits) = cookie.get(..22) else {
        ex.log(Level::Error, &format!("client sent too short userid cookie \"{}\"", shown()));
        return None;
    };
    let Some(uid) = decoded(digits) else {
        ex.log(Level::Error, &format!("client sent invalid userid cookie \"{}\"", shown()));
        return None;
    };
    Some((uid, cookie))
}

/// The cookie that the client is given, if it is.
fn given(ex: &mut Exchange<'_>) -> Option<Uid> {
    if let Some(uid) = &ex.uid_set {
        return Some(**uid);
    }
    let location = ex.location;
    let settings = &location.userid;
    if !matches!(settings.enabled, UserIdMode::On | UserIdMode::V1) {
        return None;
    }
    let reset = ex.value_of("uid_reset").unwrap_or_default();
    let resets = !reset.is_empty() && reset.as_ref() != b"0";
    let uid = match got(ex) {
        Some((uid, _)) if uid[3] != 0 && resets => {
            if reset.as_ref() == b"log" {
                let text = format!("userid cookie \"{}\" was reset", shown(settings, uid));
                ex.log(Level::Notice, &text);
            }
            new(ex, settings)
        }
        Some((uid, cookie)) if uid[3] != 0 => {
            let mark = settings.mark?;
            if cookie.get(22) == Some(&mark) && cookie.get(23) == Some(&b'=') {
                return None;
            }
            uid
        }
        _ => new(ex, settings),
    };
    ex.uid_set = Some(Box::new(uid));
    Some(uid)
}

/// nginx: `ngx_http_userid_create_uid`
fn new(ex: &Exchange<'_>, settings: &UserId) -> Uid {
    thread_local! {
        static START: Cell<u32> = Cell::new(start());
        static SEQUENCE: Cell<u32> = const { Cell::new(FIRST) };
    }
    let sequence = SEQUENCE.get();
    let next = sequence.wrapping_add(0x100);
    SEQUENCE.set(if next < FIRST { FIRST } else { next });
    let now = unix_time().as_secs() as u32;
    if settings.enabled == UserIdMode::V1 {
        let number = sequence.wrapping_sub(FIRST) | 1;
        return [settings.service.unwrap_or_default(), now, START.get(), number];
    }
    let service = settings.service.map_or_else(|| address(&ex.connection.local), u32::to_be);
    [service, now.to_be(), START.get().to_be(), sequence.to_be()]
}

/// What tells this thread from all others: the time, and its number in the system.
fn start() -> u32 {
    let part = unix_time().subsec_micros() / 20;
    let thread = rustix::thread::gettid().as_raw_nonzero().get() as u32;
    part << 16 | thread & 0xffff
}

/// Four bytes of the address that the client connected to.
fn address(local: &Endpoint) -> u32 {
    let bytes = match local {
        Endpoint::Ip(address) => match address.ip() {
            IpAddr::V4(address) => address.octets(),
            IpAddr::V6(address) => {
                let [.., a, b, c, d] = address.octets();
                [a, b, c, d]
            }
        },
        Endpoint::Unix(_) => [0; 4],
    };
    u32::from_ne_bytes(bytes)
}

fn encoded(uid: Uid, mark: Option<u8>) -> Vec<u8> {
    let bytes: Vec<u8> = uid.iter().flat_map(|number| number.to_ne_bytes()).collect();
    let mut out = Vec::with_capacity(24);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=group.len() {
            let digit = bits >> (18 - 6 * place) & 0x3f;
            out.push(DIGITS.get(digit as usize).copied().unwrap_or(b'A'));
        }
    }
    out.push(mark.unwrap_or(b'='));
    out.push(b'=');
    out
}

fn decoded(digits: &[u8]) -> Option<Uid> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::with_capacity(16));
    for digit in digits {
        let value = DIGITS.iter().position(|known| known == digit)? as u32;
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    let mut uid = [0; 4];
    for (number, four) in uid.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *number = u32::from_ne_bytes(*four);
    }
    Some(uid)
}

/// nginx: `ngx_http_cookie_time`
fn cookie_date(time: Duration) -> Vec<u8> {
    let date = http_date(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let date = String::from_utf8_lossy(&date).into_owned();
    match date.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        [weekday, day, month, year, clock, zone] => {
            let old = year.parse::<u32>().is_ok_and(|year| year <= 2037);
            let year = if old { year.get(2..).unwrap_or(year) } else { year };
            format!("{weekday} {day}-{month}-{year} {clock} {zone}").into_bytes()
        }
        _ => date.into_bytes(),
    }
}

fn shown(settings: &UserId, uid: Uid) -> String {
    let [a, b, c, d] = uid;
    format!("{}={a:08X}{b:08X}{c:08X}{d:08X}", settings.name)
}

impl Exchange<'_> {
    /// `$uid_got`: the cookie that the client came with.
    pub(crate) fn uid_got(&self) -> Option<Bytes> {
        let (uid, _) = got(self).filter(|(uid, _)| uid[3] != 0)?;
        Some(shown(&self.location.userid, uid).into())
    }

    /// `$uid_set`: the cookie that it is given.
    pub(crate) fn uid_set(&mut self) -> Option<Bytes> {
        let uid = given(self)?;
        Some(shown(&self.location.userid, uid).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_as_it_was_written() {
        let uid = [0x0100_007f, 1, 0xffff_ffff, 0x0203_0303];
        let text = encoded(uid, None);
        assert_eq!((text.len(), &text[22..]), (24, &b"=="[..]));
        assert_eq!(decoded(&text[..22]), Some(uid));
        assert_eq!(&encoded(uid, Some(b'x'))[22..], b"x=");
        assert_eq!(decoded(b"AAAAAAAAAAAAAAAAAAAA*A"), None);
    }

    #[test]
    fn a_date_has_a_short_year_as_long_as_it_may() {
        let date = |seconds| String::from_utf8(cookie_date(Duration::from_secs(seconds))).unwrap();
        assert_eq!(date(784_111_777), "Sun, 06-Nov-94 08:49:37 GMT");
        assert_eq!(date(2_147_483_647), "Tue, 19-Jan-2038 03:14:07 GMT");
    }
}

//! The values of variables, and texts made of them.

mod browser;
mod connection;
mod fastcgi;
mod geo;
mod map;
mod referer;
mod request;
mod response;
mod secure_link;
mod ssl;
mod time;
mod upstream;
pub(crate) mod user;
mod written;

use bytes::Bytes;
pub(crate) use connection::hostname;
use tidegate_config::http::error_log::Level;
use tidegate_config::names::Definition;
use tidegate_config::value::template::{Part, Template};
use tidegate_config::variable::{Builtin, Slot, Source, Variable};

use crate::exchange::Exchange;
use crate::headers::Headers;

impl Exchange<'_> {
    /// The text of a template; variables without a value are empty.
    pub fn render(&mut self, template: &Template) -> Bytes {
        match template.parts.as_slice() {
            [] => Bytes::new(),
            [Part::Text(text)] => text.clone(),
            [Part::Variable(variable)] => self.value(variable).unwrap_or_default(),
            _ => {
                let mut out = Vec::with_capacity(64);
                self.write(template, &mut out);
                out.into()
            }
        }
    }

    /// Whether a template's text is neither empty nor `0`.
    pub fn is_true(&mut self, template: &Template) -> bool {
        let text = self.render(template);
        !text.is_empty() && text.as_ref() != b"0"
    }

    /// The value of a variable; `None` where there is none.
    pub fn value(&mut self, variable: &Variable) -> Option<Bytes> {
        match variable {
            Variable::Builtin(builtin) => self.builtin(*builtin),
            Variable::Named(source, name) => self.named(*source, name),
            Variable::Capture(group) => self.captured.get(usize::from(*group)),
            Variable::Slot(slot) => self.slot(*slot),
        }
    }

    /// The value of the variable of this name, in lower case, where there is such a variable.
    pub fn value_of(&mut self, name: &str) -> Option<Bytes> {
        let http = self.http;
        if let Some(slot) = http.slots.iter().position(|slot| slot.name == name) {
            return self.slot(Slot(slot));
        }
        Variable::find(name).and_then(|variable| self.value(&variable))
    }

    /// The value of a cookie of the client.
    pub(crate) fn cookie(&self, name: &str) -> Option<Bytes> {
        request::cookie(self, name)
    }

    /// Gives a variable of the configuration's own a value.
    pub fn set(&mut self, slot: Slot, value: Option<Bytes>) {
        if self.slots.len() <= slot.0 {
            self.slots.resize(slot.0 + 1, None);
        }
        if let Some(place) = self.slots.get_mut(slot.0) {
            *place = value;
        }
    }

    fn slot(&mut self, slot: Slot) -> Option<Bytes> {
        if let Some(Some(value)) = self.slots.get(slot.0) {
            return Some(value.clone());
        }
        match self.http.definition(slot) {
            Definition::Assigned => {
                if self.location.rewrite_log.uninitialized {
                    let name = self.http.slots.get(slot.0).map(|slot| slot.name.as_str());
                    let name = name.unwrap_or_default();
                    let text = format!("using uninitialized \"{name}\" variable");
                    self.log(Level::Warn, &text);
                }
                // As in nginx, it is empty from now on.
                self.set(slot, Some(Bytes::new()));
                Some(Bytes::new())
            }
            Definition::Captured => None,
            Definition::Map(number) => {
                let map = self.http.maps.get(number)?;
                let value = map::look_up(self, map);
                if !map.volatile {
                    self.set(slot, Some(value.clone()));
                }
                Some(value)
            }
            Definition::SplitClients(number) => {
                let split = self.http.splits.get(number)?;
                let text = self.render(&split.source);
                let value = split.get(&text);
                self.set(slot, Some(value.clone()));
                Some(value)
            }
            Definition::Geo(number) => {
                let geo = self.http.geos.get(number)?;
                let value = geo::look_up(self, geo);
                self.set(slot, Some(value.clone()));
                Some(value)
            }
        }
    }

    fn named(&self, source: Source, name: &str) -> Option<Bytes> {
        match source {
            Source::Http => joined(&self.request.headers, name),
            Source::SentHttp => response::sent_field(&self.sent, name),
            Source::UpstreamHttp => joined(&self.upstream_headers, name),
            Source::UpstreamCookie => upstream::cookie(self, name),
            Source::Arg => request::argument(self, name),
            Source::Cookie => request::cookie(self, name),
            Source::ProxyProtocolTlv => {
                self.connection.proxy_protocol.as_ref().and_then(|said| said.value(name))
            }
            Source::SentTrailer => {
                let fields = self.sent.trailers()?;
                joined(&fields.borrow(), name)
            }
            Source::UpstreamTrailer => None,
        }
    }

    /// Of a request line that could not be read there is no path at all.
    fn path(&self) -> Option<Bytes> {
        let is_unknown = self.uri.is_empty() && self.request.target.is_empty();
        (!is_unknown).then(|| self.uri.clone())
    }

    fn builtin(&mut self, builtin: Builtin) -> Option<Bytes> {
        use Builtin as B;
        match builtin {
            B::Args | B::QueryString => self.args.clone(),
            B::Uri | B::DocumentUri => self.path(),
            B::RemoteUser => user::remote_user(&self.request.headers),
            B::BinaryRemoteAddr
            | B::Connection
            | B::ConnectionRequests
            | B::ConnectionTime
            | B::ConnectionsActive
            | B::ConnectionsReading
            | B::ConnectionsWaiting
            | B::ConnectionsWriting
            | B::Hostname
            | B::Https
            | B::NginxVersion
            | B::Pid
            | B::ProxyProtocolAddr
            | B::ProxyProtocolPort
            | B::ProxyProtocolServerAddr
            | B::ProxyProtocolServerPort
            | B::RealipRemoteAddr
            | B::RealipRemotePort
            | B::RemoteAddr
            | B::RemotePort
            | B::Scheme
            | B::ServerAddr
            | B::ServerName
            | B::ServerPort => connection::value(self, builtin),
            B::BodyBytesSent
            | B::BytesSent
            | B::GzipRatio
            | B::LimitConnStatus
            | B::LimitRate
            | B::LimitReqStatus
            | B::Pipe
            | B::RequestCompletion
            | B::Status => response::value(self, builtin),
            B::DateGmt
            | B::DateLocal
            | B::Msec
            | B::RequestTime
            | B::TimeIso8601
            | B::TimeLocal => time::value(self, builtin),
            B::ProxyAddXForwardedFor
            | B::ProxyHost
            | B::ProxyPort
            | B::UpstreamAddr
            | B::UpstreamLastAddr
            | B::UpstreamBytesReceived
            | B::UpstreamBytesSent
            | B::UpstreamConnectTime
            | B::UpstreamError
            | B::UpstreamHeaderTime
            | B::UpstreamResponseLength
            | B::UpstreamResponseTime
            | B::UpstreamStatus => upstream::value(self, builtin),
            _ => self.of_a_module(builtin),
        }
    }

    /// The variables of the smaller modules; the request's own are what is left.
    fn of_a_module(&mut self, builtin: Builtin) -> Option<Bytes> {
        use Builtin as B;
        match builtin {
            B::InvalidReferer => Some(referer::invalid(self)),
            B::SecureLink => secure_link::verdict(self),
            B::SecureLinkExpires => secure_link::expires(self),
            B::AncientBrowser | B::ModernBrowser | B::Msie => browser::value(self, builtin),
            B::FastcgiPathInfo => Some(fastcgi::path_info(self)),
            B::FastcgiScriptName => Some(fastcgi::script_name(self)),
            B::SliceRange => self.slice_range(),
            B::UidGot => self.uid_got(),
            B::UidSet => self.uid_set(),
            B::TcpinfoRcvSpace | B::TcpinfoRtt | B::TcpinfoRttvar | B::TcpinfoSndCwnd => {
                connection::value(self, builtin)
            }
            B::SslAlpnProtocol
            | B::SslCipher
            | B::SslCiphers
            | B::SslClientCert
            | B::SslClientEscapedCert
            | B::SslClientFingerprint
            | B::SslClientIDn
            | B::SslClientIDnLegacy
            | B::SslClientRawCert
            | B::SslClientSDn
            | B::SslClientSDnLegacy
            | B::SslClientSerial
            | B::SslClientVEnd
            | B::SslClientVRemain
            | B::SslClientVStart
            | B::SslClientVerify
            | B::SslCurve
            | B::SslCurves
            | B::SslEarlyData
            | B::SslProtocol
            | B::SslServerName
            | B::SslSessionReused
            | B::SslClientSigalg
            | B::SslSessionId
            | B::SslSigalg
            | B::SslSigalgs => ssl::value(self, builtin),
            _ => request::value(self, builtin),
        }
    }
}

/// The values of all fields whose name, in lower case and with `_` for `-`, is `name`; several are
/// joined as in a list, cookies as in a `Cookie`.
fn joined(headers: &Headers, name: &str) -> Option<Bytes> {
    // A name that ends in a hyphen, which is `_` here, has another bit.
    if !name.ends_with('_') && !name.starts_with('_') && !headers.may_hold(name.as_bytes()) {
        return None;
    }
    let mut values = headers.iter().filter(|header| is_named(&header.name, name));
    let first = values.next()?;
    let Some(second) = values.next() else { return Some(first.value.clone()) };
    let separator: &[u8] = if name == "cookie" { b"; " } else { b", " };
    let mut out = first.value.to_vec();
    for header in std::iter::once(second).chain(values) {
        out.extend_from_slice(separator);
        out.extend_from_slice(&header.value);
    }
    Some(out.into())
}

fn is_named(header: &[u8], name: &str) -> bool {
    let lower = |byte: &u8| if *byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    header.len() == name.len() && header.iter().map(lower).eq(name.bytes())
}

/// A number as text.
fn number(number: impl itoa::Integer) -> Bytes {
    Bytes::copy_from_slice(itoa::Buffer::new().format(number).as_bytes())
}

/// A time in seconds with three places.
fn seconds(time: std::time::Duration) -> Bytes {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_variable_names_and_joined() {
        let mut headers = Headers::new();
        headers.push("X-One_Two", "1");
        headers.push("Cookie", "a=1");
        headers.push("cookie", "b=2");
        headers.push("x-one-two", "3");
        assert_eq!(joined(&headers, "x_one_two").unwrap(), "1, 3");
        assert_eq!(joined(&headers, "cookie").unwrap(), "a=1; b=2");
        assert_eq!(joined(&headers, "x_one"), None);
    }
}

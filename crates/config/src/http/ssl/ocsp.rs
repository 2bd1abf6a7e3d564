//! `ssl_ocsp`, `ssl_stapling`: what authorities say of certificates, and who is asked.

use crate::directive::{Arguments, Cx, Fault};
use crate::names::zone::{SMALLEST, ZoneUse};
use crate::value::Value;
use crate::value::choice::choice;
use crate::value::size::Size;

choice! {
    /// Which of a client's certificates are asked about.
    pub enum Ocsp {
        /// None.
        Off = "off",
        /// All of the chain.
        On = "on",
        /// The client's own.
        Leaf = "leaf",
    }
}

/// Who is asked, by plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responder {
    /// The host: a name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path.
    pub path: String,
}

impl Responder {
    /// `http://host[:port][/path]`
    pub fn of(url: &str) -> Option<Self> {
        let scheme = url.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"))?;
        let rest = url.strip_prefix(scheme)?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, 80),
        };
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let whole = !host.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic());
        whole.then(|| Self { host: host.to_owned(), port, path: path.to_owned() })
    }

    /// The URL.
    pub fn url(&self) -> String {
        format!("http://{}:{}{}", self.host, self.port, self.path)
    }
}

impl Value for Responder {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        Self::of(&word.text).ok_or_else(|| {
            let text = format!("invalid URL prefix in OCSP responder \"{}\"", word.text);
            Fault::sentence(text).at(word.span).hint("write: http://host/path")
        })
    }
}

/// Where answers about clients' certificates are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcspCache {
    /// Nowhere.
    Off,
    /// In a zone that servers share.
    Shared {
        /// Its name.
        name: String,
        /// How large it is, in bytes.
        size: Size,
    },
}

impl Value for OcspCache {
    /// nginx: `ngx_http_ssl_ocsp_cache`
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if word.text == "off" {
            return Ok(Self::Off);
        }
        let said = word.text.strip_prefix("shared:").and_then(|rest| rest.split_once(':'));
        let read = said.and_then(|(name, size)| Some((name, Size::parse(size)?)));
        let Some((name, size)) = read.filter(|(name, _)| !name.is_empty()) else {
            return Err(Fault::sentence(format!("invalid OCSP cache \"{}\"", word.text))
                .at(word.span)
                .hint("write: ssl_ocsp_cache shared:ocsp:10m;"));
        };
        if size.0 < SMALLEST {
            let text = format!("OCSP cache \"{}\" is too small", word.text);
            return Err(Fault::sentence(text).at(word.span).hint("32k is the least"));
        }
        cx.names.zones.define(ZoneUse::Statuses, name, size.0, word.span)?;
        Ok(Self::Shared { name: name.to_owned(), size })
    }
}

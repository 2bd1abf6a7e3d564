//! The URL that is asked about.

use std::net::IpAddr;

use anyhow::{Result, anyhow, bail};

/// A URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// Whether it is `https`.
    pub(super) tls: bool,
    /// Host, and port where it is written.
    pub(super) authority: String,
    /// The host.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
    /// Path and query.
    pub(super) target: String,
}

impl Url {
    /// Takes apart `[http[s]://]host[:port][/path][?query]`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some((scheme, _)) => bail!("\"{scheme}\" is neither http nor https"),
            None => (false, text),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(cut);
        let slash = if target.starts_with('/') { "" } else { "/" };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().map_err(|_| anyhow!("\"{port}\" is no port"))?;
                (host, port)
            }
            _ => (authority, if tls { 443 } else { 80 }),
        };
        if host.is_empty() || authority.contains(|c: char| c.is_ascii_control() || c == ' ') {
            bail!("\"{text}\" names no host");
        }
        Ok(Self {
            tls,
            authority: authority.to_owned(),
            host: host.to_owned(),
            port,
            target: format!("{slash}{target}").replace(' ', "%20"),
        })
    }

    /// As it is asked for.
    pub(super) fn text(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.target)
    }

    /// The host as an address, where it is one.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_a_host_a_port_and_a_target() {
        let of = |text: &str| {
            let url = Url::parse(text).unwrap();
            (url.tls, url.host, url.port, url.target)
        };
        assert_eq!(of("https://a.example/x?y#z"), (true, "a.example".into(), 443, "/x?y".into()));
        assert_eq!(of("a.example:8080?q"), (false, "a.example".into(), 8080, "/?q".into()));
        assert_eq!(of("http://[::1]/"), (false, "[::1]".into(), 80, "/".into()));
        assert_eq!(of("http://[::1]:81"), (false, "[::1]".into(), 81, "/".into()));
        assert!(Url::parse("ftp://a/").is_err() && Url::parse("/x").is_err());
    }
}

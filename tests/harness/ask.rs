//! A request in a line: `"/path"`, `"HEAD /x | Host: a"`, `"POST /x | X-A: b || body"`.

/// A request, its bytes and where it goes.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The port of the configuration, where it is not the first.
    pub port: Option<u16>,
    /// How a handshake is to be made first, in the notation of [`Handshakes`]; none without TLS.
    ///
    /// [`Handshakes`]: super::handshake::Handshakes
    pub tls: Option<String>,
    /// The method, which decides how an answer ends.
    pub method: String,
    /// What is sent.
    pub bytes: Vec<u8>,
    /// Whether the bytes were written out as such (they may hold several requests, or none).
    pub raw: bool,
    /// Whether the client ends its side behind them.
    pub ends: bool,
}

impl Ask {
    /// Reads the notation.
    ///
    /// `@8081 ` in front names another port, `~a.test ` behind it asks for that name over TLS. Text with a CR is
    /// sent as it is, and so is text that ends with `⊣`, behind which the client ends its side. A bare path is asked
    /// for by GET. Fields follow after ` | `; `Host: localhost` comes first unless a Host is given
    /// (`Host: -` sends none). A body follows after ` || `, and its length is sent where neither
    /// Content-Length nor Transfer-Encoding is given. The version is HTTP/1.1 unless said.
    pub fn of(text: &str) -> Self {
        let (port, text) = match text.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
            Some((port, rest)) => (Some(port.parse().expect("a port")), rest),
            None => (None, text),
        };
        let (tls, text) = match text.strip_prefix('~').and_then(|rest| rest.split_once(' ')) {
            Some((tls, rest)) => (Some(tls.to_owned()), rest),
            None => (None, text),
        };
        let method = text.split(' ').next().unwrap_or_default();
        let (text, ends) = text.strip_suffix('⊣').map_or((text, false), |text| (text, true));
        if ends || text.contains('\r') {
            let method = method.to_owned();
            return Self { port, tls, method, bytes: text.into(), raw: true, ends };
        }
        let (head, body) = match text.split_once(" || ") {
            Some((head, body)) => (head, Some(body)),
            None => (text, None),
        };
        let mut parts = head.split(" | ");
        let line = parts.next().unwrap_or_default();
        let method = if line.starts_with('/') { "GET" } else { method };
        let line = if line.starts_with('/') { format!("GET {line}") } else { line.to_owned() };
        let version = if line.contains(" HTTP/") { "" } else { " HTTP/1.1" };
        let mut out = format!("{line}{version}\r\n");
        let fields: Vec<&str> = parts.collect();
        let has = |name: &str| fields.iter().any(|f| f.to_ascii_lowercase().starts_with(name));
        if !has("host:") {
            out += "Host: localhost\r\n";
        }
        for field in fields.iter().filter(|field| **field != "Host: -") {
            out += &format!("{field}\r\n");
        }
        if let Some(body) = body.filter(|_| !has("content-length:") && !has("transfer-encoding:")) {
            out += &format!("Content-Length: {}\r\n", body.len());
        }
        out += "\r\n";
        out += &body.unwrap_or_default().replace("\\r\\n", "\r\n");
        Self { port, tls, method: method.to_owned(), bytes: out.into(), raw: false, ends: false }
    }
}

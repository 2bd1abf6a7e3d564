//! An answer as it came, and what a test says of it.

/// A parsed answer; its header fields are in their order and spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `HTTP/1.1 200 OK`.
    pub status_line: String,
    /// The status code.
    pub status: u16,
    /// Names and values.
    pub fields: Vec<(String, String)>,
    /// The body, its chunks joined.
    pub body: Vec<u8>,
}

/// Why bytes are no answer.
#[derive(Debug)]
pub enum Ending {
    /// The head cannot be read.
    BadHead,
    /// A chunk cannot be read.
    BadChunk,
    /// The connection ended within a body.
    CutShort,
}

impl Answer {
    /// Reads the first answer of the bytes, and how long it is; `None` while bytes are missing.
    pub fn parse(bytes: &[u8], method: &str, ended: bool) -> Result<Option<(Self, usize)>, Ending> {
        let Some(head) = find(bytes, b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let mut lines = text.split("\r\n");
        let status_line = lines.next().unwrap_or_default().to_owned();
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status: u16 = status.ok_or(Ending::BadHead)?;
        let fields = lines
            .map(|line| line.split_once(": ").or_else(|| line.split_once(':')))
            .map(|field| field.map(|(name, value)| (name.to_owned(), value.to_owned())))
            .collect::<Option<Vec<_>>>()
            .ok_or(Ending::BadHead)?;
        let mut answer = Self { status_line, status, fields, body: Vec::new() };
        let start = head + 4;
        let rest = &bytes[start..];
        let has_none = method == "HEAD" || status < 200 || status == 204 || status == 304;
        let length = if has_none {
            Some(0)
        } else if answer.field("Transfer-Encoding").is_some_and(|v| v == "chunked") {
            let chunks = chunks(rest)?;
            let length = chunks.as_ref().map(|(_, length)| *length);
            answer.body = chunks.map(|(body, _)| body).unwrap_or_default();
            return match length {
                None if ended => Err(Ending::CutShort),
                length => Ok(length.map(|length| (answer, start + length))),
            };
        } else if let Some(length) = answer.field("Content-Length") {
            let length: usize = length.parse().map_err(|_| Ending::BadHead)?;
            if rest.len() < length && ended {
                return Err(Ending::CutShort);
            }
            (rest.len() >= length).then_some(length)
        } else {
            ended.then_some(rest.len())
        };
        Ok(length.map(|length| {
            rest[..length].clone_into(&mut answer.body);
            (answer, start + length)
        }))
    }

    /// The first value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All values of a header field.
    pub fn fields(&self, name: &str) -> Vec<&str> {
        let fields = self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// It has this status.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:#?}\n{}", self.text());
        self
    }

    /// Its body is this.
    #[track_caller]
    pub fn says(&self, body: impl AsRef<[u8]>) -> &Self {
        assert_eq!(self.text(), String::from_utf8_lossy(body.as_ref()), "{self:?}");
        self
    }

    /// Its body holds this.
    #[track_caller]
    pub fn mentions(&self, words: &str) -> &Self {
        assert!(self.text().contains(words), "no {words:?} in {}", self.text());
        self
    }

    /// It has this header field with this value.
    #[track_caller]
    pub fn has(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.field(name), Some(value), "{name} of {self:#?}");
        self
    }

    /// It has no such header field.
    #[track_caller]
    pub fn lacks(&self, name: &str) -> &Self {
        assert_eq!(self.field(name), None, "{name} of {self:#?}");
        self
    }

    /// Whether the connection may be used again.
    pub fn keeps_alive(&self) -> bool {
        let connection = self.field("Connection").unwrap_or_default().to_ascii_lowercase();
        let persistent = self.status_line.starts_with("HTTP/1.1");
        if persistent { connection != "close" } else { connection == "keep-alive" }
    }
}

/// Joins the chunks of a body, and says how long they were; `None` while bytes are missing.
pub fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Ending> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(end) = find(&bytes[at..], b"\r\n") else {
            return Ok(None);
        };
        let line = String::from_utf8_lossy(&bytes[at..at + end]);
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).map_err(|_| Ending::BadChunk)?;
        at += end + 2;
        if size == 0 {
            if bytes[at..].starts_with(b"\r\n") {
                return Ok(Some((body, at + 2)));
            }
            let trailer = find(&bytes[at..], b"\r\n\r\n");
            return Ok(trailer.map(|end| (body, at + end + 4)));
        }
        let Some(data) = bytes.get(at..at + size + 2) else {
            return Ok(None);
        };
        let Some(data) = data.strip_suffix(b"\r\n") else {
            return Err(Ending::BadChunk);
        };
        body.extend_from_slice(data);
        at += size + 2;
    }
}

/// Where these bytes first are.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

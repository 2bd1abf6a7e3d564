//! A command of a page: its name and its parameters (nginx: `ngx_http_ssi_parse`).

/// The longest name of a command or a parameter, in bytes.
const LONGEST_NAME: usize = 32;

/// The most parameters.
const MOST: usize = 16;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// Its name.
    pub(super) name: String,
    parameters: Vec<(String, Vec<u8>)>,
}

impl Command {
    /// Reads a command with its beginning and its end; an error says what is wrong with it.
    pub(super) fn parse(text: &[u8], value_length: usize) -> Result<Self, String> {
        let inner = text.strip_prefix(b"<!--#").and_then(|text| text.strip_suffix(b"-->"));
        let mut rest = Cursor(inner.unwrap_or_default().trim_ascii_start());
        let name = rest.name();
        if name.is_empty() {
            return Err("invalid SSI command".into());
        }
        if name.len() > LONGEST_NAME {
            return Err(format!("the \"{name}...\" SSI command is too long"));
        }
        let mut parameters: Vec<(String, Vec<u8>)> = Vec::new();
        loop {
            rest.spaces();
            if rest.0.is_empty() {
                return Ok(Self { name, parameters });
            }
            let parameter = rest.name();
            if parameter.is_empty() {
                return Err(format!("invalid parameter in \"{name}\" SSI command"));
            }
            if parameter.len() > LONGEST_NAME {
                return Err(format!(
                    "too long \"{parameter}...\" parameter in \"{name}\" SSI command"
                ));
            }
            if parameters.len() == MOST {
                return Err(format!("too many \"{name}\" SSI command parameters"));
            }
            rest.spaces();
            if !rest.take(b'=') {
                return Err(format!(
                    "no value of \"{parameter}\" parameter in \"{name}\" SSI command"
                ));
            }
            rest.spaces();
            let Some(value) = rest.quoted() else {
                return Err(format!(
                    "unquoted value of \"{parameter}\" parameter in \"{name}\" SSI command"
                ));
            };
            if value.len() > value_length {
                return Err(format!(
                    "too long value of \"{parameter}\" parameter in \"{name}\" SSI command"
                ));
            }
            parameters.push((parameter, value));
        }
    }

    /// The value of a parameter; the last of several.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.parameters.iter().rev();
        all.find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// The name of a parameter that stands twice.
    pub(super) fn twice(&self) -> Option<&str> {
        let mut names = self.parameters.iter().map(|(name, _)| name.as_str()).enumerate();
        names.find_map(|(place, name)| {
            let before = self.parameters.iter().take(place);
            before.into_iter().any(|(known, _)| known == name).then_some(name)
        })
    }

    /// The name of a parameter that is none of these.
    pub(super) fn unknown(&self, known: &[&str]) -> Option<&str> {
        let mut names = self.parameters.iter().map(|(name, _)| name.as_str());
        names.find(|name| !known.contains(name))
    }
}

/// What is still to be read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn spaces(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }

    fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn name(&mut self) -> String {
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'\'');
        let end = self.0.iter().position(is_end).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at_checked(end).unwrap_or_default();
        self.0 = rest;
        String::from_utf8_lossy(name).into_owned()
    }

    /// A value in quotes. A backslash stays where it is, and takes its meaning from the next byte.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let (&quote, rest) = self.0.split_first()?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let mut value = Vec::new();
        let mut bytes = rest.iter().enumerate();
        while let Some((at, &byte)) = bytes.next() {
            match byte {
                b'\\' => {
                    let (_, &next) = bytes.next()?;
                    if !matches!(next, b'\\' | b'"' | b'\'') {
                        value.push(b'\\');
                    }
                    value.push(next);
                }
                byte if byte == quote => {
                    self.0 = rest.get(at + 1..)?;
                    return Some(value);
                }
                byte => value.push(byte),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Command, String> {
        Command::parse(format!("<!--#{text}-->").as_bytes(), 20)
    }

    #[test]
    fn parameters_are_quoted() {
        let command = parse(" echo  var=\"a b\" default = 'x\\'y' ").unwrap();
        assert_eq!((command.name.as_str(), command.get("var")), ("echo", Some(&b"a b"[..])));
        assert_eq!(command.get("default"), Some(&b"x'y"[..]));
        assert_eq!(command.unknown(&["var"]), Some("default"));
        assert_eq!(parse("else").unwrap().get("var"), None);
    }

    #[test]
    fn what_is_no_command_is_told() {
        for wrong in ["", " ", "echo var", "echo var=x", "echo var=\"x", "echo =\"x\""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&format!("echo var=\"{}\"", "x".repeat(21))).is_err());
        assert!(parse(&"x".repeat(33)).is_err());
        assert!(parse(&format!("x{}", " a=\"\"".repeat(17))).is_err());
    }
}

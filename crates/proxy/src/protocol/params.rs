//! The variables that an application is told, put down one after the other.

use bytes::Bytes;
use tidegate_config::http::uwsgi::Param;

/// Where variables are put down.
pub(crate) trait Params {
    /// Begins a variable: its name, and a field's name that becomes the rest of it.
    fn begin(&mut self, name: &[u8], field: &[u8]);

    /// Begins one that the configuration names.
    fn begin_known(&mut self, param: &Param) {
        self.begin(&param.name, b"");
    }

    /// Where the value goes of the one that was begun.
    fn value(&mut self) -> &mut Vec<u8>;

    /// Whether its value is empty so far.
    fn is_empty(&self) -> bool;

    /// Ends it.
    fn end(&mut self);

    /// Takes it back.
    fn forget(&mut self);
}

/// `X-Forwarded-For` as `X_FORWARDED_FOR`, behind what is there.
pub(super) fn put_field(field: &[u8], out: &mut Vec<u8>) {
    out.extend(field.iter().copied().map(variable_byte));
}

/// A byte of a field's name as it is in a variable's.
pub(crate) fn variable_byte(byte: u8) -> u8 {
    #[allow(clippy::indexing_slicing)] // while it is compiled
    const BYTES: [u8; 256] = {
        let mut bytes = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            bytes[byte] =
                if byte == b'-' as usize { b'_' } else { (byte as u8).to_ascii_uppercase() };
            byte += 1;
        }
        bytes
    };
    BYTES.get(usize::from(byte)).copied().unwrap_or(byte)
}

/// A list of names and values.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    list: Vec<(Bytes, Bytes)>,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Pairs {
    /// All of them, in order.
    pub(crate) fn into_list(self) -> Vec<(Bytes, Bytes)> {
        self.list
    }
}

impl Params for Pairs {
    fn begin(&mut self, name: &[u8], field: &[u8]) {
        self.name.extend_from_slice(name);
        put_field(field, &mut self.name);
    }

    fn value(&mut self) -> &mut Vec<u8> {
        &mut self.value
    }

    fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    fn end(&mut self) {
        let (name, value) = (std::mem::take(&mut self.name), std::mem::take(&mut self.value));
        self.list.push((name.into(), value.into()));
    }

    fn forget(&mut self) {
        self.name.clear();
        self.value.clear();
    }
}

//! Header fields in the order and the spelling they came in.

use bytes::Bytes;

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name as written; names are compared without regard to ASCII case.
    pub name: Bytes,
    /// The value, without the white space around it.
    pub value: Bytes,
}

/// A list of header fields (nginx: `ngx_list_t` of `ngx_table_elt_t`).
///
/// Order, repetition and spelling are kept, for they are seen by backends and clients.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    fields: Vec<Header>,
    /// A bit for every name that was ever added, so that most names that are not there are known
    /// to be none without a search.
    names: u64,
}

/// The bit of a name, whatever its case.
#[inline]
fn bit(name: &[u8]) -> u64 {
    let Some((first, last)) = name.first().zip(name.last()) else { return 1 };
    // Bit 5 is the case of a letter.
    let place = usize::from((first | 0x20) ^ (last | 0x20).rotate_left(2)) + 5 * name.len();
    1 << (place & 63)
}

impl Headers {
    /// A list without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// A list with room for `fields` fields.
    pub fn with_capacity(fields: usize) -> Self {
        Self { fields: Vec::with_capacity(fields), names: 0 }
    }

    /// Adds a field behind the others, whether or not one of its name is there.
    pub fn push(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let name = name.into();
        self.names |= bit(&name);
        self.fields.push(Header { name, value: value.into() });
    }

    /// Adds a field before the others.
    pub fn push_front(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let name = name.into();
        self.names |= bit(&name);
        self.fields.insert(0, Header { name, value: value.into() });
    }

    /// Removes the fields of this name, then adds this one.
    pub fn set(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let name = name.into();
        self.remove(&name);
        self.push(name, value);
    }

    /// Gives the first field of this name this value and removes the others; adds one behind all
    /// where there is none.
    pub fn replace(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let (name, mut value) = (name.into(), Some(value.into()));
        self.fields.retain_mut(|field| {
            let same = field.name.eq_ignore_ascii_case(&name);
            if same && let Some(value) = value.take() {
                field.value = value;
                return true;
            }
            !same
        });
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// Removes every field of this name.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        let name = name.as_ref();
        if !self.may_hold(name) {
            return;
        }
        self.fields.retain(|field| !field.name.eq_ignore_ascii_case(name));
    }

    /// Keeps the fields that `keep` approves of.
    pub fn retain(&mut self, keep: impl FnMut(&Header) -> bool) {
        self.fields.retain(keep);
    }

    /// Keeps the fields that `keep` approves of, and may change.
    pub fn retain_mut(&mut self, keep: impl FnMut(&mut Header) -> bool) {
        self.fields.retain_mut(keep);
        self.names = self.fields.iter().fold(0, |names, field| names | bit(&field.name));
    }

    /// Whether a field of this name may be there; where not, there is surely none.
    #[inline]
    pub(crate) fn may_hold(&self, name: &[u8]) -> bool {
        self.names & bit(name) != 0
    }

    /// The value of the first field of this name.
    #[inline]
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&Bytes> {
        let name = name.as_ref();
        if self.may_hold(name) { self.find(name) } else { None }
    }

    fn find(&self, name: &[u8]) -> Option<&Bytes> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|f| &f.value)
    }

    /// The values of all fields of this name, in order.
    pub fn all<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a Bytes> {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| &field.value)
    }

    /// Whether a field of this name is there.
    pub fn contains(&self, name: impl AsRef<[u8]>) -> bool {
        self.get(name).is_some()
    }

    /// The fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.fields.iter()
    }

    /// Takes all fields out; their memory stays.
    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.names = 0;
    }

    /// How many fields there is memory for.
    pub(crate) fn capacity(&self) -> usize {
        self.fields.capacity()
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for Headers {}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_compared_without_case_and_kept_as_written() {
        let mut headers = Headers::new();
        headers.push("X-One", "1");
        headers.push("x-ONE", "2");
        assert_eq!(headers.get("x-one").unwrap(), "1");
        assert_eq!(headers.all(b"X-one").count(), 2);
        headers.set("X-one", "3");
        assert_eq!(headers.len(), 1);
        assert_eq!(headers.iter().next().unwrap().name, "X-one");
    }

    proptest! {
        #[test]
        fn a_field_is_found_in_any_case(names in prop::collection::vec("[a-zA-Z_-]{0,4}", 0..8)) {
            let mut headers = Headers::new();
            for name in &names {
                headers.push(name.clone(), "x");
            }
            headers.retain_mut(|field| {
                field.name = field.name.to_ascii_uppercase().into();
                true
            });
            for name in &names {
                prop_assert!(headers.contains(name.to_ascii_lowercase()));
                prop_assert!(headers.contains(name.to_ascii_uppercase()));
            }
            for name in &names {
                headers.remove(name);
                prop_assert!(!headers.contains(name));
            }
        }
    }

    #[test]
    fn a_field_is_replaced_where_it_stands() {
        let mut headers = Headers::new();
        headers.push("A", "1");
        headers.push("B", "2");
        headers.push("a", "3");
        headers.replace("a", "4");
        headers.replace("C", "5");
        headers.push_front("D", "6");
        let text: Vec<_> = headers.iter().map(|f| (f.name.as_ref(), f.value.as_ref())).collect();
        let expected = [("D", "6"), ("A", "4"), ("B", "2"), ("C", "5")];
        assert_eq!(text, expected.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    }
}

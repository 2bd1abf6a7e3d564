//! The header fields of an answer that mean something to us, told apart by one look at a name.

use bytes::Bytes;

macro_rules! known {
    ($($field:ident = $name:literal,)*) => {
        /// A field that means something to us.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Known {
            $(#[doc = concat!("`", $name, "`")] $field,)*
        }

        impl Known {
            /// The usual spelling.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }
        }
    };
}

known! {
    ETag = "ETag",
    Date = "Date",
    XPad = "X-Pad",
    Status = "Status",
    Server = "Server",
    Expires = "Expires",
    Refresh = "Refresh",
    Location = "Location",
    Connection = "Connection",
    KeepAlive = "Keep-Alive",
    SetCookie = "Set-Cookie",
    ContentType = "Content-Type",
    LastModified = "Last-Modified",
    AcceptRanges = "Accept-Ranges",
    ContentRange = "Content-Range",
    ContentLength = "Content-Length",
    AccelExpires = "X-Accel-Expires",
    AccelCharset = "X-Accel-Charset",
    ContentEncoding = "Content-Encoding",
    AccelRedirect = "X-Accel-Redirect",
    TransferEncoding = "Transfer-Encoding",
    AccelBuffering = "X-Accel-Buffering",
    AccelLimitRate = "X-Accel-Limit-Rate",
}

impl Known {
    /// The field of this name, however it is spelled.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        // Names of one length are few.
        let candidates: &[Self] = match name.len() {
            4 => &[Self::Date, Self::ETag],
            5 => &[Self::XPad],
            6 => &[Self::Server, Self::Status],
            7 => &[Self::Expires, Self::Refresh],
            8 => &[Self::Location],
            10 => &[Self::Connection, Self::KeepAlive, Self::SetCookie],
            12 => &[Self::ContentType],
            13 => &[Self::LastModified, Self::AcceptRanges, Self::ContentRange],
            14 => &[Self::ContentLength],
            15 => &[Self::AccelExpires, Self::AccelCharset],
            16 => &[Self::ContentEncoding, Self::AccelRedirect],
            17 => &[Self::TransferEncoding, Self::AccelBuffering],
            18 => &[Self::AccelLimitRate],
            _ => &[],
        };
        let ends = |name: &[u8]| Some((name.first()? | 0x20, name.last()? | 0x20));
        let same = |known: &&Self| {
            let usual = known.name().as_bytes();
            ends(usual) == ends(name) && (usual == name || usual.eq_ignore_ascii_case(name))
        };
        candidates.iter().find(same).copied()
    }

    /// Whether it concerns the connection to the upstream; such a field is never let through.
    pub(crate) fn is_of_connection(self) -> bool {
        matches!(
            self,
            Self::Connection | Self::KeepAlive | Self::TransferEncoding | Self::ContentLength
        )
    }

    /// Whether it is for us alone.
    pub(crate) fn is_for_us(self) -> bool {
        matches!(
            self,
            Self::AccelExpires
                | Self::AccelRedirect
                | Self::AccelLimitRate
                | Self::AccelBuffering
                | Self::AccelCharset
        )
    }

    /// Whether the first one alone counts.
    pub(crate) fn is_single(self) -> bool {
        !self.is_of_connection() && !matches!(self, Self::XPad | Self::SetCookie)
    }

    /// A name as it was sent, which is shared with nobody where it is spelled as usual.
    pub(crate) fn spelled(known: Option<Self>, name: &[u8], within: &Bytes) -> Bytes {
        match known {
            Some(known) if known.name().as_bytes() == name => {
                Bytes::from_static(known.name().as_bytes())
            }
            _ => within.slice_ref(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_any_spelling_and_by_no_part_of_it() {
        let all = "ETag Date X-Pad Status Server Expires Refresh Location Connection Keep-Alive \
                   Set-Cookie Content-Type Last-Modified Accept-Ranges Content-Range \
                   Content-Length X-Accel-Expires X-Accel-Charset Content-Encoding \
                   X-Accel-Redirect Transfer-Encoding X-Accel-Buffering X-Accel-Limit-Rate";
        for name in all.split_whitespace() {
            let known = Known::of(name.to_lowercase().as_bytes()).unwrap();
            assert_eq!(known.name(), name);
            assert_eq!(Known::of(name.as_bytes()), Some(known));
            assert_eq!(Known::of(&name.as_bytes()[1..]), None);
        }
        assert_eq!(Known::of(b"Vary"), None);
    }

    #[test]
    fn a_name_stays_as_it_was_spelled() {
        let line = Bytes::from_static(b"DATE: now");
        let known = Known::of(&line[..4]);
        assert_eq!(Known::spelled(known, &line[..4], &line), "DATE");
        assert_eq!(Known::spelled(known, b"Date", &line), "Date");
    }
}

//! The header fields of an answer that mean something to us, told apart by one look at a name.

use bytes::Bytes;

macro_rules! known {
    ($($field:ident = $name:literal,)*) => {
        /// A field that means something to us.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Known {
            $(#[doc = concat!("`", stringify!($field), "`")] $field,)*
        }

        impl Known {
            /// The usual spelling.
            const fn name(self) -> &'static [u8] {
                match self {
                    $(Self::$field => $name,)*
                }
            }

            /// Whether a name is spelled so. The length of each is known here, so that nobody is
            /// called to compare them.
            fn is_spelled(self, name: &[u8]) -> bool {
                match self {
                    $(Self::$field => name == $name,)*
                }
            }
        }
    };
}

known! {
    ETag = b"ETag",
    Date = b"Date",
    XPad = b"X-Pad",
    Status = b"Status",
    Server = b"Server",
    Expires = b"Expires",
    Refresh = b"Refresh",
    Location = b"Location",
    Connection = b"Connection",
    KeepAlive = b"Keep-Alive",
    SetCookie = b"Set-Cookie",
    ContentType = b"Content-Type",
    LastModified = b"Last-Modified",
    AcceptRanges = b"Accept-Ranges",
    ContentRange = b"Content-Range",
    ContentLength = b"Content-Length",
    AccelExpires = b"X-Accel-Expires",
    AccelCharset = b"X-Accel-Charset",
    ContentEncoding = b"Content-Encoding",
    AccelRedirect = b"X-Accel-Redirect",
    TransferEncoding = b"Transfer-Encoding",
    AccelBuffering = b"X-Accel-Buffering",
    AccelLimitRate = b"X-Accel-Limit-Rate",
}

impl Known {
    /// The field of this name, however it is spelled.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        // Length and both ends tell them apart.
        let known = match (name.len(), name.first()? | 0x20, name.last()? | 0x20) {
            (4, b'd', b'e') => Self::Date,
            (4, b'e', b'g') => Self::ETag,
            (5, b'x', b'd') => Self::XPad,
            (6, b's', b'r') => Self::Server,
            (6, b's', b's') => Self::Status,
            (7, b'e', b's') => Self::Expires,
            (7, b'r', b'h') => Self::Refresh,
            (8, b'l', b'n') => Self::Location,
            (10, b'c', b'n') => Self::Connection,
            (10, b'k', b'e') => Self::KeepAlive,
            (10, b's', b'e') => Self::SetCookie,
            (12, b'c', b'e') => Self::ContentType,
            (13, b'l', b'd') => Self::LastModified,
            (13, b'a', b's') => Self::AcceptRanges,
            (13, b'c', b'e') => Self::ContentRange,
            (14, b'c', b'h') => Self::ContentLength,
            (15, b'x', b's') => Self::AccelExpires,
            (15, b'x', b't') => Self::AccelCharset,
            (16, b'c', b'g') => Self::ContentEncoding,
            (16, b'x', b't') => Self::AccelRedirect,
            (17, b't', b'g') => Self::TransferEncoding,
            (17, b'x', b'g') => Self::AccelBuffering,
            (18, b'x', b'e') => Self::AccelLimitRate,
            _ => return None,
        };
        let is_known = known.is_spelled(name) || known.name().eq_ignore_ascii_case(name);
        is_known.then_some(known)
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
            Some(known) if known.is_spelled(name) => Bytes::from_static(known.name()),
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
            assert_eq!(known.name(), name.as_bytes());
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

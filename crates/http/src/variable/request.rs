//! Variables of the request.

use std::ffi::OsStr;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use bytes::Bytes;
use http::Method;
use tidegate_config::variable::Builtin;

use super::number;
use crate::client::Kept;
use crate::exchange::Exchange;
use crate::head::Version;

pub(super) fn value(ex: &mut Exchange<'_>, builtin: Builtin) -> Option<Bytes> {
    let request = &ex.request;
    match builtin {
        // A chunked body has a length once it was read.
        Builtin::ContentLength => request.headers.get("Content-Length").cloned().or_else(|| {
            request
                .content_length
                .map(|length| itoa::Buffer::new().format(length).to_owned().into())
        }),
        Builtin::ContentType => super::joined(&request.headers, "content_type"),
        Builtin::DocumentRoot => Some(ex.document_root()),
        Builtin::Host => Some(match &request.host {
            Some(host) => host.clone(),
            None => Bytes::copy_from_slice(ex.server.name().as_bytes()),
        }),
        Builtin::Http2 => (request.version == Version::Http2)
            .then(|| if ex.connection.is_encrypted() { "h2" } else { "h2c" }.into()),
        Builtin::IsArgs => {
            let any = ex.args.as_ref().is_some_and(|args| !args.is_empty());
            Some(if any { "?" } else { "" }.into())
        }
        Builtin::IsRequestPort => Some(if request.port.is_some() { ":" } else { "" }.into()),
        Builtin::RequestPort => Some(request.port.map(number).unwrap_or_default()),
        Builtin::RealpathRoot => {
            let root = ex.document_root();
            let path = std::path::Path::new(OsStr::from_bytes(&root));
            let real = std::fs::canonicalize(path).ok()?;
            Some(real.into_os_string().into_vec().into())
        }
        // Of a head without a line, there is none where its fields were bad.
        Builtin::Request if request.version == Version::Http2 => {
            Some(&request.line).filter(|line| !line.is_empty()).cloned()
        }
        Builtin::Request => Some(request.line.clone()),
        Builtin::RequestBody => match ex.body.kept() {
            Kept::Memory(bytes) => Some(bytes).filter(|bytes| !bytes.is_empty()),
            Kept::File(_) | Kept::Nowhere => None,
        },
        Builtin::RequestBodyFile => match ex.body.kept() {
            Kept::File(path) => Some(path.into_os_string().into_vec().into()),
            Kept::Memory(_) | Kept::Nowhere => None,
        },
        Builtin::RequestFilename => ex.file_path(),
        Builtin::RequestId => Some(id(ex)),
        Builtin::RequestLength => Some(number(request.length + ex.body_received)),
        // Of a line that could not be read, until `error_page` makes it a GET.
        Builtin::RequestMethod
            if request.length == 0 && !ex.internal && request.version < Version::Http2 =>
        {
            None
        }
        Builtin::RequestMethod => {
            // Of a subrequest, the one of the request it is made for.
            let method = if ex.subrequest { &request.method } else { &ex.method };
            Some(match *method {
                Method::GET => Bytes::from_static(b"GET"),
                Method::POST => Bytes::from_static(b"POST"),
                Method::HEAD => Bytes::from_static(b"HEAD"),
                ref method => Bytes::copy_from_slice(method.as_str().as_bytes()),
            })
        }
        Builtin::RequestUri => Some(&request.target).filter(|text| !text.is_empty()).cloned(),
        Builtin::ServerProtocol => Some(&request.protocol).filter(|text| !text.is_empty()).cloned(),
        _ => None,
    }
}

/// `$arg_…`: the first argument of this name, as sent (nginx: `ngx_http_arg`).
pub(super) fn argument(ex: &Exchange<'_>, name: &str) -> Option<Bytes> {
    let args = ex.args.as_ref()?;
    let mut parts = args.split(|&byte| byte == b'&');
    let value = parts.find_map(|part| {
        let (key, value) = part.split_at_checked(name.len())?;
        let same = key.eq_ignore_ascii_case(name.as_bytes());
        value.strip_prefix(b"=").filter(|_| same)
    })?;
    Some(args.slice_ref(value))
}

/// `$cookie_…`: the first cookie of this name (nginx: `ngx_http_parse_multi_header_lines`).
pub(super) fn cookie(ex: &Exchange<'_>, name: &str) -> Option<Bytes> {
    ex.request.headers.all(b"Cookie").find_map(|cookies| cookie_of(cookies, name))
}

fn cookie_of(cookies: &Bytes, name: &str) -> Option<Bytes> {
    let mut rest = cookies.as_ref();
    while !rest.is_empty() {
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        if let Some((key, value)) = rest.get(..end)?.split_at_checked(name.len())
            && key.eq_ignore_ascii_case(name.as_bytes())
            && let Some(value) = skip_spaces(value).strip_prefix(b"=")
        {
            return Some(cookies.slice_ref(skip_spaces(value)));
        }
        let next = memchr::memchr2(b';', b',', rest).map_or(rest.len(), |at| at + 1);
        rest = skip_spaces(rest.get(next..).unwrap_or_default());
    }
    None
}

fn skip_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|&&byte| byte == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

/// 32 digits that no other request has.
fn id(ex: &mut Exchange<'_>) -> Bytes {
    let new = || {
        let random = || RandomState::new().build_hasher().finish();
        Bytes::from(format!("{:016x}{:016x}", random(), random()))
    };
    ex.id.get_or_insert_with(new).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let find =
            |cookies: &'static str, name| cookie_of(&Bytes::from_static(cookies.as_bytes()), name);
        assert_eq!(find("a=1; b=2", "b").unwrap(), "2");
        assert_eq!(find("ab=1; B = 2;c", "b").unwrap(), "2");
        assert_eq!(find("a=x,b=2", "a").unwrap(), "x,b=2");
        assert_eq!(find("a=x, b=2", "b").unwrap(), "2");
        assert_eq!(find("a=", "a").unwrap(), "");
        assert_eq!(find("a; b", "a"), None);
    }
}

//! The pages for errors and redirects that nobody else has written.

use bytes::Bytes;

use crate::status;

/// The text of nginx's page for a status, signed by `server`; `None` for codes it has no page for.
pub fn page(status: u16, server: &[u8]) -> Option<Bytes> {
    let more = match status {
        494 => "Request Header Or Cookie Too Large",
        495 => "The SSL certificate error",
        496 => "No required SSL certificate was sent",
        497 => "The plain HTTP request was sent to HTTPS port",
        _ => "",
    };
    let words = match status {
        302 => "Found",
        401 => "Authorization Required",
        494..=497 => "Bad Request",
        300.. => status::reason(status),
        _ => "",
    };
    if words.is_empty() || status == 304 {
        return None;
    }
    let code = status::on_wire(status);
    let title = if more.is_empty() { words } else { more };
    let centered =
        if more.is_empty() { String::new() } else { format!("<center>{more}</center>\r\n") };
    let page = format!(
        "<html>\r\n<head><title>{code} {title}</title></head>\r\n\
         <body>\r\n<center><h1>{code} {words}</h1></center>\r\n{centered}<hr><center>"
    );
    let mut page = page.into_bytes();
    page.extend_from_slice(server);
    page.extend_from_slice(b"</center>\r\n</body>\r\n</html>\r\n");
    Some(page.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_nginxs_to_the_byte() {
        assert_eq!(
            page(404, b"tidegate/1.0").unwrap(),
            "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n\
             <center><h1>404 Not Found</h1></center>\r\n<hr><center>tidegate/1.0</center>\r\n\
             </body>\r\n</html>\r\n"
        );
        assert_eq!(
            page(497, b"tidegate").unwrap(),
            "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title>\
             </head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n\
             <center>The plain HTTP request was sent to HTTPS port</center>\r\n\
             <hr><center>tidegate</center>\r\n</body>\r\n</html>\r\n"
        );
        let lengths = [301, 302, 400, 404].map(|code| page(code, b"nginx/1.31.3").unwrap().len());
        assert_eq!(lengths, [169, 145, 157, 153]);
        assert_eq!(page(200, b""), None);
        assert_eq!(page(304, b""), None);
        assert_eq!(page(418, b""), None);
    }
}

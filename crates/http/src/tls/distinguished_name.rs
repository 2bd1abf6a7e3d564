//! Names of people and authorities as text (RFC 2253).

use std::fmt::Write;

use x509_parser::der_parser::asn1_rs::Oid;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// `CN=example.com,O=Example,C=US`: the last part first, as OpenSSL's `XN_FLAG_RFC2253` writes it.
pub fn text(name: &X509Name<'_>) -> String {
    let parts: Vec<String> =
        name.iter().map(|part| part.iter().map(attribute).collect::<Vec<_>>().join("+")).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// `/C=US/O=Example/CN=example.com`: the first part first, as OpenSSL's `X509_NAME_oneline` writes it.
pub fn line(name: &X509Name<'_>) -> String {
    let mut out = String::new();
    for part in name.iter() {
        for (place, attribute) in part.iter().enumerate() {
            out.push(if place == 0 { '/' } else { '+' });
            out.push_str(&short_name(attribute.attr_type()));
            out.push('=');
            for byte in attribute.attr_value().data {
                match byte {
                    b'/' | b'+' => out.extend(['\\', char::from(*byte)]),
                    b' '..=b'~' => out.push(char::from(*byte)),
                    other => drop(write!(out, "\\x{other:02X}")),
                }
            }
        }
    }
    out
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let mut out = short_name(attribute.attr_type());
    out.push('=');
    out.push_str(&escaped(&value(attribute)));
    out
}

fn value(attribute: &AttributeTypeAndValue<'_>) -> Vec<u8> {
    let content = attribute.attr_value().data;
    match attribute.attr_value().tag().0 {
        // BMPString: two bytes a character.
        30 => {
            let units = content.chunks_exact(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            });
            String::from_utf16_lossy(&units.collect::<Vec<_>>()).into_bytes()
        }
        // T61String, which everybody takes for Latin 1.
        20 => content.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes(),
        _ => content.to_vec(),
    }
}

/// RFC 2253, section 2.4; bytes that are no ASCII are written as `\C3`, as OpenSSL does.
fn escaped(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    for (place, byte) in value.iter().enumerate() {
        let first = place == 0;
        let last = place + 1 == value.len();
        match byte {
            b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b'#' if first => out.push_str("\\#"),
            b' ' if first || last => out.push_str("\\ "),
            b' '..=b'~' => out.push(char::from(*byte)),
            other => drop(write!(out, "\\{other:02X}")),
        }
    }
    out
}

/// OpenSSL's short names; the number of one it does not know.
fn short_name(oid: &Oid<'_>) -> String {
    let number = oid.to_id_string();
    let known = match number.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.41" => "name",
        "2.5.4.42" => "GN",
        "2.5.4.43" => "initials",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.97" => "organizationIdentifier",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        _ => return number,
    };
    known.to_owned()
}

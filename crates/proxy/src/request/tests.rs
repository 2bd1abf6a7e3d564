//! What of a request is sent on.

use tidegate_config::value::template::Template;

use super::*;
use crate::protocol::params::Pairs;

fn fields(lines: &[(&'static str, &'static str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in lines {
        headers.push(*name, *value);
    }
    headers
}

/// As a protocol of HTTP is given them.
fn asked(set: &[(&'static str, &'static str)], client: &Headers, length: Length) -> Request {
    let field = |&(name, value): &(&'static str, &'static str)| Field {
        name: name.into(),
        value: Template::text(value),
    };
    let set_header: Vec<Field> = set.iter().map(field).collect();
    let values = set.iter().map(|&(_, value)| value.into());
    let set: Vec<(&Bytes, Bytes)> =
        set_header.iter().map(|field| &field.name).zip(values).collect();
    let asked = Asked { headers: Some(client), host: b"app", length, set_header: &set_header };
    over_http(b"POST", "/".into(), &asked, &set)
}

fn sent(set: &[(&'static str, &'static str)], client: &Headers, length: Length) -> String {
    let request = asked(set, client, length);
    let line = |field: &tidegate_http::headers::Header| {
        format!("{}: {}", field.name.escape_ascii(), field.value.escape_ascii())
    };
    request.headers.iter().map(line).collect::<Vec<_>>().join("|")
}

#[test]
fn what_concerns_the_client_s_connection_stays_here() {
    let client = fields(&[
        ("Host", "site"),
        ("Connection", "close"),
        ("User-Agent", "x"),
        ("X-Y", "1"),
        ("x-y", "2"),
        ("TE", "trailers"),
        ("Keep-Alive", "5"),
        ("Upgrade", "websocket"),
        ("Expect", "100-continue"),
        ("Transfer-Encoding", "chunked"),
        ("Trailer", "x"),
    ]);
    assert_eq!(
        sent(&[], &client, Length::Known(5)),
        "Host: app|Content-Length: 5|User-Agent: x|X-Y: 1|x-y: 2|Trailer: x"
    );
    assert_eq!(sent(&[], &fields(&[]), Length::None), "Host: app");
    assert_eq!(sent(&[], &fields(&[]), Length::Chunked), "Host: app|Transfer-Encoding: chunked");
}

#[test]
fn configured_fields_replace_the_client_s_and_may_stand_twice() {
    let client = fields(&[("Accept", "a"), ("X-A", "client"), ("Upgrade", "websocket")]);
    let set = [
        ("X-A", "1"),
        ("Host", "other"),
        ("X-A", "2"),
        ("Accept", ""),
        ("Connection", "upgrade"),
        ("Content-Length", ""),
    ];
    assert_eq!(
        sent(&set, &client, Length::Known(5)),
        "X-A: 1|Host: other|X-A: 2|Connection: upgrade"
    );
}

#[test]
fn no_value_ends_its_line() {
    assert_eq!(sent(&[("A", "b\r\nC: d")], &fields(&[]), Length::None), "A: b  C: d|Host: app");
}

#[test]
fn an_upgrade_is_welcome_only_where_it_was_asked_for_and_passed_on() {
    let ask = |set: &[(&'static str, &'static str)], client: &Headers| {
        asked(set, client, Length::None).upgrade
    };
    let client = fields(&[("Upgrade", "websocket")]);
    assert!(ask(&[("Upgrade", "websocket"), ("Connection", "upgrade")], &client));
    assert!(!ask(&[], &client));
    assert!(!ask(&[("Upgrade", "websocket")], &fields(&[])));
}

#[test]
fn a_client_s_fields_are_joined_and_give_way_to_configured_ones() {
    let param =
        |name: &str, value: &'static str| Param::new(name.as_bytes(), Template::text(value));
    let params = [param("A", "1"), param("HTTP_X_Y", "conf")];
    let client = fields(&[
        ("Host", "client"),
        ("X-Y", "client"),
        ("Cookie", "a=1"),
        ("Accept", "a"),
        ("Cookie", "b=2"),
        ("accept", "b"),
        ("Proxy", "evil"),
        ("Transfer-Encoding", "chunked"),
    ]);
    let told = |client: &Headers| {
        let mut pairs = Pairs::default();
        add_fields(&mut pairs, &params, client);
        let line = |(name, value): &(Bytes, Bytes)| {
            format!("{}={}", name.escape_ascii(), value.escape_ascii())
        };
        pairs.into_list().iter().map(line).collect::<Vec<_>>().join("|")
    };
    assert_eq!(told(&client), "HTTP_COOKIE=a=1; b=2|HTTP_ACCEPT=a, b");
    let once = fields(&[("Host", "client"), ("X-Y", "client"), ("X-Z", "1"), ("Proxy", "x")]);
    assert_eq!(told(&once), "HTTP_X_Z=1");
}

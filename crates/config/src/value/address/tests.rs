//! Addresses as nginx reads them, and its words for those it refuses.

use proptest::prelude::*;

use super::*;

fn target(text: &str) -> Result<Target, AddressError> {
    Target::parse(text, 80, Form::Pass)
}

fn ip(text: &str) -> Address {
    Address::Ip(text.parse().unwrap())
}

fn host(host: &str, port: Option<u16>) -> Address {
    Address::Host { host: host.into(), port }
}

#[test]
fn a_target_is_an_address_a_name_or_a_socket() {
    assert_eq!(target("1.2.3.4:81").unwrap().address, ip("1.2.3.4:81"));
    assert_eq!(target("1.2.3.4").unwrap().address, ip("1.2.3.4:80"));
    assert!(!target("1.2.3.4").unwrap().has_port);
    assert_eq!(target("[::1]:81").unwrap().address, ip("[::1]:81"));
    assert_eq!(target("[::1]").unwrap().address, ip("[::1]:80"));
    assert_eq!(target("backend").unwrap().address, host("backend", None));
    assert_eq!(target("a.example:81").unwrap().address, host("a.example", Some(81)));
    for path in ["/run/app.sock", "///run/app.sock", "run/app.sock"] {
        let address = target(&format!("unix:{path}")).unwrap().address;
        assert_eq!(address, Address::Unix(path.into()));
    }
}

#[test]
fn a_uri_may_follow_where_the_directive_takes_one() {
    let cases = [
        ("a/b?c", "/b?c"),
        ("a:81/b:c", "/b:c"),
        ("a?b/c", "?b/c"),
        ("[::1]:81/b", "/b"),
        ("unix:/s:/b", "/b"),
        ("unix:/s", ""),
        ("a", ""),
        ("a/x:9", "/x:9"),
    ];
    for (text, uri) in cases {
        assert_eq!(target(text).unwrap().uri, uri, "{text}");
    }
    assert_eq!(target("a/x:9").unwrap().address, host("a", None));
    let server = |text| Target::parse(text, 80, Form::Server);
    assert_eq!(server("a/b"), Err(AddressError::InvalidHost));
    assert_eq!(server("/x"), Err(AddressError::InvalidHost));
    assert_eq!(server("unix:/s:b").unwrap().address, Address::Unix("/s:b".into()));
}

#[test]
fn a_wrong_target_is_told_in_nginxs_words() {
    let cases = [
        ("a:0", "invalid port"),
        ("a:65536", "invalid port"),
        ("a:", "invalid port"),
        ("a:b:80", "invalid port"),
        (":80", "no host"),
        ("", "no host"),
        ("/x", "no host"),
        ("[::1", "invalid host"),
        ("[::1]80", "invalid host"),
        ("[]:80", "no host"),
        ("[1.2.3.4]", "invalid IPv6 address"),
        ("unix:", "no path in the unix domain socket"),
        ("a:8000-8010", "invalid port"),
    ];
    for (text, words) in cases {
        assert_eq!(target(text).unwrap_err().to_string(), words, "{text}");
    }
    let long = format!("unix:/{}", "x".repeat(107));
    assert_eq!(target(&long), Err(AddressError::TooLongPath));
}

#[test]
fn a_place_to_listen_is_a_port_an_address_or_both() {
    let listen = |text| ListenAddress::parse(text).unwrap();
    let v4 = |octets: [u8; 4], ports| ListenAddress::Ip(octets.into(), ports);
    assert_eq!(listen("8080"), v4([0, 0, 0, 0], 8080..=8080));
    assert_eq!(listen("*:8080"), v4([0, 0, 0, 0], 8080..=8080));
    assert_eq!(listen("*"), v4([0, 0, 0, 0], 80..=80));
    assert_eq!(listen("127.0.0.1"), v4([127, 0, 0, 1], 80..=80));
    assert_eq!(listen("127.0.0.1:81"), v4([127, 0, 0, 1], 81..=81));
    assert_eq!(listen("1..2.3:81"), v4([1, 0, 2, 3], 81..=81));
    assert_eq!(listen("[::]:81"), ListenAddress::Ip(Ipv6Addr::UNSPECIFIED.into(), 81..=81));
    assert_eq!(listen("localhost:81"), ListenAddress::Host("localhost".into(), 81..=81));
    assert_eq!(listen("my-host"), ListenAddress::Host("my-host".into(), 80..=80));
    assert_eq!(listen("8000-"), ListenAddress::Host("8000-".into(), 80..=80));
    assert_eq!(listen("unix:/run/x"), ListenAddress::Unix("/run/x".into()));
    assert_eq!(listen("8000-8010"), v4([0, 0, 0, 0], 8000..=8010));
    assert_eq!(listen("[::1]:1-2"), ListenAddress::Ip(Ipv6Addr::LOCALHOST.into(), 1..=2));
}

#[test]
fn a_wrong_place_to_listen_is_told_in_nginxs_words() {
    let cases = [
        ("0", "invalid port"),
        ("70000", "invalid port"),
        ("1.2.3.4:x", "invalid port"),
        ("1.2.3.4:5-", "invalid port"),
        ("9-8", "invalid port range"),
        ("*:9-8", "invalid port range"),
        ("9-0", "invalid port"),
        (":80", "no host"),
        ("80/", "invalid host"),
        ("[::1", "invalid host"),
        ("unix:", "no path in the unix domain socket"),
    ];
    for (text, words) in cases {
        assert_eq!(ListenAddress::parse(text).unwrap_err().to_string(), words, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(unix:|[0-9.:*/?\\[\\]é-]|[a-z]){0,20}") {
        _ = target(&text);
        _ = Target::parse(&text, 80, Form::Server);
        _ = ListenAddress::parse(&text);
    }
}

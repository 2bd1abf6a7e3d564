//! What all decoders of answers must do: the same however an answer is cut, without a panic, and
//! without keeping more than was allowed.

use proptest::prelude::*;
use proptest::sample::select;

use super::fastcgi::{self, Fastcgi};
use super::http1::{self, Http1};
use super::scgi::Scgi;
use super::uwsgi::{Packet, Uwsgi};
use super::*;

/// How long a head may be.
const LIMIT: usize = 64;

/// What an answer came to: its events, bodies joined, and how it ended.
#[derive(Debug, PartialEq)]
struct Read {
    events: Vec<Event>,
    ending: Result<(bool, Vec<u8>), Invalid>,
}

/// Reads an answer that comes in pieces of these lengths, by turns.
fn read(codec: &dyn Codec, answer: &[u8], cuts: &[usize]) -> Read {
    let mut decoder = codec.decoder(LIMIT);
    let (mut events, mut input, mut rest) = (Vec::new(), BytesMut::new(), answer);
    let mut cuts = cuts.iter().cycle();
    loop {
        let ended = rest.is_empty();
        // Each turn of the loop takes bytes or ends: it cannot go on for ever.
        match decoder.decode(&mut input, ended) {
            Ok(Some(Event::End)) => {
                let reusable = decoder.reusable();
                // What is left matters to the next request alone.
                let left = if reusable { [&input, rest].concat() } else { Vec::new() };
                return Read { events, ending: Ok((reusable, left)) };
            }
            Ok(Some(Event::Body(bytes))) => {
                assert!(!bytes.is_empty(), "a piece of a body is never empty");
                match events.last_mut() {
                    Some(Event::Body(before)) => {
                        *before = [before.as_ref(), &bytes].concat().into();
                    }
                    _ => events.push(Event::Body(bytes)),
                }
            }
            Ok(Some(event)) => {
                assert!(events.len() < answer.len() + 2, "events without bytes");
                events.push(event);
            }
            Ok(None) if ended => return Read { events, ending: Err(Invalid::Ended) },
            Ok(None) => {
                // Behind the head, a line of chunks may be as long as their decoder lets it.
                let begun = events.iter().any(|event| matches!(event, Event::Head(_)));
                assert!(begun || input.len() <= LIMIT, "{} bytes are kept", input.len());
                let length = cuts.next().map_or(rest.len(), |&cut| cut.clamp(1, rest.len()));
                let (piece, others) = rest.split_at(length);
                input.extend_from_slice(piece);
                rest = others;
            }
            Err(invalid) => return Read { events, ending: Err(invalid) },
        }
    }
}

fn http(method: &'static str) -> Http1 {
    let (method, target) = (Bytes::from_static(method.as_bytes()), Bytes::from_static(b"/"));
    Http1::new(&http1::Request {
        method,
        target,
        http11: true,
        upgrade: true,
        ..Default::default()
    })
}

fn codecs() -> Vec<Box<dyn Codec>> {
    let fastcgi = |keep| -> Box<dyn Codec> {
        Box::new(Fastcgi::new(&fastcgi::Request { keep, ..Default::default() }))
    };
    let uwsgi = |head_only| Uwsgi::new(&Packet { head_only, ..Packet::default() });
    vec![
        Box::new(http("GET")),
        Box::new(http("HEAD")),
        Box::new(uwsgi(false).unwrap()),
        Box::new(uwsgi(true).unwrap()),
        Box::new(Scgi::new(0, &[], false)),
        fastcgi(false),
        fastcgi(true),
    ]
}

/// Words that answers are made of, and others that break them.
const WORDS: [&str; 34] = [
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 404 No\n",
    "HTTP/1.1 103 Hint\r\n",
    "HTTP/1.1 101 Up\r\n",
    "HTTP/1.1 204 \r\n",
    "HTTP/1.",
    "Status: 302 Found\r\n",
    "Status: x\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 99999999999999999999\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Connection: close\r\n",
    "Location: /x\r\n",
    "A: b\r\n",
    "A\r\n",
    ": b\r\n",
    "A: \r b\n",
    "\r\n",
    "\n",
    "\r",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "0\r\nT: v\r\n\r\n",
    "ffffffffffffffff\r\n",
    "3;x=y\r\nabc\r\n",
    "zz\r\n",
    "abc",
    "a long body that is longer than anything else that stands here, and goes on",
    "\0",
    "\x7f",
    " ",
    "5\r\nab",
];

fn record(kind: u8, content: &[u8], padding: u8) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    let head = [1, kind, 0, 1, high, low, padding, 0];
    [&head[..], content, &vec![0; padding.into()]].concat()
}

/// Answers from words, in records of FastCGI or not, or of any bytes.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let words = || prop::collection::vec(select(&WORDS[..]), 0..12);
    let text = words().prop_map(|words| words.concat().into_bytes());
    let records = prop::collection::vec(
        (select(vec![6_u8, 6, 6, 7, 3, 9]), words(), 0_u8..9)
            .prop_map(|(kind, words, padding)| record(kind, words.concat().as_bytes(), padding)),
        0..6,
    );
    let records = records.prop_map(|records| records.concat());
    let ended = (records, any::<bool>()).prop_map(|(mut records, ended)| {
        if ended {
            records.extend(record(3, &[0; 8], 0));
        }
        records
    });
    prop_oneof![4 => text, 4 => ended, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn an_answer_is_the_same_however_it_is_cut(
        answer in answers(),
        cuts in prop::collection::vec(1_usize..20, 1..8),
    ) {
        for (number, codec) in codecs().iter().enumerate() {
            let bytewise = read(codec.as_ref(), &answer, &[1]);
            prop_assert_eq!(&read(codec.as_ref(), &answer, &cuts), &bytewise, "codec {}", number);
        }
    }
}

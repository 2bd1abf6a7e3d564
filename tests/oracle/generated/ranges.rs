//! Ranges of any shape.

use super::{Seed, texts};
use crate::oracle::compare::alike;

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "4",
    "5",
    "8",
    "9",
    "10",
    "11",
    "00",
    "07",
    "",
    "",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "-1",
    "x",
    "1x",
    "+1",
];

fn set(seed: &mut Seed) -> String {
    let first = seed.one(NUMBERS);
    let dash = seed.one(&["-", "-", "-", "-", " - ", "--", "", "- ", " -"]);
    let last = seed.one(NUMBERS);
    format!("{first}{dash}{last}")
}

#[tokio::test]
async fn of_files_and_others() {
    let asks = Seed(3).asks(250, |seed| {
        let count = seed.one(&["a", "a", "aa", "aaa", "aaaaa"]).len();
        let mut sets = String::new();
        for number in 0..count {
            if number > 0 {
                sets += seed.one(&[",", ",", ", ", " , ", ",,", ";"]);
            }
            sets += &set(seed);
        }
        let unit = seed.one(&[
            "bytes=", "bytes=", "bytes=", "bytes=", "Bytes=", "bytes =", "bytes= ", "byte=",
            "bytes",
        ]);
        let path = seed.one(&[
            "/a.txt",
            "/a.txt",
            "/a.txt",
            "HEAD /a.txt",
            "/one/a.txt",
            "/two/a.txt",
            "/empty.txt",
            "/text",
            "/missing",
            "/a.txt HTTP/1.0",
            "/folder/",
            "/limit/a.txt",
        ]);
        let more = seed.one(&[
            "",
            "",
            "",
            "",
            " | If-Range: \"65937d25-a\"",
            " | If-Range: \"x\"",
            " | Range: bytes=0-1",
        ]);
        format!("{path} | Range: {unit}{sets}{more}")
    });
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /one/ { max_ranges 1; }
            location /two/ { max_ranges 2; }
            location /limit/ { limit_rate 1m; sendfile on; }
            location /text { return 200 "0123456789"; }
        }"#,
    )
    .with_file("a.txt", "0123456789")
    .with_file("one/a.txt", "0123456789")
    .with_file("two/a.txt", "0123456789")
    .with_file("limit/a.txt", "0123456789")
    .with_file("folder/index.html", "0123456789")
    .with_file("empty.txt", "")
    .answers(&texts(&asks))
    .await;
}

//! secure_link: addresses that can be checked.

use md5::{Digest, Md5};

use super::compare::alike;

/// Base64 as URLs have it, without its padding.
fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(word);
        for place in 0..=group.len() {
            out.push(char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    out
}

#[tokio::test]
async fn hashes_that_are_right_and_wrong() {
    let hash = |text: &str| base64url(&Md5::digest(text));
    let old = |text: &str| {
        let mut out = String::new();
        Md5::digest(text).iter().for_each(|byte| out += &format!("{byte:02x}"));
        out
    };
    let late = "4102444800";
    let mut asks = vec![
        format!("/new/a?h={}&e={late}", hash(&format!("{late}/new/a word"))),
        format!("/new/a?h={}==&e={late}", hash(&format!("{late}/new/a word"))),
        format!("/new/b?h={}&e={late}", hash(&format!("{late}/new/a word"))),
        format!("/new/a?h={}&e=1000", hash("1000/new/a word")),
        format!("/new/a?h={}&e=0", hash("0/new/a word")),
        format!("/new/a?h={}&e=-5", hash("-5/new/a word")),
        format!("/new/a?h={}&e=", hash("/new/a word")),
        format!("/new/a?h={}&e=12x", hash("12x/new/a word")),
        format!("/plain/a?h={}", hash("/plain/a word")),
        format!("/plain/a?h={}x", hash("/plain/a word")),
        format!("/old/{}/file/x.mp3", old("file/x.mp3word")),
        format!("/old/{}/file/x.mp3", old("file/x.mp3word").to_uppercase()),
        format!("/old/{}/file/x.mp3?a=b", old("file/x.mp3?a=bword")),
        format!("/old/{}/other", old("file/x.mp3word")),
        format!("/old/{}/", old("word")),
        format!("/old/{}", old("word")),
        format!("/old/{}x/file", old("fileword")),
    ];
    for path in [
        "/new/a",
        "/new/a?h=x&e=1",
        "/new/a?h=!!!!!!!!!!!!!!!!!!!!!!&e=4102444800",
        "/plain/a?h=",
        "/plain/a?h=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "/old/x/y",
        "/old",
        "/half/a?h=x",
        "/none",
        "/old/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz/x",
    ] {
        asks.push(path.to_owned());
    }
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location /new/ {
                secure_link $arg_h,$arg_e;
                secure_link_md5 "$secure_link_expires$uri word";
                if ($secure_link = "") { return 403 "wrong $secure_link_expires"; }
                if ($secure_link = "0") { return 410 "over $secure_link_expires"; }
                return 200 "$secure_link $secure_link_expires";
            }
            location /plain/ {
                secure_link $arg_h;
                secure_link_md5 "$uri word";
                return 200 "[$secure_link|$secure_link_expires]";
            }
            location /old { secure_link_secret word; return 200 "[$secure_link]"; }
            location /half/ { secure_link $arg_h; return 200 "[$secure_link]"; }
            location /none { return 200 "[$secure_link|$secure_link_expires]"; }
        }"#,
    )
    .answers(&asks)
    .await;
}

#[tokio::test]
async fn a_level_has_one_of_the_two_forms() {
    let hash = base64url(&Md5::digest("/newer/a word"));
    let mut old = String::new();
    Md5::digest("xword").iter().for_each(|byte| old += &format!("{byte:02x}"));
    alike(
        r#"
        server {
            listen 127.0.0.1:8080;
            secure_link_secret word;
            location /newer/ { secure_link $arg_h; secure_link_md5 "$uri word"; return 200 "[$secure_link]"; }
            location /old/ { return 200 "[$secure_link]"; }
        }
        server {
            listen 127.0.0.1:8081;
            secure_link $arg_h; secure_link_md5 "$uri word";
            location /newer/ { return 200 "[$secure_link]"; }
            location /old/ { secure_link_secret word; return 200 "[$secure_link]"; }
        }"#,
    )
    .answers(&[
        &format!("/newer/a?h={hash}"),
        &format!("/newer/{old}/x"),
        &format!("/old/{old}/x"),
        &format!("/old/a?h={hash}"),
        &format!("@8081 /newer/a?h={hash}"),
        &format!("@8081 /old/{old}/x"),
        &format!("@8081 /old/a?h={hash}"),
    ])
    .await;
}

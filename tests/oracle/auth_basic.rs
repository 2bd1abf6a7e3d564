//! auth_basic: a name and a password open the door.

use super::compare::{Alike, alike};

/// The password of each is `secret`, save where the name says otherwise.
const USERS: &str = "# comment
des:abNANd1rDfiNc
md5:$1$saltsalt$9xy1btjgzLYfb7hivXtC//
apr:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0:comment
s5:$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2
s6:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1
bc:$2y$05$uvE8lVdrMPiPF7pkN8ouJuN5PKSObNUs8WBB4EgM.q6uB1yI9u5ji\r
sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
ssha:{SSHA}Wcm1xEisNjqp921ALcHfuQ7avFdzYWx0MTIzNA==
plain:{PLAIN}secret
bare:secret
empty:
broken:{SSHA}!!!
last:{PLAIN}secret";

fn guarded(conf: &str) -> Alike {
    let alike = alike(&format!(
        r#"server {{
            listen 127.0.0.1:8080;
            root html;
            auth_basic "the $arg_realm \"site\"";
            auth_basic_user_file users;
            {conf}
        }}"#
    ));
    alike.with_prefix_file("users", USERS).with_prefix_file("conf/users", USERS).with_file("a", "A")
}

/// A request for a path, with these credentials.
fn with(path: &str, credentials: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in credentials.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
        for place in 0..=group.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    let padding = "=".repeat((3 - credentials.len() % 3) % 3);
    format!("{path} | Authorization: Basic {text}{padding}")
}

async fn answers(alike: Alike, asks: Vec<String>) {
    alike.answers(&asks.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn every_form_of_a_password() {
    let names = USERS.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name);
    let asks = names.flat_map(|name| {
        ["secret", "Secret", "", "secret:more"].map(|word| with("/a", &format!("{name}:{word}")))
    });
    answers(guarded(""), asks.collect()).await;
}

#[tokio::test]
async fn nobody_and_nothing() {
    let mut asks: Vec<String> = [
        "/a",
        "/a?realm=x",
        "HEAD /a",
        "POST /a || x",
        "/none",
        "/a | Authorization: Basic",
        "/a | Authorization: Basic !!!",
        "/a | Authorization: Bearer cGxhaW46c2VjcmV0",
        "/a | Authorization: basic   cGxhaW46c2VjcmV0",
        "/a | Authorization: Basic cGxhaW46c2VjcmV0 | Authorization: Basic eDp5",
    ]
    .map(str::to_owned)
    .into();
    let names = ["nobody:secret", "pla:secret", "plain", "plain:", ":secret", "# comment:x", ":"];
    asks.extend(names.map(|words| with("/a", words)));
    answers(guarded(""), asks).await;
}

#[tokio::test]
async fn levels_and_files() {
    let paths = [
        "/off/",
        "/variable/a?realm=off",
        "/missing/",
        "/folder/",
        "/nofile/",
        "/byname?f=users",
        "/byname?f=none",
        "/byname",
        "/page/",
        "/named/",
        "/return/",
        "/except/",
        "HEAD /except/",
    ];
    let mut asks: Vec<String> = paths.map(str::to_owned).into();
    asks.extend(paths.map(|path| with(path, "plain:secret")));
    asks.extend(["/page/", "/named/", "POST /except/"].map(|path| with(path, "plain:wrong")));
    let conf = r#"
        location /off/ { auth_basic off; try_files /a =404; }
        location /variable/ { auth_basic $arg_realm; try_files /a =404; }
        location /missing/ { auth_basic_user_file none; try_files /a =404; }
        location /folder/ { auth_basic_user_file /; try_files /a =404; }
        location /nofile/ { auth_basic_user_file ""; try_files /a =404; }
        location /byname { auth_basic_user_file $arg_f; try_files /a =404; }
        location /page/ { error_page 401 /open; try_files /a =404; }
        location = /open { auth_basic off; return 200 "who is it"; }
        location /named/ { error_page 401 =402 @open; try_files /a =404; }
        location @open { auth_basic off; return 200 named; }
        location /return/ { return 200 "$remote_user"; }
        location /except/ { auth_basic off; try_files /a =404;
            limit_except GET { auth_basic except; auth_basic_user_file users; } }
    "#;
    answers(guarded(conf), asks).await;
}

#[tokio::test]
async fn satisfied_by_all_or_any() {
    let paths = ["/all/in/", "/all/out/", "/any/in/", "/any/out/", "/any/nofile/", "/any/none/"];
    let mut asks: Vec<String> = paths.map(str::to_owned).into();
    asks.extend(paths.map(|path| with(path, "plain:secret")));
    asks.extend(paths.map(|path| with(path, "plain:wrong")));
    let conf = "
        location /all/in/ { allow 127.0.0.1; deny all; try_files /a =404; }
        location /all/out/ { deny all; try_files /a =404; }
        location /any/in/ { satisfy any; allow 127.0.0.1; deny all; try_files /a =404; }
        location /any/out/ { satisfy any; deny all; try_files /a =404; }
        location /any/nofile/ { satisfy any; deny all; auth_basic_user_file none; try_files /a =404; }
        location /any/none/ { satisfy any; try_files /a =404; }
    ";
    answers(guarded(conf), asks).await;
}

#[tokio::test]
async fn a_realm_without_a_file_guards_nothing() {
    alike(r#"server { listen 127.0.0.1:8080; root html; auth_basic "site"; }"#)
        .with_file("a", "A")
        .answers(&["/a"])
        .await;
}

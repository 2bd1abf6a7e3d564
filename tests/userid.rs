//! userid: a cookie that tells clients apart.

use crate::harness::{Tidegate, process};

#[tokio::test]
async fn a_client_is_given_a_cookie_once() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        r#"log_format uid '$uri got=$uid_got set=$uid_set';
        server {
            listen 127.0.0.1:8080;
            access_log logs/access.log uid;
            userid on; userid_domain example.com; userid_expires max; userid_path /p;
            userid_flags secure httponly samesite=lax; userid_p3p 'CP="x"';
            location / { return 200 "$uid_got|$uid_set"; }
            location /v1 { userid v1; userid_service 7; userid_name v; return 200 "$uid_set"; }
            location /log { userid log; return 200 "$uid_got|$uid_set"; }
            location /off { userid off; return 200 "$uid_got|$uid_set"; }
            location /mark { userid_mark x; return 200 "$uid_got|$uid_set"; }
            location /reset { set $uid_reset log; return 200 "$uid_got|$uid_set"; }
            location /day { userid_expires 1d; userid_domain none; return 200 ""; }
        }"#,
    )
    .await;

    let first = server.get("/").await;
    let cookie = first.is(200).field("Set-Cookie").unwrap().to_owned();
    first.has("P3P", "CP=\"x\"");
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(
        attributes,
        "expires=Thu, 31-Dec-37 23:55:55 GMT; domain=example.com; path=/p; secure; httponly; samesite=lax"
    );
    assert!(value.starts_with("uid=") && value.len() == 28 && value.ends_with("=="), "{value}");
    let set = first.text();
    // The address that was connected to, as it lies in memory.
    assert!(set.starts_with("|uid=0100007F") && set.ends_with("02030303"), "{set}");

    let again = server.ask(&format!("/ | Cookie: a=b; {value}")).await;
    again.lacks("Set-Cookie").says(format!("{}|", &set[1..]));
    let other = server.get("/").await;
    assert_ne!(other.field("Set-Cookie"), first.field("Set-Cookie"));

    server
        .ask(&format!("/log | Cookie: {value}"))
        .await
        .lacks("Set-Cookie")
        .says(format!("{}|", &set[1..]));
    server.ask(&format!("/off | Cookie: {value}")).await.lacks("Set-Cookie").says("|");
    let marked = server.ask(&format!("/mark | Cookie: {value}")).await;
    let with_mark = format!("{}x=", &value[..value.len() - 2]);
    assert!(marked.field("Set-Cookie").unwrap().starts_with(&with_mark));
    server.ask(&format!("/mark | Cookie: {with_mark}")).await.lacks("Set-Cookie");
    let reset = server.ask(&format!("/reset | Cookie: {value}")).await;
    assert!(!reset.field("Set-Cookie").unwrap().starts_with(value));
    assert!(server.read("logs/error.log").contains("was reset"));
    server.ask("/ | Cookie: uid=short").await.is(200);
    server.ask("/ | Cookie: uid=*************************").await.is(200);
    let log = server.read("logs/error.log");
    assert!(
        log.contains("too short userid cookie") && log.contains("invalid userid cookie"),
        "{log}"
    );
    let v1 = server.get("/v1").await;
    assert!(v1.text().starts_with("v=00000007"), "{}", v1.text());
    let day = server.get("/day").await;
    let day = day.field("Set-Cookie").unwrap();
    assert!(day.contains("; expires=") && !day.contains("domain"), "{day}");
}

#[tokio::test]
async fn one_of_a_folders_files_is_drawn_by_lot() {
    if !process::is_ours() {
        return;
    }
    let server = Tidegate::start(
        "server {
            listen 127.0.0.1:8080;
            root html;
            location / { random_index on; }
            location /none/ { random_index on; }
        }",
    )
    .with_file("a.txt", "a")
    .with_file("b.txt", "b")
    .with_file("none/.hidden", "h")
    .await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        seen.insert(server.get("/").await.is(200).text());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    server.get("/none/").await.is(403);
    server.get("/missing/").await.is(404);
}

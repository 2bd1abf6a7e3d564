//! location: which of them is chosen.

use super::compare::alike;

#[tokio::test]
async fn kinds_and_order() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location = / { return 200 "exact"; }
            location / { return 200 "root"; }
            location /documents/ { return 200 "documents"; }
            location ^~ /images/ { return 200 "images"; }
            location ~* \.(gif|jpg|jpeg)$ { return 200 "pictures $1"; }
            location ~ \.GIF$ { return 200 "never: the first expression wins"; }
            location ~ ^/case/[a-z]+$ { return 200 "lower case"; }
            location ~* ^/case/ { return 200 "any case"; }
            location /case { return 200 "prefix"; }
            location /long { return 200 "long"; }
            location /longer { return 200 "longer"; }
            location = /longer/x { return 200 "exactly longer"; }
        }"#,
    )
    .answers(&[
        "/",
        "/index.html",
        "/documents/document.html",
        "/documents",
        "/images/1.gif",
        "/documents/1.jpg",
        "/a.GIF",
        "/case/abc",
        "/case/ABC",
        "/case",
        "/long",
        "/longe",
        "/longer",
        "/longer/x",
        "/longer/xy",
        "/%69mages/1.gif",
        "/x/../images/1.gif",
    ])
    .await;
}

#[tokio::test]
async fn nesting() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location /a/ {
                add_header X-Level outer;
                location /a/b/ { return 200 "a b"; }
                location ~ \.txt$ { return 200 "a text"; }
                location = /a/exact { return 200 "a exact"; }
                return 200 "a";
            }
            location ~ \.txt$ { return 200 "text"; }
            location ^~ /p/ {
                location ~ \.txt$ { return 200 "p text"; }
                location ^~ /p/q/ { return 200 "p q"; }
                return 200 "p";
            }
            location ~ ^/r/ {
                location ~ x$ { return 200 "r x"; }
                return 200 "r";
            }
        }"#,
    )
    .answers(&[
        "/a/",
        "/a/b/",
        "/a/b/c.txt",
        "/a/c.txt",
        "/a/exact",
        "/c.txt",
        "/p/c.txt",
        "/p/q/c.txt",
        "/p/z",
        "/r/x",
        "/r/y",
        "/nothing",
    ])
    .await;
}

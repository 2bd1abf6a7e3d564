//! root, alias, index and internal: which file it is.

use super::compare::alike;

#[tokio::test]
async fn roots_and_aliases() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /i/ { alias html/images/; }
            location /noslash { alias html/images; }
            location /half { alias html/images/; }
            location = /one { alias html/images/a.png; }
            location ~ ^/users/(.+\.(?:gif|png))$ { alias html/images/$1; }
            location /other/ { root html/second; }
            location /variable/ { root html/$arg_dir; }
            location ~ ^/regexroot/ { root html/second; }
            location /show/ { alias html/images/; return 200 "$document_root|$request_filename|$realpath_root"; }
            location /where { return 200 "$document_root|$request_filename|$document_uri"; }
        }"#,
    )
    .with_file("a.txt", "text")
    .with_file("images/a.png", "PNG")
    .with_file("second/other/b.txt", "other b")
    .with_file("second/regexroot/c.txt", "c")
    .with_file("v/variable/d.txt", "d")
    .answers(&[
        "/a.txt", "/i/a.png", "/i/../a.txt", "/i/", "/i", "/noslash/a.png", "/noslashed/a.png",
        "/half/a.png", "/halfa.png", "/one", "/users/a.png", "/users/b.png", "/other/b.txt",
        "/variable/d.txt?dir=v", "/variable/d.txt", "/regexroot/c.txt", "/show/x.png", "/where",
        "/a.txt/", "/a.txt/b", "/missing", "/images", "/images/",
    ])
    .await;
}

#[tokio::test]
async fn indexes() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location /listed/ { index no.html b.html a.html; }
            location /fallback/ { index no.html /fallback.html; }
            location /again/ { index page.php; }
            location ~ \.php$ { return 200 "php $uri"; }
            location /variable/ { index $arg_i.html index.html; }
            location /none/ { index no.html; }
            location = /exact/ { index index.html; }
            location /exact/ { return 200 "seen from the prefix: $uri"; }
        }"#,
    )
    .with_file("index.html", "home")
    .with_file("listed/a.html", "a")
    .with_file("listed/b.html", "b")
    .with_file("fallback.html", "fallback")
    .with_file("fallback/x", "x")
    .with_file("again/page.php", "source")
    .with_file("variable/v.html", "v")
    .with_file("variable/index.html", "i")
    .with_file("none/x", "x")
    .with_file("exact/index.html", "exact")
    .answers(&[
        "/",
        "/index.html",
        "/listed/",
        "/listed",
        "/fallback/",
        "/again/",
        "/variable/?i=v",
        "/variable/",
        "/none/",
        "/exact/",
        "/nodir/",
        "HEAD /listed/",
        "/listed/?query=1",
    ])
    .await;
}

#[tokio::test]
async fn tried_files() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            location / { try_files $uri $uri/ /fallback.html; }
            location /app/ { try_files $uri @app; }
            location @app { return 200 "app $uri $args"; }
            location /code/ { try_files $uri =410; }
            location /code404/ { try_files $uri $uri.html =404; }
            location /args/ { try_files $uri /app2?to=$uri&$args; }
            location /app2 { return 200 "app2 $uri $args $request_uri"; }
            location /static/ { alias html/files/; try_files $uri $uri.txt =404; }
            location /dir/ { try_files $uri/ =404; }
            location ~ ^/whole/(.+)$ { alias html/files/; try_files $1 $1.txt =404; }
            location /words/ { try_files $uri /maintenance.html $uri/index.html =503; }
            location /loop { try_files /nothing /loop; }
        }"#,
    )
    .with_file("index.html", "home")
    .with_file("fallback.html", "fallback")
    .with_file("app/there.css", "css")
    .with_file("code404/page.html", "page")
    .with_file("files/a.txt", "a")
    .with_file("dir/sub/index.html", "sub index")
    .with_file("folder/index.html", "folder index")
    .answers(&[
        "/",
        "/missing",
        "/index.html",
        "/folder",
        "/folder/",
        "/app/there.css",
        "/app/gone?x=1",
        "/code/x",
        "/code404/page",
        "/code404/nopage",
        "/args/a%20b?q=1",
        "/static/a.txt",
        "/static/a",
        "/static/b",
        "/dir/sub",
        "/dir/sub/",
        "/dir/none",
        "/whole/a.txt",
        "/whole/a",
        "/whole/b",
        "/words/x",
        "POST /app/gone || body",
        "HEAD /missing",
        "/loop",
    ])
    .await;
}

#[tokio::test]
async fn an_alias_may_be_tried_itself() {
    // nginx forgets the URI, and with it the type.
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location ~ ^/itself/(.+)$ { alias html/files/$1; try_files "" =404; }
        }"#,
    )
    .with_file("files/a.txt", "a")
    .without_logs()
    .answers(&["/itself/a.txt", "/itself/b"])
    .await;
}

#[tokio::test]
async fn internal_locations() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            error_page 404 /errors/404.html;
            location /errors/ { internal; }
            location /secret/ { internal; alias html/hidden/; }
            location = /open { try_files /nothing /secret/a.txt; }
            location /rewritten { rewrite ^ /secret/a.txt last; }
            location @named { internal; return 200 "named"; }
            location /named { try_files /nothing @named; }
        }"#,
    )
    .with_file("errors/404.html", "our 404")
    .with_file("hidden/a.txt", "hidden")
    .answers(&[
        "/errors/404.html",
        "/secret/a.txt",
        "/open",
        "/rewritten",
        "/missing",
        "/named",
        "/@named",
    ])
    .await;
}

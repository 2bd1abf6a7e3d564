//! `open_file_cache`: what was found holds for a while, errors where told, and is bounded.

use super::compare::alike;

#[tokio::test]
async fn what_was_found_holds_for_its_time() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            etag off;
            add_header Last-Modified "";
            location /change/ { alias html/; dav_methods PUT DELETE MOVE; create_full_put_path on; }
            location /plain/ { alias html/; }
            location /long/ { alias html/; open_file_cache max=100; }
            location /zero/ { alias html/; open_file_cache max=100; open_file_cache_valid 0; }
            location /off/ { alias html/; open_file_cache off; }
            location /uses/ { alias html/; open_file_cache max=100; open_file_cache_min_uses 2; }
            location /errors/ { alias html/; open_file_cache max=100; open_file_cache_errors on; }
            location /one/ { alias html/; open_file_cache max=1; }
            location /try/ {
                root html;
                open_file_cache max=100;
                open_file_cache_errors on;
                try_files /$arg_f /b.txt;
            }
            location /index/ { alias html/folder/; open_file_cache max=100; open_file_cache_errors on; }
        }"#,
    )
    .every_module()
    .with_file("a.txt", "first")
    .with_file("b.txt", "other")
    .with_file("folder/x.html", "x")
    .answers(&[
        // A file that is replaced.
        "/long/a.txt",
        "/zero/a.txt",
        "/uses/a.txt",
        "/off/a.txt",
        "PUT /change/a.txt || second",
        "/plain/a.txt",
        "/long/a.txt",
        "/zero/a.txt",
        "/uses/a.txt",
        "/off/a.txt",
        "PUT /change/a.txt || third one",
        "/long/a.txt",
        "/zero/a.txt",
        "/uses/a.txt",
        "/long/a.txt | Range: bytes=1-2",
        // One that is gone.
        "DELETE /change/a.txt",
        "/plain/a.txt",
        "/long/a.txt",
        "HEAD /long/a.txt",
        "/zero/a.txt",
        "/uses/a.txt",
        // One that is missing, and comes.
        "/errors/a.txt",
        "/long/new.txt",
        "/errors/new.txt",
        "PUT /change/a.txt || back",
        "PUT /change/new.txt || new",
        "/errors/a.txt",
        "/errors/new.txt",
        "/long/new.txt",
        "/plain/new.txt",
        // What was used least recently is forgotten.
        "/one/a.txt",
        "PUT /change/a.txt || again",
        "/one/a.txt",
        "/one/b.txt",
        "/one/a.txt",
        // What is tried, and indexes.
        "/try/?f=t.txt",
        "PUT /change/t.txt || tried",
        "/try/?f=t.txt",
        "/index/",
        "/index/missing/",
        "PUT /change/folder/index.html || index",
        "/index/",
        "/long/folder",
        "/long/folder/",
    ])
    .await;
}

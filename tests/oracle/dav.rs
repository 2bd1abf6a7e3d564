//! dav: files that clients change.

use super::compare::alike;

#[tokio::test]
async fn files_and_folders() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            dav_methods PUT DELETE MKCOL COPY MOVE;
            # The time of what is made is the clock's.
            etag off;
            add_header Last-Modified "";
            location / { }
            location = /dated.txt { add_header X-Dated yes; }
            location /path/ { create_full_put_path on; }
            location /depth/ { min_delete_depth 3; }
            location /some/ { dav_methods PUT; }
            location /off/ { dav_methods off; }
            location /denied/ { limit_except GET { deny all; } }
            location /small/ { client_max_body_size 3; }
        }"#,
    )
    .with_file("a.txt", "a")
    .with_file("folder/b.txt", "b")
    .with_file("folder/deep/c.txt", "c")
    .with_file("depth/one/two.txt", "2")
    .with_file("depth/three.txt", "3")
    .with_file("some/a.txt", "a")
    .with_file("off/a.txt", "a")
    .with_file("denied/a.txt", "a")
    .with_file("small/a.txt", "a")
    .without_logs()
    .every_module()
    .answers(&[
        "PUT /new.txt || hello",
        "/new.txt",
        "PUT /new.txt || again",
        "/new.txt",
        "PUT /empty.txt | Content-Length: 0",
        "/empty.txt",
        "PUT /chunked.txt | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n",
        "/chunked.txt",
        "PUT /dated.txt | Date: Tue, 02 Jan 2024 03:04:05 GMT || x",
        "/dated.txt",
        "PUT /folder/ || x",
        "PUT /folder || x",
        "PUT /none/x.txt || x",
        "PUT /a.txt/x || x",
        "PUT /path/a/b/c.txt || deep",
        "/path/a/b/c.txt",
        "PUT /range.txt | Content-Range: bytes 0-1/2 || xy",
        "/range.txt",
        "PUT /with%20space.txt || x",
        "/with%20space.txt",
        "DELETE /none.txt",
        "DELETE /none/none.txt",
        "DELETE /new.txt",
        "/new.txt",
        "DELETE /a.txt/",
        "DELETE /folder",
        "DELETE /empty.txt || body",
        "DELETE /empty.txt | Depth: 1",
        "DELETE /empty.txt | Depth: x",
        "DELETE /empty.txt | Depth: infinity",
        "DELETE /folder/deep/ | Depth: 0",
        "DELETE /depth/three.txt",
        "DELETE /depth/one/two.txt",
        "MKCOL /made/",
        "MKCOL /made/",
        "MKCOL /made",
        "MKCOL /none/made/",
        "MKCOL /x/ || body",
        "MKCOL /a.txt/x/",
        "COPY /a.txt",
        "COPY /a.txt | Destination: /copy.txt",
        "/copy.txt",
        "COPY /a.txt | Destination: http://localhost/copy2.txt",
        "/copy2.txt",
        "COPY /a.txt | Destination: http://other/copy3.txt",
        "COPY /a.txt | Destination: x",
        "COPY /a.txt | Destination: /../x",
        "COPY /a.txt | Destination: /copy.txt | Overwrite: F",
        "COPY /a.txt | Destination: /copy.txt | Overwrite: T",
        "COPY /a.txt | Destination: /copy.txt | Overwrite: X",
        "COPY /a.txt | Destination: /folder",
        "COPY /a.txt | Destination: /made/",
        "COPY /none.txt | Destination: /x.txt",
        "COPY /a.txt | Destination: /none/x.txt",
        "COPY /a.txt | Destination: /c.txt | Depth: 1",
        "COPY /folder/ | Destination: /folder2/",
        "/folder2/deep/c.txt",
        "COPY /folder/ | Destination: /folder3/ | Depth: 0",
        "/folder3/b.txt",
        "COPY /folder/ | Destination: /folder2/ | Overwrite: F",
        "COPY /folder | Destination: /folder4",
        "COPY /folder/ | Destination: /folder4",
        "MOVE /copy.txt | Destination: /moved.txt",
        "/copy.txt",
        "/moved.txt",
        "MOVE /folder2/ | Destination: /folder5/",
        "/folder5/b.txt",
        "/folder2/b.txt",
        "MOVE /folder5/ | Destination: /folder6/ | Depth: 0",
        "MOVE /moved.txt",
        "MOVE /moved.txt | Destination: /a.txt",
        "/a.txt",
        "DELETE /folder/",
        "/folder/b.txt",
        "PUT /some/b.txt || x",
        "DELETE /some/a.txt",
        "PUT /off/a.txt || x",
        "PUT /denied/a.txt || x",
        "PUT /small/b.txt || long",
        "/small/b.txt",
        "OPTIONS /a.txt",
        "PROPFIND /a.txt",
    ])
    .await;
}

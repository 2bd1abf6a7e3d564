//! auth_request: another part of the site says who may ask.

use super::compare::alike;
use crate::harness::Backend;

/// Answers with the status that the field `X-Want` names.
async fn judge() -> Backend {
    Backend::http(|request| {
        let want = request.lines().find_map(|line| line.strip_prefix("X-Want: "));
        let more = match want {
            Some("401") => "WWW-Authenticate: Bearer realm=\"judge\"\r\n",
            Some("302") => "Location: /login\r\n",
            _ => "X-User: ann\r\n",
        };
        let status = want.unwrap_or("200");
        format!("HTTP/1.1 {status} Judged\r\n{more}Content-Length: 2\r\n\r\nno")
    })
    .await
}

#[tokio::test]
async fn an_upstream_lets_in_or_refuses() {
    let asks = [
        "/a",
        "HEAD /a",
        "/a?b=c",
        "/a | X-Want: 204",
        "/a | X-Want: 401",
        "/a | X-Want: 403",
        "/a | X-Want: 404",
        "/a | X-Want: 500",
        "/a | X-Want: 302",
        "POST /echo || body",
        "/off/",
        "/page/ | X-Want: 401",
        "/page/ | X-Want: 403",
        "/hidden/ | X-Want: 401",
        "/set",
        "/set | X-Want: 204",
        "/setpage | X-Want: 401",
        "/judge",
    ];
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            auth_request /judge;
            auth_request_set $user $upstream_http_x_user;
            auth_request_set $said $upstream_status;
            location = /judge {
                internal;
                proxy_pass_request_body off;
                proxy_set_header Content-Length "";
                proxy_set_header X-Original $request_uri;
                proxy_set_header X-Method $request_method;
                proxy_pass http://127.0.0.1:8090;
            }
            location /off/ { auth_request off; try_files /a =404; }
            location /echo { proxy_set_header X-User $user; proxy_pass http://127.0.0.1:8090; }
            location /page/ { error_page 401 /open; error_page 403 = @open; try_files /a =404; }
            location = /open { auth_request off; return 200 "who is it $said"; }
            location @open { auth_request off; return 200 "named $said"; }
            location /hidden/ { auth_request /hiding; try_files /a =404; }
            location = /hiding { proxy_hide_header WWW-Authenticate; proxy_pass http://127.0.0.1:8090; }
            location /set { add_header X-Seen "$user $said" always; try_files /a =404; }
            location /setpage { add_header X-Seen "$user $said" always; try_files /a =404; }
        }"#,
    )
    .with_file("a", "A")
    .with_backend(8090, judge().await)
    .mainline()
    .answers(&asks)
    .await;
}

#[tokio::test]
async fn the_site_itself_lets_in_or_refuses() {
    let paths = [
        "/in/",
        "/out/",
        "/forbidden/",
        "/file/",
        "/nofile/",
        "/moved/",
        "/named/",
        "/guarded/",
        "/all/",
        "/any/",
        "/any/in/",
        "/any/out/",
        "/variable/?t=1",
        "/variable/",
    ];
    alike(
        r#"
        map $arg_t $verdict { default 403; 1 204; }
        server {
            listen 127.0.0.1:8080;
            root html;
            location / { auth_request /yes; try_files /a =404; }
            location = /yes { return 204; }
            location = /no { return 401; }
            location = /never { deny all; return 403; }
            location = /elsewhere { return 302 /; }
            location = /denied { deny all; try_files /a =404; }
            location /out/ { auth_request /no; try_files /a =404; }
            location /forbidden/ { auth_request /never; try_files /a =404; }
            location /file/ { auth_request /a; try_files /a =404; }
            location = /a { try_files /a =404; }
            location /nofile/ { auth_request /none; try_files /a =404; }
            location = /none { root nowhere; }
            location /moved/ { auth_request /elsewhere; try_files /a =404; }
            location /named/ { auth_request /lost; try_files /a =404; }
            location = /lost { root nowhere; error_page 404 =200 @found; try_files /x =404; }
            location @found { return 200 found; }
            location /guarded/ { auth_request /denied; try_files /a =404; }
            location /all/ { deny all; auth_request /yes; try_files /a =404; }
            location /any/ { satisfy any; deny all; auth_request /yes; try_files /a =404; }
            location /any/in/ { satisfy any; allow all; auth_request /no; try_files /a =404; }
            location /any/out/ { satisfy any; deny all; auth_request /no; try_files /a =404; }
            location /variable/ { auth_request /byarg; try_files /a =404; }
            location = /byarg { if ($request_uri ~ t=1) { return 204; } return 403; }
        }"#,
    )
    .with_file("a", "A")
    .answers(&paths)
    .await;
}

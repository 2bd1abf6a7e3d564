//! Access logs: formats, escapes, conditions.

use super::compare::alike;

const CONF: &str = r#"
log_format plain '$remote_addr - $remote_user "$request" $status "$http_referer" "$http_user_agent" "$http_x_forwarded_for" ';
log_format json escape=json '{"agent":"$http_user_agent","uri":"$uri","none":"$http_none"}';
log_format none escape=none '$http_user_agent|$uri|$http_none';
log_format two '$uri' ' and ' "$args";
map $status $bad { ~^[23] 0; default 1; }
server {
    listen 127.0.0.1:8080;
    access_log logs/access.log plain;
    location / { return 200 "ok"; }
    location /json { access_log logs/access.log json; return 200 "ok"; }
    location /none { access_log logs/access.log none; return 200 "ok"; }
    location /two { access_log logs/access.log two; return 200 "ok"; }
    location /off { access_log off; return 200 "ok"; }
    location /if { access_log logs/access.log plain if=$bad; return 200 "ok"; }
    location /ifbad { access_log logs/access.log plain if=$bad; return 404; }
    location /both { access_log logs/access.log two; access_log logs/access.log none; return 200 "ok"; }
    location /buffered { access_log logs/access.log two buffer=4k flush=10ms; return 200 "ok"; }
    location /outer { access_log logs/access.log two; location /outer/inner { return 200 "ok"; } }
    location /close { return 444; }
    location /named { access_log logs/$arg_f.log two; return 200 "ok"; }
}"#;

#[tokio::test]
async fn lines() {
    alike(CONF)
        .answers(&[
            "/",
            "/?a=b",
            "/ | User-Agent: a \"quoted\" \\ back | Referer: http://x/",
            "/ | User-Agent: t\tb",
            "/ | User-Agent: ä",
            "/ | X-Forwarded-For: 1.2.3.4, 5.6.7.8",
            "/ | Authorization: Basic am86c2VjcmV0",
            "/ | Authorization: Basic !!",
            "/ | Authorization: Bearer x",
            "/json | User-Agent: a \"quoted\" \\ back/slash",
            "/json | User-Agent: t\tb",
            "/json | User-Agent: ä",
            "/none | User-Agent: a \"quoted\" \\ back",
            "/none | User-Agent: t\tb ä",
            "/two?x=y",
            "/named?f=access",
            "/two",
            "/off",
            "/if",
            "/ifbad",
            "/both?q",
            "/buffered",
            "/outer/inner",
            "/close",
            "/%0a%22%5c%01%ff",
            "/json/%0a%22%5c%01%ff",
            "GET / HTTP/1.1\r\n\r\n",
            "rubbish\r\n\r\n",
            "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /old\r\n",
        ])
        .await;
}

#[tokio::test]
async fn subrequests() {
    alike(
        r#"
        log_format sub '$uri $request_uri $status $request_method [$request] $args';
        server {
            listen 127.0.0.1:8080;
            root html;
            access_log logs/access.log sub;
            log_subrequest on;
            location / { auth_request /in; }
            location /in { return 204; }
            location /out { return 403; }
            location /refused/ { auth_request /out; }
            location /page/ { auth_request /out; error_page 403 /sorry; }
            location /sorry { return 200 "sorry"; }
        }"#,
    )
    .with_file("a", "A")
    .with_errors()
    .answers(&["/a", "/a?x=y", "/refused/a", "/page/a", "POST /a || body", "/none"])
    .await;
}

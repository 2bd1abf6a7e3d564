//! rewrite, return, set, if and break.

use super::compare::alike;

#[tokio::test]
async fn returns() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location /text { return 200 "text"; }
            location /empty { return 200 ""; }
            location /code/204 { return 204; }
            location /code/400 { return 400; }
            location /code/403 { return 403; }
            location /code/404 { return 404; }
            location /code/405 { return 405; }
            location /code/410 { return 410; }
            location /code/418 { return 418; }
            location /code/429 { return 429; }
            location /code/500 { return 500; }
            location /code/503 { return 503; }
            location /code/444 { return 444; }
            location /code/599 { return 599; }
            location /code/302 { return 302; }
            location /code/304 { return 304; }
            location /code/201 { return 201 "made"; }
            location /code/404text { return 404 "not here: $uri"; }
            location /code/202 { default_type application/json; return 202 '{"a":1}'; }
            location /url { return http://example.com/x; }
            location /urlvar { return $scheme://example.com$request_uri; }
            location /301 { return 301 https://$host$request_uri; }
            location /302 { return 302 /relative?x=$arg_x; }
            location /303 { return 303 /a%20b; }
            location /307 { return 307 /same; }
            location /308 { return 308 /same; }
            location /300 { return 300 "choices"; }
            location /quoted { return 200 "a \"quoted\" word, 'single' and a \\ \t tab\n"; }
            location /many { return 200 "$arg_a$arg_b:${arg_a}x"; }
        }"#,
    )
    .answers(&[
        "/text",
        "/empty",
        "/code/204",
        "/code/400",
        "/code/403",
        "/code/404",
        "/code/405",
        "/code/410",
        "/code/418",
        "/code/429",
        "/code/500",
        "/code/503",
        "/code/444",
        "/code/599",
        "/code/302",
        "/code/304",
        "/code/201",
        "/code/404text",
        "/code/202",
        "/url",
        "/urlvar?a=b%20c",
        "/301/a?b",
        "/302?x=1",
        "/303",
        "/307",
        "/308",
        "/300",
        "/quoted",
        "/many?a=1&b=2&a=3",
        "HEAD /text",
        "HEAD /301",
        "POST /text || abc",
        "DELETE /text",
        "/text HTTP/1.0",
        "/code/404 HTTP/1.0",
        "/none",
    ])
    .await;
}

#[tokio::test]
async fn rewrites() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            rewrite ^/server/(.*)$ /at-server/$1;
            rewrite ^/gone$ /new-place permanent;
            rewrite ^/absolute/(.*)$ http://example.com/$1;
            location /last/ { rewrite ^/last/(.*)$ /echo/$1 last; return 200 "not here"; }
            location /break/ { rewrite ^/break/(.*)$ /files/$1 break; return 200 "not here"; }
            location /plain/ { rewrite ^/plain/(.*)$ /echo/$1; }
            location /plain2/ { rewrite ^/plain2/(.*)$ /plain/$1; return 200 "returned $uri"; }
            location /redirect/ { rewrite ^/redirect/(.*)$ /echo/$1 redirect; }
            location /permanent/ { rewrite ^/permanent/(.*)$ /echo/$1 permanent; }
            location /noargs/ { rewrite ^/noargs/(.*)$ /echo/$1? last; }
            location /args/ { rewrite ^/args/(.*)$ /echo/$1?from=$uri last; }
            location /rargs/ { rewrite ^/rargs/(.*)$ /echo/$1?x=1 redirect; }
            location /rnoargs/ { rewrite ^/rnoargs/(.*)$ /echo/$1? redirect; }
            location /loop/ { rewrite ^ /loop/x last; }
            location /named/ { rewrite ^/named/(?<first>[^/]+)/(?<second>.*)$ /echo/$second/$first last; }
            location /case/ { rewrite (?i)^/case/ABC$ /echo/matched last; return 200 "not matched"; }
            location /https/ { rewrite ^ https://$host$request_uri? permanent; }
            location /scheme/ { rewrite ^/scheme/(.*) $scheme://other/$1 last; }
            location /look/ { rewrite ^/look/(?!no).+$ /echo/looked last; return 200 "stayed"; }
            location /echo/ { return 200 "$uri|$args|$request_uri|$document_uri"; }
            location /at-server/ { return 200 "$uri|$args"; }
        }"#,
    )
    .with_file("files/a.txt", "file a")
    .answers(&[
        "/server/x?q=1", "/gone", "/gone?a=1", "/absolute/x?y=z", "/last/a?b=c", "/break/a.txt",
        "/break/none", "/plain/x", "/plain2/x", "/redirect/a?b=c", "/permanent/a", "/noargs/a?b=c",
        "/args/a?b=c", "/rargs/a?b=c", "/rnoargs/a?b=c", "/loop/", "/named/a/b", "/case/abc",
        "/case/abd", "/https/a%20b?c=d", "/scheme/x?y", "/look/no", "/look/yes", "/last/a%20b%3Fc",
        "/redirect/a%20b%3Fc%25d", "/redirect/%C3%A4", "/last/%0d%0aX", "/redirect/%0d%0aX",
    ])
    .await;
}

#[tokio::test]
async fn conditions() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            set $result "";
            location /bare { if ($arg_x) { return 200 "yes"; } return 200 "no"; }
            location /equal { if ($arg_x = a) { return 200 "yes"; } return 200 "no"; }
            location /unequal { if ($arg_x != a) { return 200 "yes"; } return 200 "no"; }
            location /match { if ($arg_x ~ ^(a+)(b*)$) { return 200 "yes $1 $2"; } return 200 "no"; }
            location /imatch { if ($arg_x ~* ^a) { return 200 "yes"; } return 200 "no"; }
            location /nomatch { if ($arg_x !~ ^a) { return 200 "yes"; } return 200 "no"; }
            location /inomatch { if ($arg_x !~* ^a) { return 200 "yes"; } return 200 "no"; }
            location /file { if (-f $document_root$arg_x) { return 200 "yes"; } return 200 "no"; }
            location /nofile { if (!-f $document_root$arg_x) { return 200 "yes"; } return 200 "no"; }
            location /dir { if (-d $document_root$arg_x) { return 200 "yes"; } return 200 "no"; }
            location /nodir { if (!-d $document_root$arg_x) { return 200 "yes"; } return 200 "no"; }
            location /exists { if (-e $document_root$arg_x) { return 200 "yes"; } return 200 "no"; }
            location /noexists { if (!-e $document_root$arg_x) { return 200 "yes"; } return 200 "no"; }
            location /exec { if (-x $document_root$arg_x) { return 200 "yes"; } return 200 "no"; }
            location /noexec { if (!-x $document_root$arg_x) { return 200 "yes"; } return 200 "no"; }
            location /method { if ($request_method = POST) { return 405; } return 200 "ok"; }
            location /agent { if ($http_user_agent ~* (bot|crawler)) { return 403; } return 200 "ok"; }
            location /and {
                set $t "";
                if ($arg_a = 1) { set $t "A"; }
                if ($arg_b = 1) { set $t "${t}B"; }
                if ($t = AB) { return 200 "both"; }
                return 200 "not both: '$t'";
            }
            location /header {
                add_header X-Outer 1;
                if ($arg_x) { add_header X-Inner 2; }
                if ($arg_y) { add_header X-Second 3; set $v 1; }
                try_files /a.txt =404;
            }
            location /break { set $b 1; if ($arg_x) { break; } set $b 2; add_header X-B $b; try_files /a.txt =404; }
            location /rewrite { if ($arg_x ~ (.+)) { set $c $1; rewrite ^ /seen/$c? last; } return 200 "no"; }
            location /seen { return 200 "seen $uri [$c] [$args]"; }
            location /zero { set $z 0; if ($z) { return 200 "yes"; } return 200 "no"; }
            location /cookie { if ($http_cookie ~* "id=([^;]+)(?:;|$)") { set $id $1; } return 200 "id=$id"; }
            location /set { set $a "x"; set $b "$a$a"; set $a "y"; return 200 "$a $b $result"; }
            if ($http_x_server) { return 200 "server level: $http_x_server"; }
        }"#,
    )
    .with_file("a.txt", "a")
    .with_file("sub/b.txt", "b")
    .answers(&[
        "/bare", "/bare?x=1", "/bare?x=0", "/bare?x=", "/bare?x=00", "/equal?x=a", "/equal?x=b",
        "/unequal?x=a", "/unequal", "/match?x=aab", "/match?x=c", "/imatch?x=ABC", "/nomatch?x=b",
        "/nomatch?x=a", "/inomatch?x=A", "/file?x=/a.txt", "/file?x=/sub", "/nofile?x=/b",
        "/dir?x=/sub", "/dir?x=/a.txt", "/nodir?x=/sub", "/exists?x=/a.txt", "/exists?x=/z",
        "/noexists?x=/z", "/exec?x=/a.txt", "/exec?x=/sub", "/noexec?x=/a.txt",
        "POST /method || x", "/method", "/agent | User-Agent: GoogleBot", "/agent | User-Agent: x",
        "/and?a=1&b=1", "/and?a=1", "/and?b=1", "/header", "/header?x=1", "/header?x=1&y=1",
        "/break", "/break?x=1", "/rewrite?x=abc", "/rewrite", "/zero", "/cookie | Cookie: a=b; id=7; c=d",
        "/cookie", "/set", "/bare | X-Server: 1",
    ])
    .await;
}

#[tokio::test]
async fn what_is_told_of_steps() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            error_log logs/error.log notice;
            rewrite_log on;
            location / { rewrite ^/a/(.*)$ /b/$1 last; rewrite ^/x https://far/ redirect; rewrite ^/y$ /z? permanent; return 200 "$uri"; }
            location /b/ { rewrite_log off; rewrite ^ /c$uri last; }
            location /c/ { if ($arg_v) { set $maybe $arg_v; } rewrite ^/c/(.*)$ /d/$1?m=$maybe break; return 200 "$uri|$args|$maybe"; }
            location /unset { if ($arg_v) { set $other 1; } return 200 "[$other]"; }
            location /quiet { uninitialized_variable_warn off; if ($arg_v) { set $third 1; } return 200 "[$third]"; }
            location ~ ^/named/(?<group>x)?y { return 200 "[$group]"; }
            location /foreign { return 200 "[$group][$maybe]"; }
        }"#,
    )
    .with_errors()
    .answers(&[
        "/a/1", "/x", "/y?q", "/none", "/b/2", "/c/3", "/c/3?v=w", "/unset", "/unset?v=1", "/quiet",
        "/named/y", "/named/xy", "/foreign",
    ])
    .await;
}

#[tokio::test]
async fn an_expression_that_gives_up_decides_nothing() {
    let asks: Vec<String> = ["/location/", "/rewrite/", "/if/", "/not/", "/map/", "/page/"]
        .iter()
        .flat_map(|path| [format!("{path}{}", "a".repeat(40)), format!("{path}aab")])
        .collect();
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"map $uri $mapped { default none; "~^/map/(a+)+\1b$" found; }
        server {
            listen 127.0.0.1:8080;
            location / { return 200 "other"; }
            location ~ "^/location/(a+)+\1b$" { return 200 "location"; }
            location /rewrite/ { rewrite "^/rewrite/(a+)+\1b$" /found last; return 200 "not rewritten"; }
            location /if/ { if ($uri ~ "^/if/(a+)+\1b$") { return 403; } return 200 "let in"; }
            location /not/ { if ($uri !~ "^/not/(a+)+\1b$") { return 200 "let in"; } return 403; }
            location /map/ { return 200 "[$mapped]"; }
            location /page/ { error_page 500 /rewritten; rewrite "^/page/(a+)+\1b$" /found last; return 200 "page"; }
        }"#,
    )
    .with_errors()
    .answers(&asks)
    .await;
}

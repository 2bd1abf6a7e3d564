//! ssi: pages put together by the server.

use super::compare::{alike, echo};

#[tokio::test]
async fn commands() {
    let backend = echo(&[
        ("/cut", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nx<!\r\n8\r\n--# echo\r\n10\r\n var=\"uri\" -->y \r\n0\r\n\r\n"),
        ("/plain", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n\r\n<!--# echo x --> a"),
        ("/part", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"x\"\r\nContent-Length: 6\r\n\r\n[part]"),
    ])
    .await;
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            default_type text/html;
            ssi on;
            set $known known;
            location /off/ { ssi off; }
            location /kept/ { ssi_last_modified on; }
            location /silent/ { ssi_silent_errors on; }
            location /types/ { ssi_types text/plain; }
            location /short/ { ssi_value_length 8; }
            location /up/ { proxy_pass http://127.0.0.1:8090/; }
            location /gzip/ { gzip on; }
            location /small/ { subrequest_output_buffer_size 4; }
        }"#,
    )
    .with_backend(8090, backend)
    .with_file("echo", r#"a<!--# echo var="arg_x" -->b<!--# echo var="arg_x" default="" -->c<!--# echo var="ARG_x" default="D" -->"#)
    .with_file("set", r#"<!--# set var="x" value="a<b>&\"c'd" --><!--# echo var="x" -->|<!--# echo var="x" encoding="none" -->|<!--# echo var="x" encoding="url" -->|<!--# echo var="X" encoding="bad" -->"#)
    .with_file("if", r#"<!--# if expr="$arg_x" -->yes<!--# else -->no<!--# endif -->end"#)
    .with_file("elif", r#"<!--# if expr="$arg_x = one" -->1<!--# elif expr="$arg_x = two" -->2<!--# elif expr="$arg_x != three" -->not3<!--# else -->else<!--# endif -->end"#)
    .with_file("nested", r#"<!--# if expr="$arg_x" -->A<!--# if expr="$arg_y" -->B<!--# endif -->C<!--# endif -->D"#)
    .with_file("deeper", r#"<!--# if expr="$arg_x" -->A<!--# elif expr="$arg_y" -->B<!--# if expr="$arg_z" -->Z<!--# endif -->b<!--# endif -->D<!--# endif -->E"#)
    .with_file("regex", r#"<!--# if expr="$arg_x = /^(a)(b)/" -->[<!--# echo var="1" --><!--# echo var="2" -->]<!--# endif --><!--# if expr="$arg_x = /(?P<nm>b+)/" -->[<!--# echo var="nm" --><!--# echo var="0" -->]<!--# endif -->"#)
    .with_file("wrong", r#"x<!--# bogus -->y<!--# echo -->z<!--# echo var="a" foo="b" -->w<!--# else -->v<!--# endif -->u<!--#echo var="uri" var="args"--><!--# ECHO var="uri" --><!--# echo VAR="uri" -->"#)
    .with_file("open", r#"x<!--# echo var="a"#)
    .with_file("unquoted", r#"x<!--# echo var=a -->y<!-- z --><!--#echo var="uri"-->"#)
    .with_file("config", r#"<!--# config errmsg="oops" --><!--# bogus --><!--# config timefmt="%Y" --><!--# echo var="date_gmt" -->"#)
    .with_file("dollar", r#"<!--# set var="x" value="a\$b$uri" --><!--# echo var="x" -->|<!--# set var="x" value="a\b" --><!--# echo var="x" -->|<!--# set var="x" value="${uri}z" --><!--# echo var="x" --><!--# set var="x" value="${uri" --><!--# echo var="x" -->"#)
    .with_file("include", r#"[<!--# include file="inc" -->][<!--# include virtual="/sub/inc" -->][<!--# include virtual="sub/inc?q=1" -->][<!--# include virtual="/none" -->]<!--# include file="../x" -->"#)
    .with_file("inc", r#"I<!--# echo var="uri" -->,<!--# echo var="request_uri" -->,<!--# echo var="args" -->"#)
    .with_file("sub/inc", r#"S<!--# echo var="uri" -->,<!--# echo var="document_uri" -->,<!--# echo var="args" --><!--# include file="leaf" -->"#)
    .with_file("sub/leaf", "leaf")
    .with_file("empty", "")
    .with_file("stub", r#"<!--# block name="one" -->B<!--# echo var="uri" --><!--# endblock -->[<!--# include virtual="/none" stub="one" -->][<!--# include virtual="/inc" stub="one" -->][<!--# include virtual="/empty" stub="two" -->]"#)
    .with_file("plainstub", r#"<!--# block name="one" -->B<!--# endblock -->[<!--# include virtual="/empty" stub="one" -->]"#)
    .with_file("keep", r#"<!--# include virtual="/inc" set="v" -->[<!--# echo var="v" encoding="none" -->]<!--# include virtual="/none" set="w" -->[<!--# echo var="w" -->]<!--# include virtual="/inc" wait="yes" -->e<!--# include virtual="/a" file="b" -->f<!--# include -->g<!--# include virtual="/inc" wait="maybe" -->"#)
    .with_file("mandatory", r#"<!--# set var="x" -->|<!--# set value="x" -->|<!--# if -->|<!--# config x="y" -->|<!--# if expr="a b" -->t<!--# endif -->"#)
    .with_file("spaces", "<!--#   echo\tvar = \"uri\"   -->")
    .with_file("cycle", r#"<!--# include virtual="/cycle" -->"#)
    .with_file("compare", r#"<!--# if expr="text" -->T<!--# endif --><!--# if expr="" -->E<!--# endif --><!--# if expr="$known = known" -->K<!--# endif --><!--# if expr="$known=known" -->K2<!--# endif --><!--# if expr="a = \/x" -->n<!--# endif --><!--# if expr="$arg_n != " -->empty<!--# endif -->"#)
    .with_file("shared", r#"<!--# set var="v" value="set" --><!--# include virtual="/reads" wait="yes" -->;<!--# echo var="w" -->"#)
    .with_file("reads", r#"<!--# echo var="v" --><!--# set var="w" value="wset" -->"#)
    .with_file("off/a.html", r#"<!--# echo var="uri" -->"#)
    .with_file("kept/a.html", r#"<!--# echo var="uri" -->"#)
    .with_file("silent/a.html", r#"a<!--# echo -->b"#)
    .with_file("types/a.txt", r#"<!--# echo var="uri" -->"#)
    .with_file("types/a.css", r#"<!--# echo var="uri" -->"#)
    .with_file("short/a.html", r#"<!--# set var="a" value="12345678" --><!--# echo var="a" --><!--# set var="a" value="123456789" --><!--# echo var="a" -->"#)
    .with_file("around", r#"<!--# include virtual="/up/part" -->+<!--# include virtual="/up/plain" -->+<!--# include virtual="/up/cut" -->"#)
    .with_file("gzip/a.html", r#"<!--# include virtual="/inc" --><!--# include virtual="/inc" -->"#)
    .with_file("small/a.html", r#"<!--# include virtual="/inc" set="v" -->[<!--# echo var="v" -->]"#)
    .without_logs()
    .answers(&[
        "/echo", "/echo?x=%3Cq", "HEAD /echo", "/echo HTTP/1.0", "/echo | Range: bytes=0-1",
        "/echo | If-None-Match: *", "/set", "/if", "/if?x=1", "/if?x=0", "/elif", "/elif?x=one",
        "/elif?x=two", "/elif?x=three", "/elif?x=z", "/nested", "/nested?x=1", "/nested?x=1&y=1",
        "/nested?y=1", "/deeper", "/deeper?x=1", "/deeper?y=1", "/deeper?y=1&z=1", "/regex",
        "/regex?x=abbc", "/regex?x=b", "/wrong", "/open", "/unquoted", "/config", "/dollar",
        "/include", "/include?w=1", "/empty", "/stub", "/plainstub", "/keep", "/mandatory",
        "/spaces", "/compare", "/compare?n=", "/shared", "/off/a.html", "/kept/a.html",
        "/silent/a.html", "/types/a.txt", "/types/a.css", "/short/a.html", "/up/cut", "/up/plain",
        "/up/part", "/gzip/a.html | Accept-Encoding: gzip", "POST /echo || body", "/cycle",
    ])
    .await;
}

#[tokio::test]
async fn variables_of_what_is_included() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            root html;
            ssi on;
            location /page { set $v page; set $w page; }
            location /part { set $v part; return 200 "[part $v $w]"; }
            location /deep { set $w deep; ssi_types *; }
        }"#,
    )
    .with_file("page.html", "<!--#echo var=\"v\" --> <!--#include virtual=\"/part\" wait=\"yes\" --> <!--#echo var=\"v\" -->, <!--#echo var=\"w\" -->")
    .with_file("page2.html", "<!--#include virtual=\"/deep.html\" wait=\"yes\" --> <!--#echo var=\"v\" -->, <!--#echo var=\"w\" -->")
    .with_file("page3.html", "<!--#include virtual=\"/part\" set=\"x\" --><!--#echo var=\"x\" encoding=\"none\" --> <!--#if expr=\"$v = part\" -->is part<!--#endif -->")
    .with_file("deep.html", "<!--#include virtual=\"/part\" wait=\"yes\" --> <!--#echo var=\"v\" -->")
    // How a chunked body is cut differs.
    .without_logs()
    .answers(&["/page.html", "/page2.html", "/page3.html", "/deep.html"])
    .await;
}

//! `tidegate explain` and the running server, asked for the same: they say the same.

use super::explain_json;
use crate::harness::ask::Ask;
use crate::harness::backend::{self, Backend};
use crate::harness::{Client, Tidegate, process};

const SITE: &str = r#"
map $arg_kind $kind { default plain; ~^v(?<number>\d)$ "version $number"; }
geo $near { default far; 192.0.2.0/24 near; }
upstream app { server 127.0.0.1:9001; keepalive 4; }
server {
    listen 127.0.0.1:8080;
    server_name a.test *.wild.test;
    add_header X-Place "server";
    error_page 404 /errors/404.html;
    error_page 403 = @refused;
    error_page 418 =200 /teapot;
    set $seen server;
    if ($arg_stop = yes) { return 402 "no more"; }
    if ($http_user_agent ~ (?<robot>\w+)bot) { set $seen "robot $robot"; }
    rewrite ^/moved/(.*)$ https://elsewhere.test/$1 permanent;
    rewrite ^/first/(.*)$ /second/$1?from=first;
    location / { add_header X-Place "/" always; try_files $uri $uri/ @app; }
    location = / { add_header X-Place "= /" always; return 200 root; }
    location /second/ { add_header X-Place "/second/" always; return 200 "$uri?$args $seen"; }
    location /a/ { add_header X-Place "/a/" always; return 200 a;
        location /a/b/ { add_header X-Place "/a/b/" always; return 200 ab; }
        location ~ \.md$ { add_header X-Place "~ md" always; return 200 md; } }
    location ^~ /sure/ { add_header X-Place "^~ /sure/" always; return 200 sure; }
    location ~ ^/(?<section>[a-z]+)/(\d+)\.html$ { add_header X-Place "~ html" always; return 200 "$section $2"; }
    location ~* \.PNG$ { add_header X-Place "~* png" always; root html; expires 1h; }
    location /vars { add_header X-Place "/vars" always; return 200 "$kind $near $seen"; }
    location /loop { rewrite ^ /loop$uri; }
    location /chain { rewrite ^/chain/(.*) /again/$1 last; return 200 no; }
    location /again { add_header X-Place "/again" always; rewrite ^/again/(.*) /files/$1 break; try_files $uri =410; }
    location /app { proxy_pass http://app; }
    location /app/inner/ { proxy_pass http://app/base/; }
    location /app/by/ { set $target http://127.0.0.1:9001; proxy_pass $target$uri; }
    location /app/cut/ { rewrite ^/app/cut/(.*) /$1 break; proxy_pass http://app; }
    location /private/ { add_header X-Place "/private/" always; deny all; return 200 unseen; }
    location /secret/ { add_header X-Place "/secret/" always; deny all; try_files $uri =404; }
    location @refused { add_header X-Place "@refused" always; return 423 "refused"; }
    location @app { proxy_pass http://app; }
    location /internal/ { internal; return 200 internal; }
    location /lead { rewrite ^ /internal/x last; }
    location /tea { add_header X-Place "/tea" always; return 418; }
    location /teapot { add_header X-Place "/teapot" always; return 200 teapot; }
    location /closed { return 444; }
    location /dir { add_header X-Place "/dir" always; root html; }
    location /photos { alias html/pictures; }
    location /read { limit_except GET { deny all; } add_header X-Place "/read" always; try_files /here.txt =404; }
    location /asks/ { auth_request /gate; add_header X-Place "/asks/" always; try_files /here.txt =404; }
    location = /gate { internal; return 204; }
    location /errors/ { internal; add_header X-Place "/errors/" always; root html; }
}
server { listen 127.0.0.1:8080; server_name ~^(?<who>.+)\.people\.test$; location / { return 200 "hello $who"; } }
server { listen 127.0.0.1:8081 default_server; server_name other.test; location / { return 200 "other $host $http_x_a"; } }
"#;

/// Requests: host, and the rest in the notation of the client.
const ASKED: &[(&str, &str)] = &[
    ("a.test", "/"),
    ("a.test", "/here.txt"),
    ("a.test", "/here.txt?x=1"),
    ("a.test", "/missing"),
    ("a.test", "/folder/"),
    ("a.test", "/folder"),
    ("a.test", "/?stop=yes"),
    ("a.test", "/second/x"),
    ("a.test", "/second/x | User-Agent: goodbot"),
    ("a.test", "/first/x?q=1"),
    ("a.test", "/moved/x%20y?q"),
    ("a.test", "/a/x"),
    ("a.test", "/a/b/x"),
    ("a.test", "/a/x.md"),
    ("a.test", "/a/12.html"),
    ("a.test", "/sure/12.html"),
    ("a.test", "/news/12.html"),
    ("a.test", "/pictures/dot.png"),
    ("a.test", "/pictures/none.PnG"),
    ("a.test", "/vars"),
    ("a.test", "/vars?kind=v7"),
    ("a.test", "/loop"),
    ("a.test", "/chain/one"),
    ("a.test", "/chain/two"),
    ("a.test", "/app"),
    ("a.test", "/app/x?y=z"),
    ("a.test", "/app/inner"),
    ("a.test", "/app/inner/%41b?c"),
    ("a.test", "/app/by/x"),
    ("a.test", "/app/cut/x%2Fy"),
    ("a.test", "/private/x"),
    ("a.test", "/secret/x"),
    ("a.test", "/internal/x"),
    ("a.test", "/lead"),
    ("a.test", "/tea"),
    ("a.test", "/closed"),
    ("a.test", "/dir"),
    ("a.test", "/dir/"),
    ("a.test", "/dir/../here.txt"),
    ("a.test", "//here.txt"),
    ("a.test", "/photos/dot.png"),
    ("a.test", "/read"),
    ("a.test", "HEAD /read"),
    ("a.test", "POST /read"),
    ("a.test", "DELETE /here.txt"),
    ("a.test", "/asks/x"),
    ("a.test", "/errors/404.html"),
    ("a.test", "/%00"),
    ("a.test", "/%zz"),
    ("a.test", "/../x"),
    ("x.wild.test", "/second/x"),
    ("Ann.People.test", "/x"),
    ("unknown.test", "/second/x"),
    ("a.test.", "/second/x"),
    ("bad/host", "/"),
    ("a.test", "/ | X-A: b | Host: other.test"),
];

#[tokio::test]
async fn it_says_what_the_running_server_does() {
    if !process::is_ours() {
        return;
    }
    let app = Backend::http(|head| {
        backend::ok(head.lines().next().unwrap_or_default().split(' ').nth(1).unwrap_or_default())
    })
    .await;
    let conf = SITE.replace("127.0.0.1:9001", &format!("127.0.0.1:{}", app.port()));
    let server = Tidegate::start(&conf)
        .with_file("here.txt", "HERE")
        .with_file("files/one", "ONE")
        .with_file("folder/index.html", "INDEX")
        .with_file("dir/index.html", "DIR")
        .with_file("pictures/dot.png", "PNG")
        .with_file("errors/404.html", "PAGE")
        .await;
    let others = [("a.test", "/"), ("other.test", "/ | X-A: b"), ("x.people.test", "/")];
    let others = others.iter().map(|asked| (8081, asked));
    for (named, (host, ask)) in ASKED.iter().map(|asked| (8080, asked)).chain(others) {
        // Both see the same host; the port is there for the URL alone.
        let given = ask.contains("Host:");
        let ask = if given { (*ask).to_owned() } else { format!("{ask} | Host: {host}") };
        compare(&server, server.port(named), host, &ask).await;
    }
}

/// Asks the server and `explain`.
async fn compare(server: &Tidegate, port: u16, host: &str, ask: &str) {
    let mut parts = ask.split(" | ");
    let line = parts.next().unwrap();
    let (method, target) = line.split_once(' ').unwrap_or(("GET", line));
    let url = format!("http://{}:{port}{target}", if host.contains('/') { "a.test" } else { host });
    let mut words = vec!["-X", method, url.as_str()];
    parts.for_each(|field| words.extend(["-H", field]));
    let told = explain_json(server, &words);
    let mut connection = Client::of_port(port).connect().await;
    connection.send(&Ask::of(ask).bytes).await;
    let answer = &told["answer"];
    let context = format!("{ask} on {port}: {told:#}");
    let Ok(got) = connection.try_answer(method).await else {
        assert_eq!(answer["by"], "close", "{context}");
        return;
    };
    let status = answer["status"].as_u64().unwrap_or(200);
    assert_eq!(u64::from(got.status), status, "{context}\n{}", got.text());
    if let Some(place) = got.field("X-Place") {
        let heading = told["location"]["name"].as_str().unwrap_or_default();
        let heading = match place {
            "~ md" => r"location ~ \.md$".to_owned(),
            "~ html" => r"location ~ ^/(?<section>[a-z]+)/(\d+)\.html$".to_owned(),
            "~* png" => r"location ~* \.PNG$".to_owned(),
            "server" => heading.to_owned(),
            place => format!("location {place}"),
        } == heading;
        assert!(heading, "{place}: {context}");
    }
    if let Some(to) = answer["redirect"].as_str() {
        assert!(got.field("Location").is_some_and(|got| got.ends_with(to)), "{context}");
    }
    let body = got.text();
    if method == "HEAD" {
        return;
    }
    if answer["by"] == "upstream" {
        assert_eq!(answer["upstream"]["uri"].as_str(), Some(body.as_str()), "{context}");
    } else if let Some(told) = answer["body"].as_str() {
        assert_eq!(told, body, "{context}");
    } else if let (Some(file), 200) = (answer["file"].as_str(), got.status) {
        let file = file.replace("PREFIX", &server.folder().display().to_string());
        assert_eq!(std::fs::read_to_string(&file).unwrap_or_default(), body, "{context}");
    }
}

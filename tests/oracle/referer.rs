//! referer: whether a request comes from another site than those allowed.

use super::compare::alike;

#[tokio::test]
async fn sites_that_may_lead_here() {
    let paths =
        ["/all/", "/hosts/", "/path/", "/regex/", "/own/", "/blocked/", "/unsaid/", "/mixed/"];
    let referers = [
        "",
        "http://site.org/",
        "https://SITE.org:81/x",
        "http://www.site.org",
        "http://x.y.site.org/a",
        "http://a.b",
        "http://mail.x/y",
        "http://star.net/",
        "http://w.star.net/",
        "ftp://site.org/",
        "site.org",
        "http://path.org/in/here",
        "http://path.org/out",
        "http://path.org",
        "http://path.org:80/in",
        "http://own.example/",
        "http://sub.own.example/",
        "http://r7.net/",
        "https://rx.net/",
        "http://google.com/x?q=1",
        "rubbish",
        "http://",
        "https://short",
        "http://evil.org/http://site.org/",
        "http://site.org.evil/",
    ];
    let mut asks = Vec::new();
    for path in paths {
        for referer in referers {
            asks.push(match referer {
                "" => path.to_owned(),
                referer => format!("{path} | Referer: {referer}"),
            });
        }
    }
    asks.push(format!("/hosts/ | Referer: http://{}.org/", "a".repeat(300)));
    asks.push("/hosts/ | Referer:".to_owned());
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            server_name own.example *.own.example ~^r\d\.net$;
            location / { return 200 "[$invalid_referer]"; }
            location /all/ { valid_referers none blocked server_names *.site.org; if ($invalid_referer) { return 403; } return 200 "in"; }
            location /hosts/ { valid_referers site.org www.site.* .star.net mail.*; return 200 "[$invalid_referer]"; }
            location /path/ { valid_referers path.org/in; return 200 "[$invalid_referer]"; }
            location /regex/ { valid_referers ~\.google\. ~google\.com/X; return 200 "[$invalid_referer]"; }
            location /own/ { valid_referers server_names; return 200 "[$invalid_referer]"; }
            location /blocked/ { valid_referers blocked site.org; return 200 "[$invalid_referer]"; }
            location /mixed/ { valid_referers none site.org; valid_referers ~path; return 200 "[$invalid_referer]"; }
        }"#,
    )
    .answers(&asks)
    .await;
}

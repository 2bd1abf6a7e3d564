//! browser and empty_gif: clients told apart by their names, and the smallest picture.

use super::compare::alike;

#[tokio::test]
async fn names_of_browsers() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location / { return 200 "[$modern_browser] [$ancient_browser] [$msie]"; }
            location /listed {
                modern_browser msie 5.5; modern_browser gecko 1.0.0; modern_browser opera 9.0;
                modern_browser safari 413; modern_browser konqueror 3.0;
                modern_browser_value new; ancient_browser_value "old $uri";
                return 200 "[$modern_browser] [$ancient_browser] [$msie]";
            }
            location /unlisted {
                modern_browser unlisted; ancient_browser Links Lynx netscape4;
                return 200 "[$modern_browser] [$ancient_browser]";
            }
            location /ancient { ancient_browser Links; return 200 "[$modern_browser] [$ancient_browser]"; }
        }"#,
    )
    .answers(&[
        "/", "/ | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)",
        "/ | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; en) Opera 8.0",
        "/listed", "/listed | User-Agent: x",
        "/listed | User-Agent: Mozilla/4.0 (compatible; MSIE 5.5; Windows NT 5.1)",
        "/listed | User-Agent: Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.1)",
        "/listed | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; en) Opera 8.0",
        "/listed | User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; en) Opera 9.1",
        "/listed | User-Agent: Mozilla/5.0 (X11; U; Linux i686; rv:1.7.12) Gecko/2005",
        "/listed | User-Agent: Mozilla/5.0 (X11; U; Linux i686; rv:0.9) Gecko/2005",
        "/listed | User-Agent: Mozilla/5.0 (Macintosh) AppleWebKit/125 (KHTML, like Gecko) Safari/412",
        "/listed | User-Agent: Mozilla/5.0 (Macintosh) AppleWebKit/125 (KHTML, like Gecko) Safari/413.1",
        "/listed | User-Agent: Mozilla/5.0 (compatible; Konqueror/3.4; Linux) KHTML/3.4.2",
        "/listed | User-Agent: MSIE 9",
        "/unlisted", "/unlisted | User-Agent: curl/8", "/unlisted | User-Agent: Links (2.1)",
        "/unlisted | User-Agent: Mozilla/4.7", "/unlisted | User-Agent: Mozilla/5.0 (x)",
        "/ancient | User-Agent: Links", "/ancient | User-Agent: other", "/ancient",
    ])
    .await;
}

#[tokio::test]
async fn the_smallest_picture() {
    alike(
        r#"server {
            listen 127.0.0.1:8080;
            location / { empty_gif; }
            location /cached { empty_gif; expires 1d; add_header X-A b; }
            location /in/ { empty_gif; location /in/ner { return 200 "x"; } }
        }"#,
    )
    .without_logs()
    .answers(&[
        "/",
        "HEAD /",
        "/any/path.gif",
        "POST / || x",
        "PUT / || x",
        "/ | Range: bytes=0-5",
        "/ | If-Modified-Since: Mon, 28 Sep 1970 06:00:00 GMT",
        "/ | If-Modified-Since: Mon, 28 Sep 1970 06:00:01 GMT",
        "/in/ner",
    ])
    .await;
}

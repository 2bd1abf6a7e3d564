//! What a visitor of the Django site does and sees.

use std::fmt::Write as _;

use super::application::Files;
use crate::harness::client::Client;
use crate::harness::{Answer, Tidegate};

/// A visitor of a running site.
pub struct Visitor<'a> {
    server: &'a Tidegate,
}

impl<'a> Visitor<'a> {
    /// A visitor of this server.
    pub fn new(server: &'a Tidegate) -> Self {
        Self { server }
    }

    /// A page names a style sheet by its hash; that comes from disk, to be kept for ever.
    pub async fn sees_a_page_and_its_hashed_style_sheet(&self) {
        let page = self.server.get("/").await;
        page.is(200).has("Content-Type", "text/html; charset=utf-8").mentions("<h1>Gallery</h1>");
        let page = page.text();
        let style = between(&page, "<link rel=\"stylesheet\" href=\"", "\"");
        let sheet = self.server.get(style).await;
        sheet.is(200).has("Content-Type", "text/css").mentions("url(\"wave.");
        sheet.has("Cache-Control", "max-age=315360000");
        let etag = sheet.field("ETag").expect("an ETag");
        self.server.ask(&format!("{style} | If-None-Match: {etag}")).await.is(304);

        let head = self.server.ask("HEAD /").await;
        head.is(200).has("Content-Length", &page.len().to_string()).says("");
    }

    /// A form's file is saved by the application and read from disk, whole and in part.
    pub async fn uploads_a_file_and_reads_it_back(&self, files: &Files) {
        let content = pattern(3 << 20);
        let answer = upload(self.server, "Host: localhost", "a b.txt", &content).await;
        answer.is(302).has("Location", "/media/a%20b.txt");
        assert_eq!(std::fs::read(files.path().join("media/a b.txt")).unwrap(), content);

        let whole = self.server.get("/media/a%20b.txt").await;
        let kind = whole.is(200).field("Content-Type").expect("a type");
        assert!(kind.starts_with("text/plain"), "{kind}");
        assert_eq!(whole.body, content);
        let part = self.server.ask("/media/a%20b.txt | Range: bytes=1000000-1000009").await;
        part.is(206).has("Content-Range", &format!("bytes 1000000-1000009/{}", content.len()));
        assert_eq!(part.body, content[1_000_000..1_000_010]);
        self.server.get("/media/none.txt").await.is(404);
    }

    /// The application gets the decoded path, the raw one, the fields and the client's address.
    pub async fn is_told_what_arrived(&self) {
        let ask = "/echo/a%20b/%C3%A9?x=%20y | Host: site.example:81 | X-Own: 1 | X-Own: 2";
        let answer = self.server.ask(ask).await;
        answer.is(200).mentions("\"path\": \"/echo/a b/\\u00e9\"");
        answer.mentions("\"raw\": \"/echo/a%20b/%C3%A9?x=%20y\"").mentions("\"query\": \"x=%20y\"");
        answer.mentions("\"host\": \"site.example:81\"").mentions("\"scheme\": \"http\"");
        let values = answer.text().replace("1, 2", "1,2");
        assert!(values.contains("\"X-Own\": \"1,2\""), "{values}");
        let answer = self.server.ask("DELETE /echo").await;
        answer.is(200).mentions("\"method\": \"DELETE\"").mentions("\"length\": 0");
    }

    /// A body larger than any buffer arrives as it was sent, by length and in chunks.
    pub async fn sends_a_big_body(&self) {
        let body = pattern(2_500_001);
        let sums = format!("\"length\": {}, \"adler32\": {}", body.len(), adler32(&body));
        let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\n";

        let mut connection = self.server.connect().await;
        connection.send(format!("{head}Content-Length: {}\r\n\r\n", body.len())).await;
        connection.send(&body).await;
        connection.answer().await.is(200).mentions(&sums);

        connection.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await;
        for chunk in body.chunks(100_000) {
            connection.send(format!("{:x}\r\n", chunk.len())).await;
            connection.send(chunk).await;
            connection.send("\r\n").await;
        }
        connection.send("0\r\n\r\n").await;
        connection.answer().await.is(200).mentions(&sums);
    }

    /// An answer without a length arrives whole.
    pub async fn gets_a_big_answer(&self) {
        let answer = self.server.get("/big?bytes=3000000").await;
        answer.is(200).has("Content-Type", "text/plain");
        assert_eq!(answer.body.len(), 3_000_000);
        assert!(answer.body.chunks(16).all(|line| line == b"0123456789abcde\n"));
    }

    /// The application answers with the name of a file, and the server sends it.
    pub async fn downloads_a_file_the_application_only_names(&self, files: &Files) {
        std::fs::write(files.path().join("media/für 50%.txt"), "protected").unwrap();
        let answer = self.server.get("/download/f%C3%BCr%2050%25.txt").await;
        answer.is(200).says("protected").has("Content-Type", "application/x-test");
        answer.has("Content-Disposition", "attachment").lacks("X-Accel-Redirect");
        self.server.get("/protected/f%C3%BCr%2050%25.txt").await.is(404);
        self.server.get("/download/none").await.is(404);
    }

    /// The first event is there before the second is made.
    pub async fn gets_events_as_they_are_made(&self, files: &Files) {
        let mut connection = self.server.connect().await;
        connection.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let head = connection.until("\r\n\r\n").await;
        assert!(head.contains("text/event-stream"), "{head}");
        connection.until("data: first\n\n").await;
        std::fs::write(files.path().join("go"), "").unwrap();
        connection.until("data: second\n\n").await;
    }
}

/// Sends a file by the site's form, with the token of its page; `fields` are header lines.
pub async fn upload(client: &Client, fields: &str, name: &str, content: &[u8]) -> Answer {
    let page = client.get("/").await;
    let cookie = page.field("Set-Cookie").expect("a cookie").split(';').next().unwrap().trim();
    let text = page.text();
    let token = between(&text, "name=\"csrfmiddlewaretoken\" value=\"", "\"");

    let mut body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{token}\r\n\
        --cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
        Content-Type: text/plain\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--cut--\r\n");

    let mut head = format!("POST /upload HTTP/1.1\r\n{fields}\r\nCookie: {cookie}\r\n");
    let _ = write!(head, "Content-Type: multipart/form-data; boundary=cut\r\n");
    let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
    let mut connection = client.connect().await;
    connection.send(head).await;
    connection.send(body).await;
    connection.answer().await
}

/// The text between two others.
#[track_caller]
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no {after:?} in {rest}")).0
}

/// So many bytes that do not repeat in step with any buffer.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| b'a' + (n % 8191 % 26) as u8).collect()
}

fn adler32(bytes: &[u8]) -> u32 {
    let sums = bytes.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    sums.1 << 16 | sums.0
}

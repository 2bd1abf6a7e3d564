//! Requests in the notation of HTTP/1, asked over HTTP/2.

use std::collections::HashMap;
use std::time::Duration;

use super::normal;
use crate::harness::ask::Ask;
use crate::harness::http2::{Reply, request};
use crate::harness::{Http2, Tidegate};

/// The connections to one server, by port.
#[derive(Default)]
pub struct OverHttp2 {
    open: HashMap<u16, Http2>,
}

impl OverHttp2 {
    /// One request, on the connection that is open.
    pub async fn ask(&mut self, server: &Tidegate, ask: &Ask) -> String {
        let port = ask.port.unwrap_or(0);
        let mut client = match self.open.remove(&port) {
            Some(client) => client,
            None => match ask.port {
                Some(port) => Http2::to(&server.at(port)).await,
                None => server.http2().await,
            }
            .with_patience(Duration::from_secs(4)),
        };
        let text = String::from_utf8(ask.bytes.clone()).expect("a request is text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.split("\r\n");
        let mut words = lines.next().expect("a line").split(' ');
        let (method, target) = (words.next().expect("a method"), words.next().expect("a target"));
        let (mut authority, mut fields) = (String::new(), Vec::new());
        for line in lines {
            let (name, value) = line.split_once(':').expect("a field");
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            if name == "host" { authority = value } else { fields.push((name, value)) }
        }
        let others: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut all = request(method, target, &others);
        all[3].1 = &authority;
        let has_body = fields.iter().any(|(name, _)| name == "content-length");
        let reply = if has_body {
            client.post(&all, body.as_bytes()).await
        } else {
            client.ask(&all).await
        };
        match reply {
            Reply::Answer(answer) => {
                self.open.insert(port, client);
                normal::answer(server, &answer, method)
            }
            Reply::Reset(code) => {
                self.open.insert(port, client);
                format!("(reset {code})")
            }
            other => format!("({other:?})"),
        }
    }
}

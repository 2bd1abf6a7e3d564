//! Requests in the notation of HTTP/1, asked over HTTP/2.

use std::collections::HashMap;

use super::normal;
use crate::harness::ask::Ask;
use crate::harness::http2::{Reply, request};
use crate::harness::{Http2, Tidegate};

/// The connections to one server, by port and handshake.
#[derive(Default)]
pub struct OverHttp2 {
    open: HashMap<(u16, String), Http2>,
}

impl OverHttp2 {
    /// Takes the connection that is open for such a request.
    pub fn take(&mut self, ask: &Ask) -> Option<Http2> {
        self.open.remove(&key(ask))
    }

    /// One request, on a connection whose settings are exchanged.
    pub async fn ask(&mut self, mut client: Http2, server: &Tidegate, ask: &Ask) -> String {
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
        if ask.tls.is_some() {
            all[1].1 = "https";
        }
        let has_body = fields.iter().any(|(name, _)| name == "content-length");
        let reply = if has_body {
            client.post(&all, body.as_bytes()).await
        } else {
            client.ask(&all).await
        };
        match reply {
            Reply::Answer(answer) => {
                self.open.insert(key(ask), client);
                normal::answer(server, &answer, method)
            }
            Reply::Reset(code) => {
                self.open.insert(key(ask), client);
                format!("(reset {code})")
            }
            other => format!("({other:?})"),
        }
    }
}

fn key(ask: &Ask) -> (u16, String) {
    (ask.port.unwrap_or(0), ask.tls.clone().unwrap_or_default())
}

//! One of the two servers that are compared, as a client has it.

use std::collections::HashMap;

use super::normal;
use super::over_http2::OverHttp2;
use crate::harness::ask::Ask;
use crate::harness::client::Connection;
use crate::harness::handshake::Handshakes;
use crate::harness::tls::Made;
use crate::harness::{Http2, Tidegate};

/// One of the two servers, and the connections to it that may be used again.
pub struct Side<'a> {
    /// The server.
    pub server: &'a Tidegate,
    open: HashMap<(u16, Option<String>), Connection>,
    http2: OverHttp2,
    /// Whether all is asked over HTTP/2.
    always_http2: bool,
    handshakes: Handshakes,
}

impl<'a> Side<'a> {
    /// A server, asked over HTTP/2 or as the requests say; clients can show these certificates.
    pub fn of(server: &'a Tidegate, always_http2: bool, clients: &HashMap<String, Made>) -> Self {
        let handshakes = Handshakes::with(clients.clone());
        let http2 = OverHttp2::default();
        Self { server, open: HashMap::new(), http2, always_http2, handshakes }
    }

    /// One request, on the connection that the last answer has left open. That it is open is
    /// shown by the next answer; that it is not, by its end.
    pub async fn ask(&mut self, ask: &Ask) -> String {
        let spoken = ask.tls.as_deref().is_some_and(|word| word.split('+').any(|w| w == "h2"));
        if self.always_http2 || spoken {
            let client = match self.http2.take(ask) {
                Some(client) => client,
                None => match self.http2(ask).await {
                    Ok(client) => client,
                    Err(why) => return format!("(no handshake: {why})"),
                },
            };
            return self.http2.ask(client, self.server, ask).await;
        }
        let key = (ask.port.unwrap_or(0), ask.tls.clone());
        let mut connection = match self.open.remove(&key) {
            Some(connection) => connection,
            None => match self.connect(ask).await {
                Ok(connection) => connection,
                Err(why) => return format!("(no handshake: {why})"),
            },
        };
        connection.send(&ask.bytes).await;
        let mut text = String::new();
        loop {
            let answer = match connection.try_answer(&ask.method).await {
                Ok(answer) => answer,
                Err(why) => return text + &self.server.anonymous(&format!("({why})")),
            };
            text += &normal::answer(self.server, &answer, &ask.method);
            if matches!(answer.status, 100 | 103) {
                continue;
            }
            if answer.keeps_alive() {
                self.open.insert(key, connection);
            } else if !connection.closes().await || !connection.text().is_empty() {
                text += &format!("(not closed, {:?})", connection.text());
            }
            return text;
        }
    }

    /// Bytes that may be several requests, on a connection of their own.
    pub async fn raw(&mut self, ask: &Ask) -> String {
        let mut connection = match self.connect(ask).await {
            Ok(connection) => connection,
            Err(why) => return format!("(no handshake: {why})"),
        };
        connection.send(&ask.bytes).await;
        if ask.ends {
            connection.finish().await;
        }
        let closed = connection.closes().await;
        let end = if closed { "" } else { "(still open)" };
        normal::bytes(self.server, connection.text().as_bytes()) + end
    }

    async fn connect(&mut self, ask: &Ask) -> Result<Connection, String> {
        let port = self.port(ask);
        Ok(match &ask.tls {
            Some(word) => Connection::over(self.handshakes.connect(port, word).await?),
            None => self.client(ask).connect().await,
        })
    }

    async fn http2(&mut self, ask: &Ask) -> Result<Http2, String> {
        let port = self.port(ask);
        let client = match &ask.tls {
            Some(word) => Http2::over(self.handshakes.connect(port, word).await?),
            None => Http2::bare(&self.client(ask)).await,
        };
        Ok(client.begun(&[]).await)
    }

    fn client(&self, ask: &Ask) -> crate::harness::Client {
        ask.port.map_or(**self.server, |port| self.server.at(port))
    }

    fn port(&self, ask: &Ask) -> u16 {
        self.client(ask).port()
    }
}

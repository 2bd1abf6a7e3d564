//! What is told of a request at the level `debug`: all of its head, where it went, and the answer's
//! head.

use tidegate_config::block::location::LocationName;

use crate::exchange::Exchange;
use crate::response::Response;

impl Exchange<'_> {
    /// Tells of the request's head.
    #[inline]
    pub fn debug_request(&self) {
        if self.is_debugged() {
            self.tell_request();
        }
    }

    /// Tells where the request has come to, and of the head of its answer.
    #[inline]
    pub fn debug_answer(&self, response: &Response) {
        if self.is_debugged() {
            self.tell_answer(response);
        }
    }

    fn tell_request(&self) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.debug(&format!("http request line: \"{}\"", text(&self.request.line)));
        self.debug(&format!("http uri: \"{}\"", text(&self.uri)));
        let args = self.args.as_deref().unwrap_or_default();
        self.debug(&format!("http args: \"{}\"", text(args)));
        for field in &self.request.headers {
            self.debug(&format!("http header: \"{}: {}\"", text(&field.name), text(&field.value)));
        }
    }

    fn tell_answer(&self, response: &Response) {
        let name = match &self.location.name {
            LocationName::None => "the server".to_owned(),
            name => name.text(),
        };
        self.debug(&format!("using configuration \"{name}\" of \"{}\"", self.server.name()));
        self.debug(&format!("http response status: {}", response.status));
        for field in &response.headers {
            let name = String::from_utf8_lossy(&field.name);
            let value = String::from_utf8_lossy(&field.value);
            self.debug(&format!("http response header: \"{name}: {value}\""));
        }
    }
}

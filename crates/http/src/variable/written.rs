//! Texts with variables, written to where they go; nothing is kept of the values on the way.

use tidegate_config::value::template::{Part, Template};
use tidegate_config::variable::{Builtin, Variable};

use super::upstream;
use crate::exchange::Exchange;

impl Exchange<'_> {
    /// Adds the text of a template to what is there; variables without a value are empty.
    pub fn write(&mut self, template: &Template, out: &mut Vec<u8>) {
        for part in &template.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Variable(Variable::Builtin(builtin)) => self.write_builtin(*builtin, out),
                Part::Variable(variable) => self.write_value(variable, out),
            }
        }
    }

    /// What most requests are sent on with is not put into memory of its own first.
    #[inline]
    fn write_builtin(&mut self, builtin: Builtin, out: &mut Vec<u8>) {
        match builtin {
            Builtin::Uri | Builtin::DocumentUri => out.extend_from_slice(&self.uri),
            Builtin::Args | Builtin::QueryString => {
                out.extend_from_slice(self.args.as_deref().unwrap_or_default());
            }
            Builtin::Host => match &self.request.host {
                Some(host) => out.extend_from_slice(host),
                None => out.extend_from_slice(self.server.name().as_bytes()),
            },
            // Of others it depends on more.
            Builtin::RequestMethod if self.request.length > 0 && !self.subrequest => {
                out.extend_from_slice(self.method.as_str().as_bytes());
            }
            Builtin::Https if !self.connection.is_encrypted() => {}
            Builtin::RequestUri => out.extend_from_slice(&self.request.target),
            Builtin::ServerProtocol => out.extend_from_slice(&self.request.protocol),
            Builtin::Scheme if self.connection.is_encrypted() => out.extend_from_slice(b"https"),
            Builtin::Scheme => out.extend_from_slice(b"http"),
            Builtin::RemoteAddr => self.remote.put_address(out),
            Builtin::RemotePort => self.remote.put_port(out),
            Builtin::ServerPort => self.connection.local.put_port(out),
            Builtin::ServerName => out.extend_from_slice(self.server.name().as_bytes()),
            Builtin::ProxyHost => out.extend_from_slice(&self.proxy_host.0),
            Builtin::ProxyPort => out.extend_from_slice(&self.proxy_host.1),
            Builtin::ProxyAddXForwardedFor => upstream::put_forwarded_for(self, out),
            _ => self.write_value(&Variable::Builtin(builtin), out),
        }
    }

    fn write_value(&mut self, variable: &Variable, out: &mut Vec<u8>) {
        if let Some(value) = self.value(variable) {
            out.extend_from_slice(&value);
        }
    }
}

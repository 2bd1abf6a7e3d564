//! `proxy_pass`, `uwsgi_pass` and their kin: who answers in our place.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault, Twice};
use crate::names::Group;
use crate::syntax::Word;
use crate::value::address::{Address, Form, Target};
use crate::value::template::Template;

/// Who answers in our place.
#[derive(Clone, Debug, Directives)]
pub struct Passes {
    /// The upstream that is asked over HTTP.
    #[directive("proxy_pass", only(Location, LocationIf, LimitExcept), own, parse = Pass::proxy, args(1))]
    #[directive("uwsgi_pass", only(Location, LocationIf), own, parse = Pass::uwsgi, args(1))]
    #[directive("fastcgi_pass", only(Location, LocationIf), own, parse = Pass::fastcgi, args(1))]
    #[directive("scgi_pass", only(Location, LocationIf), own, parse = Pass::scgi, args(1))]
    #[directive("grpc_pass", only(Location, LocationIf), own, parse = Pass::grpc, args(1))]
    pub to: Option<Pass>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What is spoken.
    pub protocol: Protocol,
    /// Whether it is encrypted (`https://`, `suwsgi://`).
    pub tls: bool,
    /// Where it goes.
    pub to: Destination,
}

/// What is spoken to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.
    Http,
    /// uwsgi.
    Uwsgi,
    /// FastCGI.
    Fastcgi,
    /// SCGI.
    Scgi,
    /// gRPC, over HTTP/2.
    Grpc,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To a group that is known.
    Group {
        /// The group.
        group: Group,
        /// `$proxy_host`: host, and port where it is written.
        host: String,
        /// `$proxy_port`; empty for a unix socket.
        port: String,
        /// The URI that stands for the location's name.
        uri: Option<String>,
    },
    /// To what a template says, with scheme for `proxy_pass`: a group's name, or an address.
    Variable(Template),
}

impl Twice for Option<Pass> {
    /// nginx: each protocol knows of itself alone, and the last one answers.
    fn twice(&self, args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<(), Fault> {
        let name = &args.name.text;
        if self.as_ref().is_some_and(|pass| pass.protocol.directive() == name) {
            return Err(Fault::duplicate());
        }
        let text = format!("\"{name}\" takes the place of what was to answer before it");
        cx.warn(text, args.name.span, "keep one of the two");
        Ok(())
    }
}

impl Protocol {
    fn directive(self) -> &'static str {
        match self {
            Self::Http => "proxy_pass",
            Self::Uwsgi => "uwsgi_pass",
            Self::Fastcgi => "fastcgi_pass",
            Self::Scgi => "scgi_pass",
            Self::Grpc => "grpc_pass",
        }
    }
}

impl Pass {
    fn proxy(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        let word = args.first();
        if word.text.contains('$') {
            let to = Destination::Variable(Template::compile(word, cx)?);
            return Ok(Some(Self { protocol: Protocol::Http, tls: false, to }));
        }
        let (tls, rest) = if let Some(rest) = strip_scheme(&word.text, "http://") {
            (false, rest)
        } else if let Some(rest) = strip_scheme(&word.text, "https://") {
            (true, rest)
        } else {
            return Err(Fault::sentence("invalid URL prefix")
                .at(word.span)
                .hint(format!("write http://{} or https://{}", word.text, word.text)));
        };
        let to = destination(rest, (Some(if tls { 443 } else { 80 }), Form::Pass), word, cx)?;
        Ok(Some(Self { protocol: Protocol::Http, tls, to }))
    }

    fn uwsgi(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        let word = args.first();
        if let Some(rest) = strip_scheme(&word.text, "suwsgi://") {
            return Self::plain(Protocol::Uwsgi, true, rest, word, cx);
        }
        let rest = strip_scheme(&word.text, "uwsgi://").unwrap_or(&word.text);
        Self::plain(Protocol::Uwsgi, false, rest, word, cx)
    }

    fn fastcgi(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        Self::plain(Protocol::Fastcgi, false, &args.first().text, args.first(), cx)
    }

    fn scgi(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        Self::plain(Protocol::Scgi, false, &args.first().text, args.first(), cx)
    }

    fn grpc(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Option<Self>, Fault> {
        let word = args.first();
        if let Some(rest) = strip_scheme(&word.text, "grpcs://") {
            return Self::plain(Protocol::Grpc, true, rest, word, cx);
        }
        let rest = strip_scheme(&word.text, "grpc://").unwrap_or(&word.text);
        Self::plain(Protocol::Grpc, false, rest, word, cx)
    }

    fn plain(
        protocol: Protocol,
        tls: bool,
        text: &str,
        word: &Word,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Self>, Fault> {
        let to = if text.contains('$') {
            Destination::Variable(Template::compile_text(text, word, cx)?)
        } else {
            destination(text, (None, Form::Server), word, cx)?
        };
        Ok(Some(Self { protocol, tls, to }))
    }
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn destination(
    text: &str,
    (default_port, form): (Option<u16>, Form),
    word: &Word,
    cx: &mut Cx<'_>,
) -> Result<Destination, Fault> {
    let Target { address, uri, .. } = Target::parse(text, default_port.unwrap_or(0), form)
        .map_err(|error| {
            let told = Fault::sentence(format!("{error} in upstream \"{text}\"")).at(word.span);
            match (form, text.split_once("://")) {
                (Form::Server, Some((scheme, rest))) => {
                    let hint = format!("`{scheme}://` is not spoken by this directive: {rest}");
                    told.hint(hint)
                }
                (Form::Server, None) => told.hint("an address and a port, or unix: and a path"),
                (Form::Pass, _) => told.hint("a host, perhaps with a port, or unix: and a path"),
            }
        })?;
    let uri = Some(uri).filter(|uri| !uri.is_empty());
    let written = text.find(['/', '?']).and_then(|end| text.get(..end)).unwrap_or(text);
    let (name, port, host) = match &address {
        Address::Unix(path) => (format!("unix:{}", path.display()), None, "localhost".to_owned()),
        Address::Ip(_) => (written.to_owned(), None, written.to_owned()),
        Address::Host { host, port } => (host.clone(), *port, written.to_owned()),
    };
    let group = match &address {
        Address::Host { .. } => cx.names.group(&name, port, default_port, word.span),
        Address::Unix(_) | Address::Ip(_) => cx.names.group(&name, None, default_port, word.span),
    };
    let port = match address {
        Address::Unix(_) => String::new(),
        Address::Ip(address) if written.contains(':') => address.port().to_string(),
        Address::Host { port: Some(port), .. } => port.to_string(),
        _ => default_port.map(|port| port.to_string()).unwrap_or_default(),
    };
    Ok(Destination::Group { group, host, port, uri })
}

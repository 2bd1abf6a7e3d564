//! What is told of a request: its way, its end, and the directives that hold there.

mod others;
mod steps;

pub(super) use others::ELSEWHERE;

use tidegate_config::Loaded;
use tidegate_config::applying::{Applying, applying, levels};
use tidegate_config::block::http::Socket;
use tidegate_config::block::{Http, Location, Server};
use tidegate_config::http::server_name::NameKind;
use tidegate_config::source::Span;
use tidegate_config::syntax::Statement;
use tidegate_http::body::Body;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::status;
use tidegate_http::trace::{Event, Noted};

use super::plan::End;
use super::url::Url;

/// The longest body of a `return` that is told, in bytes.
const LONGEST: usize = 1000;

/// All that is known of what would become of a request.
pub(super) struct Story<'a, 'e> {
    pub(super) url: &'a Url,
    /// The request, as the phases have left it.
    pub(super) ex: &'a Exchange<'e>,
    pub(super) socket: &'a Socket,
    pub(super) loaded: &'a Loaded,
    pub(super) events: Vec<Noted<'e>>,
    pub(super) end: End,
    /// The answer; the status that is logged where nobody is answered.
    pub(super) response: Result<Box<Response>, u16>,
}

/// What is told, for people and for tools.
pub(super) struct Told {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) from: String,
    pub(super) listen: Line,
    pub(super) server: Line,
    pub(super) steps: Vec<Line>,
    pub(super) location: Option<Line>,
    pub(super) others: Vec<Line>,
    pub(super) answer: Answer,
    pub(super) directives: Vec<Held>,
}

/// One thing that is told.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// What it is about: a directive, mostly.
    pub(super) what: &'static str,
    /// As written.
    pub(super) name: String,
    /// What came of it, and why.
    pub(super) told: String,
    pub(super) at: Option<Place>,
    /// Whether it is about a request that was made for the one that is asked about.
    pub(super) within: bool,
}

/// A line of a file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
}

/// What the client would get.
#[derive(Default)]
pub(super) struct Answer {
    /// By what: `file`, `upstream`, `return`, …
    pub(super) by: &'static str,
    /// `None` where only an upstream knows.
    pub(super) status: Option<u16>,
    pub(super) redirect: Option<String>,
    pub(super) body: Option<String>,
    pub(super) file: Option<String>,
    pub(super) upstream: Option<tidegate_proxy::Plan>,
}

/// A directive that holds.
pub(super) struct Held {
    pub(super) directive: String,
    /// The level it is written at.
    pub(super) level: String,
    pub(super) inherited: bool,
    pub(super) at: Option<Place>,
}

impl<'e> Story<'_, 'e> {
    pub(super) fn told(&self) -> Told {
        let levels = self.levels(self.ex.location);
        Told {
            method: self.ex.request.method.to_string(),
            url: self.url.text(),
            from: String::from_utf8_lossy(&self.ex.remote.address_text()).into_owned(),
            listen: self.listen(),
            server: self.server(),
            steps: self.steps(),
            location: self.location(),
            others: self.others(),
            answer: self.answer(),
            directives: self.directives(&levels),
        }
    }

    fn http(&self) -> &'e Http {
        self.ex.http
    }

    /// The server's number.
    fn number(&self) -> usize {
        let is_it = |server: &Server| std::ptr::eq(server, self.ex.server);
        self.http().servers.iter().position(is_it).unwrap_or_default()
    }

    fn levels(&self, level: &Location) -> Vec<&Statement> {
        levels(&self.loaded.statements, (self.http(), self.number()), level)
    }

    /// A statement as it is written, without its block.
    fn written(&self, statement: &Statement) -> String {
        let words = std::iter::once(&statement.name).chain(&statement.args);
        let words = words.map(|word| match self.loaded.sources.text(word.span) {
            "" => word.text.as_str(),
            text => text,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn heading(&self, level: &Location) -> String {
        self.levels(level).last().map(|level| self.written(level)).unwrap_or_default()
    }

    fn at(&self, span: Span) -> Option<Place> {
        let (path, line, _) = self.loaded.sources.position(span)?;
        Some(Place { file: path.display().to_string(), line })
    }

    fn at_level(&self, level: &Location) -> Option<Place> {
        self.levels(level).last().and_then(|level| self.at(level.span))
    }

    fn listen(&self) -> Line {
        let address = &self.socket.address;
        let mut listeners = self.ex.server.settings.listen.on.iter();
        let said = listeners.find(|listener| listener.addresses.contains(address));
        let told = match said {
            Some(_) => format!("takes connections to port {}", self.url.port),
            None => "where no `listen` is said, it is this".to_owned(),
        };
        let at = said.and_then(|listener| self.at(listener.span));
        Line { what: "listen", name: address.to_string(), told, at, within: false }
    }

    fn server(&self) -> Line {
        let server = self.ex.server;
        let host = self.ex.request.host.as_deref().unwrap_or_default();
        let host = String::from_utf8_lossy(host);
        let found = self.socket.names.find(host.as_bytes());
        let told = match found.filter(|found| found.server == self.number()) {
            Some(_) if host.is_empty() => "it answers for requests without a host".to_owned(),
            Some(_) => match named(server, &host) {
                Some(name) => format!("its name `{name}` matches the host \"{host}\""),
                None => format!("the host \"{host}\" is one of its names"),
            },
            None if host.is_empty() => "no host is known of the request".to_owned(),
            None if self.socket.options.default_server => {
                format!("no server of this address is called \"{host}\", and it is the default")
            }
            None => format!("no server of this address is called \"{host}\", and it is the first"),
        };
        let name = match server.name() {
            "" => "without a name".to_owned(),
            name => name.to_owned(),
        };
        Line { what: "server", name, told, at: self.at(server.span), within: false }
    }

    /// The location that the request has come to; none where it ends before one is found.
    fn location(&self) -> Option<Line> {
        let found = self.events.iter().rev().filter(|noted| !noted.within);
        let why = found.into_iter().find_map(|noted| match noted.event {
            Event::Found(location, why) => Some((location, why)),
            Event::Searched(_) => Some((&self.ex.server.location, "no location is the URI's")),
            _ => None,
        });
        let (location, why) = why?;
        let (name, at) = (self.heading(location), self.at_level(location));
        Some(Line { what: "location", name, told: why.to_owned(), at, within: false })
    }

    fn answer(&self) -> Answer {
        let (status, response) = match &self.response {
            Ok(response) => (status::on_wire(response.status), response),
            Err(status) => {
                return Answer { by: "close", status: Some(*status), ..Answer::default() };
            }
        };
        let location = response.location.as_ref();
        let redirect = location.map(|to| String::from_utf8_lossy(to).into_owned());
        let known = Answer { status: Some(status), redirect, ..Answer::default() };
        let body = match &response.body {
            Body::Bytes(text) if (200..300).contains(&status) && text.len() <= LONGEST => {
                Some(String::from_utf8_lossy(text).into_owned())
            }
            _ => None,
        };
        match &self.end {
            End::Files => Answer { by: "file", file: self.file(), ..known },
            End::Change => Answer { by: "dav_methods", status: None, ..known },
            End::Itself(name) => Answer { by: name, ..known },
            End::Upstream(plan) => {
                // An error that has led here keeps its status.
                let status = self.ex.error.status.filter(|_| !self.ex.error.own_status);
                Answer { by: "upstream", status, upstream: Some(plan.clone()), ..known }
            }
            End::Phase => Answer { by: "phase", body, ..known },
        }
    }

    /// The last file that was looked for.
    fn file(&self) -> Option<String> {
        self.events.iter().rev().find_map(|noted| match &noted.event {
            Event::Tried { by: "file" | "gzip_static", path, .. } => {
                Some(path.display().to_string())
            }
            _ => None,
        })
    }

    fn directives(&self, levels: &[&Statement]) -> Vec<Held> {
        let all = applying(&self.loaded.statements, levels);
        let mut all: Vec<Held> = all.iter().map(|one| self.held(one)).collect();
        if let End::Upstream(plan) = &self.end {
            let http = levels.first().into_iter().flat_map(|http| http.body());
            let group = http.into_iter().find(|block| {
                let name = block.args.first().is_some_and(|word| word.text == plan.group);
                block.name.text == "upstream" && name
            });
            let inner = group.into_iter().flat_map(|group| {
                let level = Some(group);
                let one = move |statement| Applying { statement, level, inherited: false };
                group.body().iter().map(one)
            });
            all.extend(inner.map(|one| self.held(&one)));
        }
        all
    }

    fn held(&self, one: &Applying<'_>) -> Held {
        Held {
            directive: self.written(one.statement),
            level: one.level.map_or_else(|| "main".to_owned(), |level| self.written(level)),
            inherited: one.inherited,
            at: self.at(one.statement.span),
        }
    }
}

/// The name of a server that a host matches.
fn named<'a>(server: &'a Server, host: &str) -> Option<&'a str> {
    let matches = |kind: &NameKind| match kind {
        NameKind::Exact(name) => host == name,
        NameKind::Head(end) => host.ends_with(end.as_str()),
        NameKind::HeadAndExact(end) => host.ends_with(end.as_str()) || end.ends_with(host),
        NameKind::Tail(start) => host.starts_with(start.as_str()),
        NameKind::Regex(pattern) => pattern.regex.is_match(host.as_bytes()).unwrap_or(false),
        NameKind::Nothing => false,
    };
    let mut names = server.settings.server_name.names.iter().flat_map(|names| &names.0);
    names.find(|name| matches(&name.kind)).map(|name| name.text.as_str())
}

//! `tidegate explain URL`: what would become of a request, and by which lines.
//!
//! The request goes through the server's own phases, which stop before an upstream is asked or a
//! file is changed; what they have noted on the way is told.

mod access_point;
mod plan;
mod print;
mod story;
mod url;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::BytesMut;
use tidegate_config::{Config, Loaded};
use tidegate_http::client::{Connection, Endpoint, NoBody};
use tidegate_http::exchange::Exchange;
use tidegate_http::head::{Parsed, Parser, RequestHead, Rules};
use tidegate_http::log::file::LogFiles;
use tidegate_http::tls::session::Session;
use tidegate_http::trace::Trace;
use tidegate_http::zone::Zones;
use tidegate_proxy::Upstreams;
use tidegate_proxy::secure::Clients;

use super::command::{Asked, Format};
use super::output;
use crate::connection::request::{self, Fault};
use crate::runtime::{Counters, Generation, Shared};
use crate::tls::{self, Tls};
use plan::Plan;
use story::Story;
use url::Url;

/// Tells what would become of a request.
pub(super) fn run(asked: &Asked) -> Result<ExitCode> {
    let Some(word) = asked.words.first() else { bail!("explain needs a URL") };
    if let Some(more) = asked.words.get(1) {
        bail!("explain takes one URL; \"{}\" is too much", more.to_string_lossy());
    }
    let url = Url::parse(&word.to_string_lossy())?;
    let (path, mut loaded) = asked.load(None);
    tls::check(&mut loaded, false);
    let Some(config) = loaded.config.take() else {
        output::complain(&loaded.messages());
        bail!("\"{}\" is refused, so that nothing can be explained", path.display());
    };
    // One with timers and sockets, though none of them is to be needed.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let generation = generation(config)?;
    output::print(&runtime.block_on(explain(asked, &url, &generation, &loaded))?)?;
    Ok(ExitCode::SUCCESS)
}

/// What would run, without an open file or socket.
fn generation(config: Config) -> Result<Generation> {
    let http = Arc::clone(&config.http);
    let mut upstreams = Upstreams::new(&http, None);
    let judged = "\"tidegate -t\" tells why the configuration is refused";
    upstreams.tls = Clients::new(&config).map_err(|_| anyhow!(judged))?;
    let tls = Tls::new(&config, None, None).map_err(|_| anyhow!(judged))?;
    let shared = Shared {
        files: Arc::new(LogFiles::default()),
        upstreams: Arc::new(upstreams),
        zones: Arc::new(Zones::new(&http, None)),
        tls: Arc::new(tls),
        config,
        http,
    };
    Ok(Generation::new(&shared, &Arc::new(Counters::default())))
}

async fn explain(
    asked: &Asked,
    url: &Url,
    generation: &Generation,
    loaded: &Loaded,
) -> Result<String> {
    let http = &*generation.http;
    let connection = connection(asked, url, generation)?;
    let none = || anyhow!("the configuration has no server");
    let socket = generation.socket(&connection).ok_or_else(none)?;
    let number = connection.default_server(socket);
    let server = http.servers.get(number).ok_or_else(none)?;
    if url.tls && !generation.tls.shakes_hands(number) {
        let (address, name) = (&socket.address, server.name());
        bail!(
            "the handshake would be refused: the server \"{name}\" on {address} has no certificate"
        );
    }
    let (head, fault) = head(asked, url, &request::rules(server))?;
    let named = fault.is_none() || head.host.is_some();
    let host = named.then(|| head.host.clone().unwrap_or_default());
    let plan = Plan::new(generation);
    let (server, pattern) = request::server(http, socket, host.as_deref()).ok_or_else(none)?;
    let place = (http, &generation.logs);
    let mut ex = Exchange::new(place, &connection, server, head, Box::new(NoBody));
    if let (Some(pattern), Some(host)) = (pattern, &host) {
        ex.matches(pattern, host);
    }
    ex.site = Some(&plan);
    let trace = Rc::<Trace<'_>>::default();
    ex.trace = Some(Rc::clone(&trace));
    let fault = fault.or_else(|| request::misdirected(&ex, socket));
    let response = request::respond(&mut ex, &plan, fault).await;
    let response = response.ok_or(ex.sent.status);
    let events = trace.take();
    let story = Story { url, ex: &ex, socket, loaded, events, end: plan.end(), response };
    Ok(match asked.format {
        Format::Text => print::text(&story.told()),
        Format::Json => format!("{:#}\n", print::json(&story.told())),
    })
}

/// The connection that the request would come by.
fn connection(asked: &Asked, url: &Url, generation: &Generation) -> Result<Connection> {
    let from = asked.option_value("--from").unwrap_or("127.0.0.1");
    let from = from.parse().with_context(|| format!("--from {from} is no address"))?;
    let mut connection = Connection {
        number: 1,
        peer: Endpoint::Ip(std::net::SocketAddr::new(from, 50_000)),
        local: access_point::find(&generation.http, url)?,
        started: Instant::now(),
        tls: None,
        to_tls: false,
        proxy_protocol: None,
        debug: false,
        transport: None,
    };
    let socket = generation.socket(&connection);
    connection.to_tls = socket.is_some_and(|socket| socket.options.ssl);
    if url.tls {
        if let Some(socket) = socket.filter(|socket| !socket.options.ssl) {
            bail!(
                "nothing speaks TLS on {}: no `listen` of this address says `ssl`",
                socket.address
            );
        }
        // A name goes with the handshake, an address does not.
        let name = url.ip().is_none().then(|| url.host.to_ascii_lowercase().into());
        let alpn = Some(b"http/1.1".as_slice().into());
        connection.tls = Some(Arc::new(Session { server_name: name, alpn, ..Session::default() }));
    }
    Ok(connection)
}

/// The head of the request, read as the server reads it, and what is wrong with it.
fn head(asked: &Asked, url: &Url, rules: &Rules) -> Result<(Box<RequestHead>, Option<Fault>)> {
    let method = asked.option_value("-X").unwrap_or("GET");
    let mut text = format!("{method} {} HTTP/1.1\r\n", url.target);
    let fields = asked.options.iter().filter(|(name, _)| name == "-H");
    let fields: Vec<&str> = fields.map(|(_, value)| value.as_str()).collect();
    if !fields.iter().any(|field| field.to_ascii_lowercase().starts_with("host:")) {
        let _ = write!(text, "Host: {}\r\n", url.authority);
    }
    for field in fields {
        if field.contains(['\r', '\n']) {
            bail!("-H takes one line, \"Name: value\"");
        }
        let _ = write!(text, "{field}\r\n");
    }
    text += "\r\n";
    let mut parser = Parser::new();
    let mut buffer = BytesMut::from(text.as_bytes());
    match parser.parse(&mut buffer, rules) {
        Parsed::Complete(head) => Ok((head, None)),
        Parsed::Fault(fault, head) => Ok((head, Some(Fault::Head(fault)))),
        Parsed::Partial => bail!("this is no request of HTTP/1.1"),
    }
}

//! One check of one server, from the connection to the verdict.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_config::http::forward::Forward;
use tidegate_config::http::health_check::Kind;
use tidegate_config::http::pass::Protocol;
use tidegate_http::exchange::{Exchange, UpstreamTry};
use tokio::time::timeout;

use super::judge::{Answer, MOST, judge, needs_body};
use super::{Place, grpc};
use crate::ask::reach;
use crate::connect::{Address, Manner};
use crate::content::Content;
use crate::destination::{self, Uri};
use crate::fault::{Action, Condition, Fault};
use crate::forward::{secured, spoken};
use crate::http2::Session;
use crate::link::{Broken, Limits, Link};
use crate::outgoing::{self, Outgoing, cgi};
use crate::protocol::Event;
use crate::secure::Secured;
use crate::stream::Stream;
use crate::upstream::Upstreams;
use crate::upstream::group::Group;
use crate::upstream::keepalive::Connection;
use crate::upstream::selection::Lease;

/// A server that is checked.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its group.
    pub group: Arc<Group>,
    /// Which one of it.
    pub id: u64,
    /// Where it is.
    pub address: Address,
}

/// Why a server is not found well.
#[derive(Debug)]
pub enum Doubt {
    /// It is not, and why.
    Unwell(String),
    /// Nothing was found out: we have nothing left to ask it by.
    Unasked(String),
}

/// Checks a server, over a connection that was kept or a new one: why it is not well, if it is not,
/// and a connection that can be kept.
pub async fn probe<'c>(
    ex: &mut Exchange<'c>,
    (place, upstreams): (&Place<'c>, &Upstreams),
    target: Target,
    kept: Option<Connection>,
) -> (Result<(), Doubt>, Option<Connection>) {
    let forward = spoken(ex, place.pass);
    let patience = forward.connect_timeout + forward.send_timeout + forward.read_timeout;
    let mut left = None;
    let checked = check(ex, (place, upstreams), &target, (kept, &mut left));
    let silent = |_| Err(Doubt::Unwell(Fault::TimedOut(Action::Reading).to_string()));
    let good = timeout(patience, checked).await.unwrap_or_else(silent);
    (good, left)
}

async fn check<'c>(
    ex: &mut Exchange<'c>,
    (place, upstreams): (&Place<'c>, &Upstreams),
    target: &Target,
    (kept, left): (Option<Connection>, &mut Option<Connection>),
) -> Result<(), Doubt> {
    let forward = spoken(ex, place.pass);
    let unasked = |_| Doubt::Unwell("the request cannot be made".to_owned());
    let mut found = destination::find(ex, place.pass, upstreams).map_err(unasked)?;
    found.uri = Uri::None;
    ex.proxy_host = (found.host.clone(), found.port.clone());
    let secured = secured(ex, place.pass, &found, upstreams).map_err(unasked)?;
    let mut address = target.address.clone();
    if let (Address::Tcp(address), Some(port)) = (&mut address, place.check.port) {
        address.set_port(port);
    }
    let to = (&address, forward.connect_timeout, Manner::of(ex, forward));
    if place.check.kind == Kind::Tcp {
        return reach(to, secured.as_ref(), false).await.map(drop).map_err(|fault| doubt(&fault));
    }
    let content = match &place.check.kind {
        Kind::Grpc { service, .. } => grpc::question(service),
        _ => bytes::Bytes::new(),
    };
    let content = Content::Memory(content);
    let outgoing = match place.pass.protocol {
        Protocol::Http => outgoing::over_http(ex, content, forward, &found),
        Protocol::Uwsgi => cgi::over_uwsgi(ex, content, forward).map_err(unasked)?,
        Protocol::Fastcgi => cgi::over_fastcgi(ex, content, forward),
        Protocol::Scgi => cgi::over_scgi(ex, content, forward),
        Protocol::Grpc => outgoing::over_grpc(ex, content, &found),
    };
    let asked = Asked { place, target, outgoing, forward };
    let answer = match kept {
        Some(connection) => match asked.over(connection, left).await {
            // The server may have closed it in the very moment.
            Err(fault) if fault.condition() == Condition::Error => None,
            answer => Some(answer),
        },
        None => None,
    };
    let answer = match answer {
        Some(answer) => answer,
        None => match asked.connect(to, secured.as_ref()).await {
            Ok(connection) => asked.over(connection, left).await,
            Err(fault) => Err(fault),
        },
    };
    let answer = answer.map_err(|fault| doubt(&fault))?;
    ex.upstream_headers = answer.headers.clone();
    let (address, status) = (address.place(), answer.status);
    ex.upstream.borrow_mut().push(UpstreamTry { address, status, ..UpstreamTry::default() });
    judge(ex, place, &answer).map_err(Doubt::Unwell)
}

fn doubt(fault: &Fault) -> Doubt {
    let text = fault.to_string();
    if fault.is_shortage() { Doubt::Unasked(text) } else { Doubt::Unwell(text) }
}

/// A request that is ready to be sent.
struct Asked<'a> {
    place: &'a Place<'a>,
    target: &'a Target,
    outgoing: Outgoing,
    forward: &'a Forward,
}

impl Asked<'_> {
    async fn connect(
        &self,
        to: (&Address, Duration, Manner),
        secured: Option<&Secured>,
    ) -> Result<Connection, Fault> {
        let http2 = self.outgoing.codec.http2().is_some();
        let stream = reach(to, secured, http2).await?;
        if !http2 {
            return Ok(Connection::new(stream, Instant::now()));
        }
        let session = Session::open(stream, Limits::of(self.forward).head).await?;
        Ok(Connection::new(Stream::Http2(session), Instant::now()))
    }

    /// Sends the request, and reads as much of the answer as matters.
    async fn over(
        &self,
        connection: Connection,
        left: &mut Option<Connection>,
    ) -> Result<Answer, Fault> {
        let Target { group, id, address } = self.target.clone();
        let lease = Lease::aside(group, id, address);
        let (codec, payload) = (self.outgoing.codec.clone(), self.outgoing.content.payload());
        let connection = Box::new(connection);
        let mut link = Link::new(connection, lease, codec, payload, Limits::of(self.forward));
        let keep = self.place.check.keepalive_time;
        let whole = needs_body(self.place) || keep > Duration::ZERO;
        let mut answer = Answer::default();
        loop {
            match poll_fn(|cx| link.poll_event(None, cx)).await {
                Ok(Event::Head(head)) => {
                    (answer.status, answer.headers) = (head.status, head.headers);
                    if !whole || head.upgrade {
                        return Ok(answer);
                    }
                }
                Ok(Event::Body(bytes)) => {
                    answer.body.extend_from_slice(&bytes);
                    answer.body.truncate(MOST);
                    if answer.body.len() == MOST {
                        return Ok(answer);
                    }
                }
                Ok(Event::Trailers(trailers)) => {
                    for field in &trailers {
                        answer.headers.push(field.name.clone(), field.value.clone());
                    }
                }
                Ok(Event::End) => break,
                Ok(Event::Hint(_) | Event::Told(_)) => {}
                Err(Broken::Peer(fault)) => return Err(fault),
                // There is no client here, nor a file.
                Err(Broken::Client(_) | Broken::File(_)) => return Ok(answer),
            }
        }
        let young = |connection: &Connection| connection.opened.elapsed() < keep;
        *left = link.into_connection().filter(young);
        Ok(answer)
    }
}

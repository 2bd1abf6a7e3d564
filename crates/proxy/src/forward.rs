//! One request out and back: `proxy_pass`, `fastcgi_pass`, `grpc_pass`, `scgi_pass`, `uwsgi_pass`.

mod instead;
mod prepare;

use std::cell::RefCell;
use std::future::poll_fn;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::forward::Forward;
use tidegate_config::http::pass::{Pass, Protocol};
use tidegate_config::value::size::Size;
use tidegate_http::body::{Body, Tunnel};
use tidegate_http::boxed::pinned;
use tidegate_http::client::NoBody;
use tidegate_http::exchange::Exchange;
use tidegate_http::head::Version;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;

use crate::answer::{Answer, Leased, Tally};
use crate::ask::{Answered, Question, Terms, Unanswered};
use crate::buffering::{Buffered, Room};
use crate::content;
use crate::destination;
use crate::link::{Limits, Link};
use crate::live::Live;
use crate::response::{self, Rules};
use crate::store::Store;
use crate::upstream::{Upstreams, sticky};
use instead::{instead_of, intercepted, redirected};
use prepare::prepare;
pub use prepare::{Plan, plan};
pub(crate) use prepare::{secured, spoken};

/// Answers a request by asking an upstream.
pub fn respond<'s, 'e: 's>(
    ex: &'s mut Exchange<'e>,
    pass: &'e Pass,
    upstreams: &'s Upstreams,
) -> Pin<Box<dyn Future<Output = Result<Box<Response>, Stop>> + 's>> {
    // Boxed, so that requests that are not forwarded stay small.
    pinned(|| forward(ex, pass, upstreams))
}

async fn forward<'e>(
    ex: &mut Exchange<'e>,
    pass: &'e Pass,
    upstreams: &Upstreams,
) -> Result<Box<Response>, Stop> {
    let forward = spoken(ex, pass);
    let content = match content::at_hand(ex) {
        Some(content) => content,
        None => Box::pin(content::take(ex, pass, forward)).await?,
    };
    let found = destination::find(ex, pass, upstreams)?;
    let (outgoing, secured) = prepare(ex, (pass, upstreams), content, &found)?;
    if let Some(last) = ex.upstream.borrow_mut().last_mut() {
        last.redirected = true;
    }
    let mut client = std::mem::replace(&mut ex.body, Box::new(NoBody));
    let rules = Rules {
        protocol: pass.protocol,
        forward,
        proxy: (pass.protocol == Protocol::Http).then_some(&*ex.location.proxy),
        default: found.redirect.as_ref(),
    };
    let hints = takes_hints(ex).then_some(&rules);
    let terms = Terms::of(ex, &found.group, forward);
    let journal = ex.upstream.clone();
    let unrepeatable = matches!(ex.request.method.as_str(), "POST" | "LOCK" | "PATCH");
    let asked = {
        let allow = &forward.allow_upstream.0;
        let ex = RefCell::new(&mut *ex);
        let log = |level: Level, text: &str| ex.borrow().log(level, text);
        let holds = |text| !matches!(ex.borrow_mut().render(text).as_ref(), b"" | b"0");
        let question = Question {
            group: &found.group,
            terms,
            outgoing,
            unrepeatable,
            forward,
            secured,
            hints,
            journal,
            allows: &|| allow.iter().all(holds),
            log: &log,
        };
        question.ask(client.as_mut()).await
    };
    let unsent = matches!(&asked, Ok(answered) if answered.unsent);
    // An application may answer before it has read all of a body that is still coming.
    let client = if unsent {
        let (client, lent) = Live::new(client);
        ex.body = Box::new(lent);
        Some(Box::new(client))
    } else {
        ex.body = client;
        None
    };
    let answered = asked.map_err(|unanswered| ended(ex, unanswered))?;
    let_back(ex, answered, client, &rules).await
}

/// What ends a request that nobody has answered.
fn ended(ex: &Exchange<'_>, unanswered: Unanswered) -> Stop {
    match unanswered {
        Unanswered::Status(status) => Stop::Status(status),
        Unanswered::Client(error) => {
            ex.log(Level::Info, &format!("{error} while sending request to upstream"));
            error.into()
        }
        Unanswered::Gone => Stop::Unanswered(499),
    }
}

/// Whether interim answers of status 103 are sent on (nginx: `early_hints`).
fn takes_hints(ex: &mut Exchange<'_>) -> bool {
    let conditions = &ex.location.early_hints.conditions.0;
    if conditions.is_empty() || ex.subrequest || ex.request.version < Version::Http11 {
        return false;
    }
    conditions.iter().any(|text| !matches!(ex.render(text).as_ref(), b"" | b"0"))
}

/// Makes the client's answer of the upstream's.
async fn let_back(
    ex: &mut Exchange<'_>,
    answered: Answered,
    client: Option<Box<Live>>,
    rules: &Rules<'_>,
) -> Result<Box<Response>, Stop> {
    let Answered { link, mut head, .. } = answered;
    let accel = response::accel(&head.headers, rules.forward);
    if let Some(uri) = &accel.redirect {
        ex.kept_headers = response::kept(&head.headers, rules);
        ex.upstream_headers = head.headers;
        leave(ex, Answer::new(link, client, Tally::new(ex.upstream.clone()))).await;
        return Err(redirected(ex, uri));
    }
    let warnings = RefCell::new(Vec::new());
    let told = |text: &str| warnings.borrow_mut().push(text.to_owned());
    let mut response = response::response(&head, rules, ex, &told);
    for warning in warnings.take() {
        ex.log(Level::Warn, &format!("{warning} while reading response header from upstream"));
    }
    ex.upstream_headers = std::mem::take(&mut head.headers);
    if let Some(kept) = sticky::to_keep(link.lease()) {
        sticky::keep(ex, kept, &mut response);
    }
    let tally = Tally::new(ex.upstream.clone());
    if head.upgrade {
        response.body = tunnel(*link, tally, rules.forward);
        return Ok(response);
    }
    let mut answer = Answer::new(link, client, tally);
    if rules.trailers() && head.content_length.is_none() {
        let trailers = Rc::default();
        answer.puts_trailers(Rc::clone(&trailers));
        response.trailers = Some(trailers);
    }
    if intercepted(ex, rules.forward, head.status) {
        leave(ex, answer).await;
        return Err(instead_of(&response));
    }
    response.wanted_charset = accel.charset.map(Box::new);
    if let Some(rate) = accel.limit_rate {
        ex.limit_rate = Some(rate);
    }
    // Messages of gRPC go as they come.
    let buffering =
        accel.buffering.unwrap_or(rules.forward.buffering) && rules.protocol != Protocol::Grpc;
    if buffering && let Some(rate) = rate(ex, rules.forward) {
        answer.brake(rate);
    }
    let memory = memory(rules.forward);
    let whole = poll_fn(|cx| Poll::Ready(answer.poll_whole(memory, cx))).await;
    tell(ex, &mut answer);
    if whole.is_none() {
        answer.told_by(ex.teller());
    }
    let store = Store::of(ex, rules.protocol, (head.status, head.content_length));
    response.ends_with_client =
        whole.is_none() && store.is_none() && !rules.forward.ignore_client_abort;
    response.body = match store {
        None => body(whole, (answer, buffering), rules.forward),
        Some(store) => Box::pin(body_kept(whole, answer, rules.forward, store)).await,
    };
    Ok(response)
}

/// The body of an answer: all of it, or what is to come.
fn body(whole: Option<Bytes>, (answer, buffering): (Answer, bool), forward: &Forward) -> Body {
    match whole {
        Some(bytes) if bytes.is_empty() => Body::Empty,
        Some(bytes) => Body::Bytes(bytes),
        None if buffering => Body::Stream(Box::pin(Buffered::new(Box::new(answer), room(forward)))),
        None => Body::Stream(Box::pin(answer)),
    }
}

/// The same, of which a copy is kept.
async fn body_kept(whole: Option<Bytes>, answer: Answer, forward: &Forward, store: Store) -> Body {
    if let Some(bytes) = &whole {
        store.keep(bytes.clone()).await;
        return body(whole, (answer, true), forward);
    }
    // It is kept whole, though the client leaves.
    let room = Room { outlives_client: true, ..room(forward) };
    Body::Stream(Box::pin(Buffered::ahead(Box::new(store.along(Box::new(answer))), room)))
}

/// How many bytes of an answer are read in a second, where that is bounded.
fn rate(ex: &mut Exchange<'_>, forward: &Forward) -> Option<NonZeroU64> {
    if forward.limit_rate.is_empty() {
        return None;
    }
    let text = ex.render(&forward.limit_rate);
    NonZeroU64::new(Size::parse(std::str::from_utf8(&text).ok()?)?.0)
}

/// Lets an answer go that nobody wants; if its end is at hand its connection is kept.
async fn leave(ex: &Exchange<'_>, mut answer: Answer) {
    poll_fn(|cx| Poll::Ready(answer.poll_whole(LITTLE, cx))).await;
    tell(ex, &mut answer);
}

/// Tells what an application said beside its answer.
fn tell(ex: &Exchange<'_>, answer: &mut Answer) {
    for text in answer.untold() {
        ex.log(Level::Error, &text);
    }
}

/// How much is read of such an answer, in bytes.
const LITTLE: usize = 4096;

fn tunnel(link: Link, tally: Tally, forward: &Forward) -> Body {
    let (stream, early, lease) = link.into_tunnel();
    let stream = Box::pin(Leased { stream, _lease: lease, tally });
    Body::Tunnel(Tunnel { stream, early, timeout: forward.read_timeout })
}

/// How much is written to a file at once where nothing is said, in bytes.
const BATCH: u64 = 256 * 1024;

/// How much of an answer may wait in memory, in bytes.
fn memory(forward: &Forward) -> usize {
    let buffers = &forward.buffers;
    (buffers.number as usize).saturating_mul(buffers.size.0 as usize)
}

fn room(forward: &Forward) -> Room {
    Room {
        memory: memory(forward),
        file: forward.max_temp_file_size.0,
        busy: Limits::busy(forward),
        batch: forward.temp_file_write_size.map_or(BATCH, |size| size.0.max(1)),
        folder: forward.temp_path.folder.clone(),
        outlives_client: forward.ignore_client_abort,
    }
}

#[cfg(test)]
mod tests;

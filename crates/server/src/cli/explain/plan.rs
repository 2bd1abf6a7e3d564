//! What stands behind the phases when nothing is to be sent or changed.

use std::cell::RefCell;

use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;
use tidegate_http::subrequest::{Answering, Connections, Site};
use tidegate_http::trace::Event;
use tidegate_static::dav;

use crate::pipeline::{self, Behind};
use crate::runtime::Generation;

/// What tells of a server instead of serving.
pub(super) struct Plan<'a> {
    generation: &'a Generation,
    end: RefCell<End>,
}

/// What a request would be answered by.
#[derive(Clone, Debug, Default)]
pub(super) enum End {
    /// A phase: a `return`, a redirect or a refusal.
    #[default]
    Phase,
    /// Files, or what is made of them.
    Files,
    /// An upstream.
    Upstream(tidegate_proxy::Plan),
    /// A change to files, which is not made.
    Change,
    /// The server itself, by this directive.
    Itself(&'static str),
}

impl<'a> Plan<'a> {
    pub(super) fn new(generation: &'a Generation) -> Self {
        Self { generation, end: RefCell::default() }
    }

    /// What the request has come to.
    pub(super) fn end(&self) -> End {
        self.end.borrow().clone()
    }

    /// Takes note of what a request has come to.
    fn ends(&self, ex: &Exchange<'_>, end: End) {
        if !ex.subrequest {
            *self.end.borrow_mut() = end;
            return;
        }
        if let End::Upstream(plan) = end {
            ex.note(|| Event::Assumed(format!("the upstream \"{}\" answers 200", plan.group)));
        }
    }
}

/// Stands for an answer that somebody else would give; conditions are his to judge.
fn unknown() -> Box<Response> {
    Box::new(Response { judged: true, ..Response::new(200) })
}

impl Behind for Plan<'_> {
    fn generation(&self) -> &Generation {
        self.generation
    }

    async fn give(&self, ex: &mut Exchange<'_>) -> Result<Box<Response>, Stop> {
        let location = ex.location;
        if let Some(pass) = &location.pass.to {
            let plan = tidegate_proxy::plan(ex, pass, &self.generation.upstreams).await?;
            self.ends(ex, End::Upstream(plan));
            return Ok(unknown());
        }
        if location.stub_status.enabled || location.empty_gif.enabled {
            let name = if location.stub_status.enabled { "stub_status" } else { "empty_gif" };
            self.ends(ex, End::Itself(name));
            return self.generation.give(ex).await;
        }
        if dav::changes(ex) {
            self.ends(ex, End::Change);
            return Ok(unknown());
        }
        self.ends(ex, End::Files);
        self.generation.give(ex).await
    }
}

impl Site for Plan<'_> {
    fn connections(&self) -> Connections {
        self.generation.connections()
    }

    fn answer<'s, 'e: 's>(&'s self, ex: &'s mut Exchange<'e>) -> Answering<'s> {
        Box::pin(async move { pipeline::serve_within(ex, self).await.map(|response| *response) })
    }
}

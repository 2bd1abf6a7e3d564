//! A location as written: first all statements are taken note of, then levels are resolved from the
//! outside in.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::name::UniqueName;
use super::{LimitExcept, Location, LocationName, LocationWritten, Locations};
use crate::block::Opens;
use crate::directive::{
    Arguments, Block as _, Context, Cx, Fault, Nesting, Owner, Table, judge, report,
};
use crate::http::headers::Headers;
use crate::http::headers_more::HeadersMore;
use crate::http::rewrite::{Condition, Step};
use crate::http::secure_link::SecureLink;
use crate::http::types::TypeMap;
use crate::syntax::{End, Statement};

/// A level as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocationDraft {
    pub(crate) written: LocationWritten,
    pub(crate) types: Option<TypeMap>,
    pub(super) name: LocationName,
    children: Vec<(LocationDraft, Statement)>,
    /// The names of the children that may stand once.
    pub(super) names: HashSet<UniqueName>,
    conditions: Vec<(LocationDraft, Statement)>,
    limit_except: Option<(Vec<String>, Box<LocationDraft>, Statement)>,
}

impl LocationDraft {
    /// Takes note of one statement that belongs to this level.
    pub(crate) fn take(
        &mut self,
        table: &Table,
        (owner, context): (Owner, Context),
        statement: &Statement,
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault> {
        let args = Arguments { name: &statement.name, words: &statement.args };
        let body = statement.body();
        match owner {
            Owner::Location(key) => {
                Location::set(&mut self.written, key, &args, cx)?;
                self.check(&args)
            }
            Owner::Block(Opens::Types) => self.read_types(body, cx),
            Owner::Block(Opens::Location) => self.read_location(table, statement, body, cx),
            Owner::Block(Opens::If) => self.read_if(table, statement, body, (context, cx)),
            Owner::Block(Opens::LimitExcept) => self.read_limit_except(table, statement, body, cx),
            _ => Ok(()),
        }
    }

    fn read_body(&mut self, table: &Table, body: &[Statement], context: Context, cx: &mut Cx<'_>) {
        for statement in body {
            let Some(owner) = judge(table, statement, context, cx) else {
                continue;
            };
            if let Err(fault) = self.take(table, (owner, context), statement, cx) {
                report(&fault, statement, cx);
            }
        }
    }

    fn read_types(&mut self, body: &[Statement], cx: &mut Cx<'_>) -> Result<(), Fault> {
        let map = self.types.get_or_insert_default();
        for statement in body {
            if matches!(statement.end, End::Block { .. }) {
                return Err(Fault::sentence("unexpected \"{\"").at(statement.name.span));
            }
            let kind = Bytes::copy_from_slice(statement.name.text.as_bytes());
            for word in &statement.args {
                let extension = word.text.to_ascii_lowercase().into_bytes().into_boxed_slice();
                if let Some(old) = map.by_extension.insert(extension, kind.clone()) {
                    let old = String::from_utf8_lossy(&old).into_owned();
                    let text = format!(
                        "duplicate extension \"{}\", content type: \"{}\", previous content type: \"{old}\"",
                        word.text, statement.name.text
                    );
                    cx.warn(text, word.span, "the last one holds");
                }
            }
        }
        Ok(())
    }

    fn read_location(
        &mut self,
        table: &Table,
        statement: &Statement,
        body: &[Statement],
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault> {
        let name = LocationName::parse(&statement.args, cx)?;
        self.check_nesting(&name, statement, cx)?;
        let mut child = Self { name, ..Self::default() };
        child.read_body(table, body, Context::Location, cx);
        self.names.extend(child.name.unique());
        self.children.push((child, heading(statement)));
        Ok(())
    }

    fn read_if(
        &mut self,
        table: &Table,
        statement: &Statement,
        body: &[Statement],
        (context, cx): (Context, &mut Cx<'_>),
    ) -> Result<(), Fault> {
        let args = Arguments { name: &statement.name, words: &statement.args };
        let condition = Condition::parse(&args, cx)?;
        let inner =
            if context == Context::Server { Context::ServerIf } else { Context::LocationIf };
        let mut child = Self::default();
        child.read_body(table, body, inner, cx);
        let place = self.conditions.len();
        self.written.rewrite.steps.push(Step::If { condition, place });
        self.conditions.push((child, heading(statement)));
        Ok(())
    }

    fn read_limit_except(
        &mut self,
        table: &Table,
        statement: &Statement,
        body: &[Statement],
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault> {
        if self.limit_except.is_some() {
            return Err(Fault::duplicate());
        }
        let known = "GET HEAD POST PUT DELETE MKCOL COPY MOVE OPTIONS PROPFIND PROPPATCH LOCK \
                     UNLOCK PATCH";
        let mut methods = Vec::new();
        for word in &statement.args {
            let method = word.text.to_ascii_uppercase();
            if !known.split(' ').any(|known| known == method) {
                return Err(
                    Fault::sentence(format!("invalid method \"{}\"", word.text)).at(word.span)
                );
            }
            if method == "GET" {
                methods.push("HEAD".to_owned());
            }
            methods.push(method);
        }
        let mut child = Self::default();
        child.read_body(table, body, Context::LimitExcept, cx);
        self.limit_except = Some((methods, Box::new(child), heading(statement)));
        Ok(())
    }

    /// What holds at this level and those within it.
    pub(crate) fn resolve(
        &self,
        parent: Option<&Location>,
        nesting: Nesting,
        cx: &mut Cx<'_>,
    ) -> Result<Location, Fault> {
        let mut location = Location::resolve(&self.written, parent, nesting, cx)?;
        if let Some(parent) = parent {
            Headers::inherit(&mut location.headers, &self.written.headers, &parent.headers);
            let more = &self.written.headers_more;
            HeadersMore::inherit(&mut location.headers_more, more, &parent.headers_more);
        }
        SecureLink::choose(&mut location.secure_link, &self.written.secure_link)?;
        if self.written.rewrite.steps.is_empty() {
            // Unlike what a location does in the end, its steps are not those of its conditions.
            location.rewrite = Arc::default();
        }
        if nesting == Nesting::Condition {
            // nginx: `try_files` does nothing within `if`.
            location.try_files = Arc::default();
        }
        location.name = match (nesting, parent) {
            (Nesting::Condition, Some(parent)) => parent.name.clone(),
            _ => self.name.clone(),
        };
        location.type_map = match &self.types {
            Some(types) => Some(Arc::new(types.clone())),
            None => parent.and_then(|parent| parent.type_map.clone()),
        };
        if self.written.root.root.as_ref().is_some_and(|root| root.alias) {
            let name = self.name.literal().map(<[u8]>::len);
            Arc::make_mut(&mut location.root).root.replaces = name;
        }
        self.check_pass(&location, nesting)?;
        let conditions = Self::resolve_all(&self.conditions, &location, Nesting::Condition, cx);
        let children = Self::resolve_all(&self.children, &location, Nesting::Level, cx);
        if let Some((methods, draft, statement)) = &self.limit_except {
            match draft.resolve(Some(&location), Nesting::Condition, cx) {
                Ok(inner) => {
                    let limit = LimitExcept { methods: methods.clone(), location: inner };
                    location.limit_except = Some(Box::new(limit));
                }
                Err(fault) => report(&fault, statement, cx),
            }
        }
        location.conditions = conditions;
        location.locations = Locations::new(children, &mut cx.names.compiled);
        Ok(location)
    }

    fn resolve_all(
        drafts: &[(LocationDraft, Statement)],
        parent: &Location,
        nesting: Nesting,
        cx: &mut Cx<'_>,
    ) -> Vec<Location> {
        let mut resolved = Vec::with_capacity(drafts.len());
        for (draft, statement) in drafts {
            match draft.resolve(Some(parent), nesting, cx) {
                Ok(location) => resolved.push(location),
                Err(fault) => report(&fault, statement, cx),
            }
        }
        resolved
    }
}

/// A statement without its block, for messages.
fn heading(statement: &Statement) -> Statement {
    Statement {
        name: statement.name.clone(),
        args: Vec::new(),
        end: End::Semicolon,
        span: statement.name.span,
    }
}

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
use crate::http::pass::Destination;
use crate::http::rewrite::{Condition, Step};
use crate::http::secure_link::SecureLink;
use crate::http::types::TypeMap;
use crate::names::zone::ZoneId;
use crate::syntax::{End, Statement};

/// A level as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocationDraft {
    pub(crate) written: LocationWritten,
    pub(crate) types: Option<TypeMap>,
    name: LocationName,
    children: Vec<(LocationDraft, Statement)>,
    /// The names of the children that may stand once.
    names: HashSet<UniqueName>,
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
                self.check_zones(&args)
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

    /// A zone is named once at a level (nginx: `ngx_http_limit_req`, `ngx_http_limit_conn`).
    fn check_zones(&self, args: &Arguments<'_>) -> Result<(), Fault> {
        let zones: Vec<ZoneId> = match args.name.text.as_str() {
            "limit_req" => self.written.limit_req.limits.iter().map(|limit| limit.zone).collect(),
            "limit_conn" => self.written.limit_conn.limits.iter().map(|limit| limit.zone).collect(),
            _ => return Ok(()),
        };
        match zones.split_last() {
            Some((last, before)) if before.contains(last) => Err(Fault::duplicate()),
            _ => Ok(()),
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
        self.check_nesting(&name, statement)?;
        let mut child = Self { name, ..Self::default() };
        child.read_body(table, body, Context::Location, cx);
        self.names.extend(child.name.unique());
        self.children.push((child, heading(statement)));
        Ok(())
    }

    /// nginx: `ngx_http_core_location`, and the check for duplicates when the tree is made.
    fn check_nesting(&self, name: &LocationName, statement: &Statement) -> Result<(), Fault> {
        let text = name.text();
        let span = statement.name.span;
        if name.unique().is_some_and(|name| self.names.contains(&name)) {
            return Err(Fault::sentence(format!("duplicate location \"{text}\"")).at(span));
        }
        let outer = self.name.text();
        let fault = |words: String| Err(Fault::sentence(words).at(span));
        match (&self.name, name) {
            (LocationName::None, _) => Ok(()),
            (LocationName::Exact(_), _) => fault(format!(
                "location \"{text}\" cannot be inside the exact location \"{outer}\""
            )),
            (LocationName::Named(_), _) => fault(format!(
                "location \"{text}\" cannot be inside the named location \"{outer}\""
            )),
            (_, LocationName::Named(_)) => {
                fault(format!("named location \"{text}\" can be on the server level only"))
            }
            (LocationName::Prefix { prefix, .. }, inner) => match inner.literal() {
                Some(literal) if !literal.starts_with(prefix) => {
                    fault(format!("location \"{text}\" is outside location \"{outer}\""))
                }
                _ => Ok(()),
            },
            (LocationName::Regex(_), _) => Ok(()),
        }
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
        location.locations = Locations::new(children);
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

    /// nginx: a URI in `proxy_pass` stands for the location's name, so there must be one.
    fn check_pass(&self, location: &Location, nesting: Nesting) -> Result<(), Fault> {
        let Some(Some(pass)) = &self.written.pass.to else {
            return Ok(());
        };
        let nameless = nesting == Nesting::Condition
            || matches!(location.name, LocationName::Regex(_) | LocationName::Named(_));
        if let Destination::Group { uri: Some(_), .. } = &pass.to
            && nameless
        {
            return Err(Fault::sentence(
                "\"proxy_pass\" cannot have URI part in location given by regular expression, \
                 or inside named location, or inside \"if\" statement, or inside \"limit_except\" block",
            )
            .hint("leave the path away, also a single slash; or write it with a variable"));
        }
        Ok(())
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

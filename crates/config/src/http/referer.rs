//! `valid_referers`: which sites may lead to a page.

use tidegate_config_derive::Directives;

use crate::block::{Location, Server};
use crate::diagnostic::Diagnostic;
use crate::directive::{Arguments, Cx, Fault};
use crate::value::hosts::{HostFault, Hosts};
use crate::value::pattern::Pattern;

/// Which sites may lead to a page.
#[derive(Clone, Debug, Directives)]
pub struct Referer {
    /// Whom `$invalid_referer` is empty for: `none` (no `Referer`), `blocked` (one without a scheme),
    /// `server_names`, hosts with wildcards and the beginning of a path, and `~expressions` of what
    /// stands behind the scheme.
    #[directive("valid_referers", only(Server, Location), repeat, parse = Valid::parse, args(1, ..))]
    pub valid: Vec<Valid>,
    /// The size of the table of hosts.
    #[directive(
        "referer_hash_max_size",
        only(Server, Location),
        default = "2048",
        ignored = "tables grow as needed"
    )]
    pub max_size: u32,
    /// The size of a bucket of the table of hosts.
    #[directive(
        "referer_hash_bucket_size",
        only(Server, Location),
        default = "64",
        ignored = "tables grow as needed"
    )]
    pub bucket_size: u32,
}

/// Looks whether a level that lets in whom it cannot know names anybody (nginx:
/// `ngx_http_referer_merge_conf`, which names no place and counts no expressions).
pub(crate) fn check(servers: &[Server], cx: &mut Cx<'_>) {
    if servers.iter().any(|server| names_nobody(&server.location)) {
        let text = "the \"none\" or \"blocked\" referers are specified in the \
                    \"valid_referers\" directive without any valid referer";
        cx.diagnostics.push(Diagnostic::emerg(text).hint("add server_names, or a host"));
    }
}

fn names_nobody(location: &Location) -> bool {
    let valid = &location.referer.valid;
    let lets_in = valid.iter().any(|one| one.none || one.blocked);
    let named = valid.iter().any(|one| one.server_names || !one.hosts.is_empty());
    let inner = location.locations.all().iter().chain(&location.conditions);
    (lets_in && !named) || inner.into_iter().any(names_nobody)
}

/// One `valid_referers`.
#[derive(Clone, Debug, Default)]
pub struct Valid {
    /// `none`: requests without the field.
    pub none: bool,
    /// `blocked`: a value without `http://` or `https://`.
    pub blocked: bool,
    /// `server_names`: the names of the request's own server.
    pub server_names: bool,
    /// Hosts, and how a path has to begin.
    pub hosts: Hosts<String>,
    /// Expressions for what stands behind the scheme.
    pub patterns: Vec<Pattern>,
}

impl Valid {
    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut valid = Self::default();
        for word in args.words {
            match word.text.as_str() {
                "none" => valid.none = true,
                "blocked" => valid.blocked = true,
                "server_names" => valid.server_names = true,
                "" => {
                    let text = "invalid referer \"\"";
                    let hint = "`none` is a request without the field";
                    return Err(Fault::sentence(text).at(word.span).hint(hint));
                }
                text => {
                    if let Some(pattern) = text.strip_prefix('~') {
                        if pattern.is_empty() {
                            let text = format!("empty regex in \"{text}\"");
                            return Err(Fault::sentence(text).at(word.span));
                        }
                        valid.patterns.push(Pattern::compile(pattern, true, word, cx)?);
                        continue;
                    }
                    let at = text.find('/').unwrap_or(text.len());
                    let (host, path) = text.split_at_checked(at).unwrap_or((text, ""));
                    valid.hosts.insert(host, path.to_owned()).map_err(|fault| {
                        Fault::sentence(match fault {
                            HostFault::Conflict => format!("conflicting parameter \"{host}\""),
                            HostFault::Invalid => format!("invalid hostname or wildcard \"{host}\""),
                        })
                        .at(word.span)
                        .hint("a host without its scheme: example.com, *.example.com, example.com/path")
                    })?;
                }
            }
        }
        Ok(valid)
    }
}

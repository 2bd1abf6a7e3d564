//! The declared directives next to nginx's own tables.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use tidegate_config::directive::reference::{absent_module, declarations};
use tidegate_config::directive::{Declaration, Effect};

/// `nginx-directives.tsv`: what nginx's tables of commands say of main, events and http.
const NGINX: &str = include_str!("nginx-directives.tsv");

/// Modules that are not built into tidegate either.
const NOT_BUILT: &[&str] = &[
    "ngx_google_perftools_module",
    "ngx_http_degradation_module",
    "ngx_http_flv_module",
    "ngx_http_geoip_module",
    "ngx_http_image_filter_module",
    "ngx_http_mp4_module",
    "ngx_http_perl_module",
    "ngx_http_xslt_filter_module",
    "ngx_mail",
    "ngx_stream",
];

/// Where we are not like nginx's tables, and why.
const PAID: &str = "nginx has it in its paid edition alone";
const UNLIKE: &[(&str, &str)] = &[
    ("brotli", BROTLI),
    ("brotli_buffers", BROTLI),
    ("brotli_comp_level", BROTLI),
    ("brotli_min_length", BROTLI),
    ("brotli_static", BROTLI),
    ("brotli_types", BROTLI),
    ("brotli_window", BROTLI),
    ("echo", ECHO),
    ("echo_duplicate", ECHO),
    ("echo_status", ECHO),
    ("fastcgi_allow_upstream", PAID),
    ("grpc_allow_upstream", PAID),
    ("include", "it is read before directives are judged"),
    ("health_check", PAID),
    ("match", PAID),
    ("more_clear_headers", HEADERS_MORE),
    ("more_clear_input_headers", HEADERS_MORE),
    ("more_set_headers", HEADERS_MORE),
    ("more_set_input_headers", HEADERS_MORE),
    ("proxy_allow_upstream", PAID),
    ("queue", PAID),
    ("ssl", "nginx 1.25 took it away; older files have it"),
    ("scgi_allow_upstream", PAID),
    ("state", PAID),
    ("upstream_wait", "of our own: a request waits while an application is restarted"),
    ("uwsgi_allow_upstream", PAID),
    ("uwsgi_cache_background_update", "nginx's table says 1, its reader wants on or off"),
    ("worker_memory_limit", "of our own: nginx has no bound of memory as a whole"),
    ("zstd", ZSTD),
    ("zstd_buffers", ZSTD),
    ("zstd_comp_level", ZSTD),
    ("zstd_min_length", ZSTD),
    ("zstd_static", ZSTD),
    ("zstd_types", ZSTD),
];

const ECHO: &str = "it is of the module echo";
const HEADERS_MORE: &str = "it is of the module headers-more";
const BROTLI: &str = "it is of the module ngx_brotli";
const ZSTD: &str = "it is of the module zstd-nginx-module";

#[derive(Debug, PartialEq, Eq)]
struct Row {
    contexts: BTreeSet<String>,
    arity: String,
    block: bool,
}

type Rows = BTreeMap<String, Vec<Row>>;

fn words(contexts: &str) -> BTreeSet<String> {
    contexts.split(',').map(str::to_owned).collect()
}

fn nginx() -> Rows {
    let mut rows = Rows::new();
    for line in NGINX.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [module, name, contexts, arity, block] = columns[..] else { panic!("{line}") };
        if NOT_BUILT.contains(&module) {
            continue;
        }
        let (contexts, arity) = (words(contexts), spelled(arity));
        let row = Row { contexts, arity, block: block == "block" };
        rows.entry(name.to_owned()).or_default().push(row);
    }
    rows
}

fn declared() -> Rows {
    let mut rows = Rows::new();
    for declaration in declarations() {
        let names = declaration.contexts.names();
        let contexts = names.iter().map(|name| name.replace(' ', "-"));
        let row = Row {
            contexts: contexts.collect(),
            arity: arity(&declaration),
            block: declaration.block,
        };
        rows.entry(declaration.name).or_default().push(row);
    }
    rows
}

fn arity(declaration: &Declaration) -> String {
    let arity = declaration.arity;
    match (arity.least, arity.most) {
        _ if arity.flag => "flag".to_owned(),
        (least, Some(most)) if least == most => least.to_string(),
        (least, Some(most)) => format!("{least}-{most}"),
        (least, None) => format!("{least}+"),
    }
}

/// `0 1-2` of the table is `0-2`.
fn spelled(arity: &str) -> String {
    match arity {
        "0 1" => "0-1".to_owned(),
        "0 1-2" => "0-2".to_owned(),
        arity => arity.to_owned(),
    }
}

/// What all rows of a directive say together.
fn joined(rows: &[Row]) -> (BTreeSet<&str>, BTreeSet<(&str, bool)>) {
    let contexts = rows.iter().flat_map(|row| row.contexts.iter().map(String::as_str));
    let arities = rows.iter().map(|row| (row.arity.as_str(), row.block));
    (contexts.collect(), arities.collect())
}

#[test]
fn contexts_and_arity_are_nginxs() {
    let (nginx, declared) = (nginx(), declared());
    let mut unlike = Vec::new();
    for name in nginx.keys().chain(declared.keys()).collect::<BTreeSet<_>>() {
        let (theirs, ours) = (nginx.get(name), declared.get(name));
        if theirs.map(|rows| joined(rows)) != ours.map(|rows| joined(rows)) {
            unlike.push((name.as_str(), format!("{name}: nginx {theirs:?}, here {ours:?}")));
        }
    }
    let known = |name: &str| UNLIKE.iter().any(|(known, _)| *known == name);
    let unknown: Vec<_> = unlike.iter().filter(|(name, _)| !known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    let same = UNLIKE.iter().filter(|(name, _)| !unlike.iter().any(|(found, _)| found == name));
    assert_eq!(same.count(), 0, "some are like nginx's by now");
}

#[test]
fn what_is_not_built_in_says_so() {
    for line in NGINX.lines() {
        let mut columns = line.split('\t');
        let (Some(module), Some(name)) = (columns.next(), columns.next()) else { continue };
        if NOT_BUILT.contains(&module) {
            let named = absent_module(name).map(|(named, _)| named).unwrap_or_default();
            assert!(named.starts_with(module), "{name} is of {module}, not of {named:?}");
        }
    }
}

#[test]
fn what_is_declared_is_of_no_module_that_is_not_built_in() {
    for declaration in declarations() {
        let module = absent_module(&declaration.name);
        let mend = "take it from the table in directive/absent";
        assert!(module.is_none(), "{} is declared, and of {module:?}: {mend}", declaration.name);
    }
}

#[test]
fn a_name_stands_once_in_a_block() {
    let all = declarations();
    let mut seen: BTreeMap<&str, Vec<&Declaration>> = BTreeMap::new();
    for declaration in &all {
        for other in seen.get(declaration.name.as_str()).into_iter().flatten() {
            let twice = declaration.contexts.names();
            let twice: Vec<_> =
                twice.iter().filter(|name| other.contexts.names().contains(name)).collect();
            assert!(twice.is_empty(), "{} twice in {twice:?}", declaration.name);
        }
        seen.entry(&declaration.name).or_default().push(declaration);
    }
}

#[test]
fn every_directive_is_documented() {
    for Declaration { name, doc, effect, .. } in declarations() {
        assert!(!doc.trim().is_empty(), "{name} says nothing");
        let acts = matches!(effect, Effect::Acts);
        assert!(!acts || doc.ends_with('.'), "{name}: {doc}");
    }
}

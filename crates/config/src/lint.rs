//! What is legal and hardly meant: one rule a file, each with its danger, its mend and an example.
//!
//! A rule looks at one level at a time: the statements of a block and of those around it. It must
//! be right when it speaks; one that guesses is worse than none. A comment allows a finding at its
//! line, or at the next one where it stands alone:
//!
//! ```text
//! listen 443;   # tidegate: allow plain-443
//! ```

mod access_log_off;
mod alias_slash;
mod allow;
mod auth_without_file;
mod client_address;
mod content_type;
mod curly_quotes;
mod default_server;
mod doubled_root;
mod exposed_source;
mod forwarded_fields;
mod forwarded_host;
mod header_splitting;
mod if_trap;
mod level;
mod location_slash;
mod lost_list;
mod missing_root;
mod open_backend;
mod other_protocol;
mod pass_slash;
mod plain_443;
mod private_names;
mod reference;
mod referers_none;
mod shadowed;
mod swallowed;
mod try_files_status;
mod unanchored_name;
mod unreached;
mod upload_size;
mod weak_tls;

use std::path::Path;

pub(crate) use allow::keep_what_is_not_allowed;
use level::{Index, Level, advise, first_of, warn};
pub use reference::markdown;

use crate::diagnostic::Diagnostics;
use crate::directive::Table;
use crate::source::Sources;
use crate::syntax::{End, Statement};

/// Something that is legal and hardly meant.
pub struct Rule {
    /// Its name, as a comment that allows it has it.
    pub name: &'static str,
    /// What it looks for.
    pub title: &'static str,
    /// What may come of it.
    pub danger: &'static str,
    /// What to do.
    pub mend: &'static str,
    /// A piece of `http` in which it finds something.
    pub example: &'static str,
    /// The same, mended.
    pub mended: &'static str,
    check: Check,
}

/// What a rule looks at.
enum Check {
    /// One level after the other.
    Level(fn(&Level<'_>, &mut Diagnostics)),
    /// The whole of it.
    Whole(fn(&[Statement], &Table, &Sources, &mut Diagnostics)),
}

/// All rules, in the order in which they speak.
static RULES: [Rule; 29] = [
    swallowed::RULE,
    access_log_off::RULE,
    alias_slash::RULE,
    auth_without_file::RULE,
    client_address::RULE,
    content_type::RULE,
    curly_quotes::RULE,
    default_server::RULE,
    doubled_root::RULE,
    exposed_source::RULE,
    forwarded_fields::RULE,
    forwarded_host::RULE,
    header_splitting::RULE,
    if_trap::RULE,
    location_slash::RULE,
    lost_list::RULE,
    missing_root::RULE,
    open_backend::RULE,
    other_protocol::RULE,
    pass_slash::RULE,
    plain_443::RULE,
    private_names::RULE,
    referers_none::RULE,
    shadowed::RULE,
    try_files_status::RULE,
    unanchored_name::RULE,
    unreached::RULE,
    upload_size::RULE,
    weak_tls::RULE,
];

/// What is told of directives that are read and do nothing, as if it were a rule.
pub const WITHOUT_EFFECT: &str = "without-effect";

/// All rules.
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// Blocks whose statements are no directives.
const TABLES: [&str; 5] = ["charset_map", "geo", "map", "split_clients", "types"];

/// Looks at a whole configuration with every rule.
pub(crate) fn run(
    statements: &[Statement],
    (table, prefix): (&Table, &Path),
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) {
    for rule in &RULES {
        if let Check::Whole(check) = rule.check {
            let before = diagnostics.len();
            check(statements, table, sources, diagnostics);
            diagnostics.name_from(before, rule.name);
        }
    }
    let index = Index::of(statements);
    let index = index.as_ref();
    visit(&Level { opener: None, body: statements, around: None, prefix, index }, diagnostics);
}

fn visit(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for rule in &RULES {
        if let Check::Level(check) = rule.check {
            let before = diagnostics.len();
            check(level, diagnostics);
            diagnostics.name_from(before, rule.name);
        }
    }
    for statement in level.body {
        if let End::Block { body, .. } = &statement.end
            && !TABLES.contains(&statement.name.text.as_str())
            && !statement.name.text.ends_with("_by_lua_block")
        {
            let index = Index::of(body);
            let (opener, around, index) = (Some(statement), Some(level), index.as_ref());
            let inner = Level { opener, body, around, prefix: level.prefix, index };
            visit(&inner, diagnostics);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, load};

    fn found(text: &str) -> Vec<&'static str> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nginx.conf");
        for source in [".env", "manage.py", "public/index.html"] {
            let source = folder.path().join("app").join(source);
            std::fs::create_dir_all(source.parent().unwrap()).unwrap();
            std::fs::write(source, "").unwrap();
        }
        std::fs::write(&path, format!("events {{}} http {{ {text}\n }}")).unwrap();
        let options = Options { prefix: folder.path().to_path_buf(), ..Options::default() };
        load(&path, &options).diagnostics.iter().filter_map(|found| found.rule).collect()
    }

    #[test]
    fn every_rule_finds_its_example_and_not_its_mend() {
        for rule in rules() {
            assert!(found(rule.example).contains(&rule.name), "{}: {}", rule.name, rule.example);
            assert!(!found(rule.mended).contains(&rule.name), "{}: {}", rule.name, rule.mended);
            let allow = format!(" # tidegate: allow {}\n", rule.name);
            let allowed: String = rule.example.lines().flat_map(|line| [line, &allow]).collect();
            assert!(!found(&allowed).contains(&rule.name), "{}: {allowed}", rule.name);
            assert!(!rule.danger.is_empty() && !rule.mend.is_empty() && !rule.title.is_empty());
        }
    }

    #[test]
    fn names_of_rules_are_words_of_their_own() {
        let mut names: Vec<_> = rules().iter().map(|rule| rule.name).collect();
        let plain = |name: &str| {
            name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(names.iter().all(|name| plain(name)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rules().len());
    }

    #[test]
    fn a_comment_allows_a_finding_at_its_line_or_the_next() {
        assert_eq!(found("server {\n listen 443;\n}"), ["plain-443"]);
        assert!(found("server {\n listen 443; # tidegate: allow plain-443\n}").is_empty());
        assert!(
            found("server {\n # tidegate: allow lost-list, plain-443\n listen 443;\n}").is_empty()
        );
        assert_eq!(found("server {\n listen 443; # tidegate: allow lost-list\n}"), ["plain-443"]);
        assert_eq!(
            found("server {\n # tidegate: allow plain-443\n\n listen 443;\n}"),
            ["plain-443"]
        );
    }
}

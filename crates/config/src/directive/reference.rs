//! The reference: every directive, what it does here, and what holds where nothing is said.

use std::fmt::Write as _;

use super::{Declaration, Effect};
use crate::block;
use crate::variable::Builtin;

/// All directives, ordered by name.
pub fn declarations() -> Vec<Declaration> {
    block::table().declarations().into_iter().cloned().collect()
}

/// The text of `DIRECTIVES.md`.
pub fn markdown() -> String {
    let all = declarations();
    let count = |wanted: fn(&Effect) -> bool| all.iter().filter(|d| wanted(&d.effect)).count();
    let acts = count(|effect| matches!(effect, Effect::Acts));
    let differs = count(|effect| matches!(effect, Effect::Differs(_)));
    let ignored = count(|effect| matches!(effect, Effect::Ignored(_)));
    let mut text = format!(
        "# Directives\n\nGenerated from the declarations in `crates/config`; a test keeps it current.\n\n\
         {} directives: {acts} act as nginx's do, {differs} act differently, {ignored} are accepted \
         without effect, and {} are refused, as doing nothing would let in whom, or send what, they \
         are to stop or to change. `tidegate -t` names each that a configuration uses and that has \
         no effect.\n",
        all.len(),
        all.len() - acts - differs - ignored
    );
    section(&mut text, "Act", &all, |effect| matches!(effect, Effect::Acts));
    section(&mut text, "Act differently", &all, |effect| matches!(effect, Effect::Differs(_)));
    section(&mut text, "Accepted without effect", &all, |e| matches!(e, Effect::Ignored(_)));
    section(&mut text, "Refused", &all, |e| matches!(e, Effect::Refused { .. }));
    variables(&mut text);
    text
}

fn variables(text: &mut String) {
    let known = |empty: bool| {
        let names = Builtin::NAMES.iter().filter(move |name| {
            Builtin::of(name).is_some_and(|builtin| builtin.is_empty_yet() == empty)
        });
        names.map(|name| format!("`${name}`")).collect::<Vec<_>>().join(", ")
    };
    let _ = write!(
        text,
        "\n## Variables\n\n\
         With a value: {}; `$1` to `$9` and the named groups of regular expressions; `$arg_…`, \
         `$cookie_…`, `$http_…`, `$sent_http_…`, `$upstream_cookie_…`, `$upstream_http_…`; and \
         what `set` and `map` define.\n\n\
         Always empty yet: {}, `$sent_trailer_…`, `$upstream_trailer_…`.\n",
        known(false),
        known(true)
    );
}

fn section(text: &mut String, title: &str, all: &[Declaration], wanted: fn(&Effect) -> bool) {
    let _ = write!(text, "\n## {title}\n\n| directive | where | default | |\n|---|---|---|---|\n");
    for declared in all.iter().filter(|declared| wanted(&declared.effect)) {
        let contexts = declared.contexts.names().join(", ");
        let family = declared.name.split('_').next().unwrap_or_default();
        let default = declared.default.map(|text| format!("`{}`", text.replace("{}", family)));
        let default = default.unwrap_or_default();
        let note = match declared.effect {
            Effect::Acts => declared.doc,
            Effect::Differs(how) => how,
            Effect::Ignored(reason) | Effect::Refused { reason, .. } => reason,
        };
        let note = note.replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {contexts} | {default} | {note} |", declared.name);
    }
}

//! The reference: every directive, what it does here, and what holds where nothing is said.

use std::fmt::Write as _;

use super::{Declaration, Effect};
use crate::block;

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
         without effect. `tidegate -t` names each that a configuration uses and that has none.\n",
        all.len()
    );
    section(&mut text, "Act", &all, |effect| matches!(effect, Effect::Acts));
    section(&mut text, "Act differently", &all, |effect| matches!(effect, Effect::Differs(_)));
    section(&mut text, "Accepted without effect", &all, |e| matches!(e, Effect::Ignored(_)));
    text
}

fn section(text: &mut String, title: &str, all: &[Declaration], wanted: fn(&Effect) -> bool) {
    let _ = write!(text, "\n## {title}\n\n| directive | where | default | |\n|---|---|---|---|\n");
    for declared in all.iter().filter(|declared| wanted(&declared.effect)) {
        let contexts = declared.contexts.names().join(", ");
        let default = declared.default.map(|text| format!("`{text}`")).unwrap_or_default();
        let note = match declared.effect {
            Effect::Acts => declared.doc,
            Effect::Differs(how) => how,
            Effect::Ignored(reason) => reason,
        };
        let note = note.replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {contexts} | {default} | {note} |", declared.name);
    }
}

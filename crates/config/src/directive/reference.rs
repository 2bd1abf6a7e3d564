//! The reference: every directive, what it does here, and what holds where nothing is said.

use std::fmt::Write as _;

use super::{Declaration, Effect, absent};
use crate::block;

/// The module that a directive or a `$variable` is of, where it is not built in, and what to do
/// instead.
pub fn absent_module(name: &str) -> Option<(&'static str, &'static str)> {
    let module = match name.strip_prefix('$') {
        Some(variable) => absent::owner_of_variable(variable),
        None => absent::owner(name).map(|(module, _)| module),
    }?;
    Some((module.name, module.instead))
}

/// All directives, ordered by name.
pub fn declarations() -> Vec<Declaration> {
    block::table().declarations().into_iter().cloned().collect()
}

/// The text of `DIRECTIVES.md`.
pub fn markdown() -> String {
    let all = declarations();
    let count = |wanted: fn(&Effect) -> bool| all.iter().filter(|d| wanted(&d.effect)).count();
    let share = |number: usize| {
        let percent = number as f64 * 100.0 / all.len() as f64;
        format!("{number} ({percent:.1} %)")
    };
    let acts = count(|effect| matches!(effect, Effect::Acts));
    let differs = count(|effect| matches!(effect, Effect::Differs(_)));
    let ignored = count(|effect| matches!(effect, Effect::Ignored(_)));
    let mut text = format!(
        "# Directives\n\nGenerated from the declarations in `crates/config`; a test keeps it current.\n\n\
         Of {} directives, {} act as nginx's do, {} act differently, {} are accepted without effect, \
         and {} are refused, as doing nothing would let in whom, or send what, they are to stop or to \
         change. `tidegate -t` names each that a configuration uses and that has no effect. What \
         belongs to [modules that are not built in](#modules-that-are-not-built-in) is not counted; \
         variables are in [`VARIABLES.md`](VARIABLES.md).\n",
        all.len(),
        share(acts),
        share(differs),
        share(ignored),
        share(all.len() - acts - differs - ignored)
    );
    section(&mut text, "Act", &all, |effect| matches!(effect, Effect::Acts));
    section(&mut text, "Act differently", &all, |effect| matches!(effect, Effect::Differs(_)));
    section(&mut text, "Accepted without effect", &all, |e| matches!(e, Effect::Ignored(_)));
    section(&mut text, "Refused", &all, |e| matches!(e, Effect::Refused { .. }));
    modules(&mut text);
    text
}

fn modules(text: &mut String) {
    text.push_str(
        "\n## Modules that are not built in\n\n\
         Their directives are refused where clients would get something else without them, or \
         somebody would be let in; with `off` there is nothing to refuse. Those that only tell or \
         tune are passed over, with a warning. A `*` stands for any letters. `load_module` of any of \
         these is accepted with a warning; of a module that is built in, with a notice.\n\n\
         | module | refused | passed over | what to do instead |\n|---|---|---|---|\n",
    );
    let mut all: Vec<_> = absent::modules().collect();
    all.sort_by_key(|module| module.name);
    let words = |words: &[&str]| {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    };
    for module in all {
        let (refused, passed_over) = (words(module.refused), words(module.passed_over));
        let (name, instead) = (module.name, module.instead);
        let _ = writeln!(text, "| `{name}` | {refused} | {passed_over} | {instead} |");
    }
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

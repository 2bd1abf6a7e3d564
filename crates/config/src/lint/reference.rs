//! The reference of lint: every rule with its danger, its mend and an example.

use std::fmt::Write as _;

/// The text of `LINT.md`.
pub fn markdown() -> String {
    let mut text = format!(
        "# Rules of lint\n\nGenerated from `crates/config/src/lint`; a test keeps it current, and another \
         sees that every rule finds its example and is silent once that is mended.\n\n\
         `tidegate lint [FILE]` looks for these {} traps, and for directives without effect \
         (`{}`); `tidegate -t` tells of them too. A comment allows a finding at the end of its line, or \
         alone on the line before:\n\n```nginx\nlisten 443;   # tidegate: allow plain-443\n```\n",
        super::rules().len(),
        super::WITHOUT_EFFECT
    );
    for rule in super::rules() {
        let _ = write!(
            text,
            "\n## {}\n\n{}.\n\n{}\n\n**Mend**: {}\n\n```nginx\n# finds\n{}\n# mended\n{}\n```\n",
            rule.name, rule.title, rule.danger, rule.mend, rule.example, rule.mended
        );
    }
    text
}

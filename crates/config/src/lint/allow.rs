//! Comments that allow a finding: `# tidegate: allow NAME, NAME`.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Sources;

const MARK: &str = "# tidegate: allow ";

/// Takes away the findings of rules that a comment allows: at the end of their line, or alone on
/// the line before.
pub(crate) fn keep_what_is_not_allowed(diagnostics: &mut Diagnostics, sources: &Sources) {
    let mut allowed: HashMap<(u32, usize), Vec<&str>> = HashMap::new();
    for (file, source) in sources.iter().enumerate() {
        if !source.text.contains(MARK) {
            continue;
        }
        for (number, line) in source.text.split('\n').enumerate() {
            let Some((before, names)) = line.split_once(MARK) else { continue };
            // Alone on its line, it is about the next one; lines count from 1.
            let line = number + if before.trim().is_empty() { 2 } else { 1 };
            let names = names.split([',', ' ']).map(str::trim);
            allowed.entry((file as u32, line)).or_default().extend(names);
        }
    }
    if allowed.is_empty() {
        return;
    }
    diagnostics.retain(|finding: &Diagnostic| {
        let (Some(rule), Some(span)) = (finding.rule, finding.span) else { return true };
        let Some(line) = sources.line(span) else { return true };
        !allowed.get(&(span.file, line)).is_some_and(|names| names.contains(&rule))
    });
}

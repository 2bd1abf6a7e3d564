//! Two texts side by side: what they share, and what not.

/// The lines of both, those that only one has behind `-` and `+`.
pub fn difference(what: &str, expected: &str, got: &str) -> String {
    let mut out = format!("=== {what}\n");
    let (expected, got): (Vec<_>, Vec<_>) = (expected.lines().collect(), got.lines().collect());
    let same = expected.iter().zip(&got).take_while(|(a, b)| a == b).count();
    out.extend(expected[..same].iter().map(|line| format!("  {line}\n")));
    let rest = (&expected[same..], &got[same..]);
    let tail = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(|(a, b)| a == b).count();
    let (wanted, come) = (&rest.0[..rest.0.len() - tail], &rest.1[..rest.1.len() - tail]);
    out.extend(wanted.iter().map(|line| format!("- {line}\n")));
    out.extend(come.iter().map(|line| format!("+ {line}\n")));
    out.extend(rest.0[rest.0.len() - tail..].iter().map(|line| format!("  {line}\n")));
    out
}

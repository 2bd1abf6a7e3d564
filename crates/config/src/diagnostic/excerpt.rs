//! The line at fault with a mark under it, as rustc shows it.

use std::fmt::Write;

use crate::source::{Sources, Span};

/// How many columns of a line are shown.
const WIDTH: usize = 100;

/// How many characters on either side of a mark's beginning are looked at.
const LONG: usize = 1024;

/// How many of them stand before the mark when a long line is cut.
const BEFORE: usize = 30;

/// Appends the excerpt; returns the width of the margin that holds the line number.
pub(super) fn push(text: &mut String, sources: &Sources, span: Span) -> usize {
    let Some(line) = sources.line(span) else { return 3 };
    let margin = line.to_string().len().max(3);
    let (before, rest) = sources.line_around(span).unwrap_or_default();
    if before.trim_start().is_empty() && rest.trim_start().is_empty() {
        return margin;
    }
    let covered =
        sources.text(span).chars().take_while(|c| !"\r\n".contains(*c)).take(WIDTH).count();
    let (shown, start, length) = cut(before, rest, covered);
    _ = writeln!(text, "{line:>margin$} | {shown}");
    _ = writeln!(text, "{:margin$} | {:start$}{}", "", "", "^".repeat(length));
    margin
}

/// The line as it is shown, and the columns where the mark starts and how long it is.
fn cut(before: &str, rest: &str, covered: usize) -> (String, usize, usize) {
    let far = before.char_indices().rev().nth(LONG).map(|(at, _)| at);
    let near = before.get(far.unwrap_or(0)..).unwrap_or("");
    let at = near.chars().count();
    let cells = near.chars().chain(rest.chars().take(LONG));
    let cells: Vec<(String, usize)> = cells.map(cell).collect();
    let columns = |cells: &[(String, usize)]| cells.iter().map(|(_, width)| width).sum::<usize>();
    let (before, rest) = cells.split_at(at.min(cells.len()));
    let (marked, _) = rest.split_at(covered.min(rest.len()));
    let (start, length) = (columns(before), columns(marked).max(1));
    if far.is_none() && columns(&cells) <= WIDTH {
        return (cells.into_iter().map(|(text, _)| text).collect(), start, length);
    }
    let skip = if far.is_none() && start + length <= WIDTH { 0 } else { at.saturating_sub(BEFORE) };
    let mut shown = String::from(if skip > 0 { "..." } else { "" });
    let mut width = shown.len();
    let start = width + columns(before.get(skip..).unwrap_or(&[]));
    for (text, columns) in cells.iter().skip(skip) {
        if width + columns > WIDTH {
            shown.push_str("...");
            break;
        }
        shown.push_str(text);
        width += columns;
    }
    (shown, start, length.min(WIDTH.saturating_sub(start)).max(1))
}

/// A character as it is shown, and its columns: tabs as blanks, control characters as U+FFFD.
fn cell(c: char) -> (String, usize) {
    match c {
        '\t' => (" ".repeat(4), 4),
        c if c.is_control() => ('\u{fffd}'.to_string(), 1),
        c => (c.to_string(), width(c)),
    }
}

/// Columns of a character on a terminal, by the large blocks of UAX #11 and of combining marks.
fn width(c: char) -> usize {
    let within = |blocks: &[(u32, u32)]| {
        blocks.iter().any(|&(first, last)| (first..=last).contains(&(c as u32)))
    };
    if within(&NONE) {
        0
    } else if within(&DOUBLE) {
        2
    } else {
        1
    }
}

/// Combining marks, joiners, marks of direction, selectors.
const NONE: [(u32, u32); 7] = [
    (0x0300, 0x036f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2066, 0x2069),
    (0x20d0, 0x20ff),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
];

/// East Asian scripts, full-width forms, pictures.
const DOUBLE: [(u32, u32); 9] = [
    (0x1100, 0x115f),
    (0x2e80, 0xa4cf),
    (0xac00, 0xd7a3),
    (0xf900, 0xfaff),
    (0xfe30, 0xfe6f),
    (0xff00, 0xff60),
    (0xffe0, 0xffe6),
    (0x1f300, 0x1faff),
    (0x20000, 0x3fffd),
];

#[cfg(test)]
mod tests {
    use crate::diagnostic::Diagnostic;
    use crate::source::{Sources, Span};

    fn render(text: &str, word: &str) -> String {
        let mut sources = Sources::default();
        let file = sources.push("/n.conf", text);
        let start = text.find(word).unwrap() as u32;
        let span = Span { file, start, end: start + word.len() as u32 };
        let diagnostic = Diagnostic::emerg("unknown directive \"foo\"").at(span).hint("mend it");
        diagnostic.render(&sources)
    }

    #[test]
    fn a_finding_is_nginxs_line_then_the_excerpt_then_the_hint() {
        assert_eq!(
            render("events {}\n\n    foo on;\n", "foo"),
            "nginx: [emerg] unknown directive \"foo\" in /n.conf:3\n  \
             3 |     foo on;\n    |     ^^^\n    = hint: mend it\n"
        );
    }

    #[test]
    fn tabs_wide_and_control_characters_do_not_misplace_the_mark() {
        let text = render("\t\u{1b}漢 foo;\n", "foo");
        assert!(text.contains("  1 |     \u{fffd}漢 foo;\n    |         ^^^\n"), "{text}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = render(&format!("{}foo{}\n", "x".repeat(500), "y".repeat(500)), "foo");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1].len(), 6 + 100 + 3);
        assert_eq!(lines[1].find("foo"), lines[2].find("^^^"));
    }

    #[test]
    fn of_a_very_long_line_the_same_is_shown() {
        let long = |count| format!("{}foo{}\n", "é".repeat(count), "ö".repeat(count));
        let texts: Vec<String> =
            [500, 1023, 1024, 1025, 30_000].map(|n| render(&long(n), "foo")).into();
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:#?}");
    }

    #[test]
    fn the_mark_of_a_span_over_several_lines_ends_with_the_first() {
        let text = render("log 'a\nb';\n", "'a\nb'");
        assert!(text.contains("    |     ^^\n"), "{text}");
    }

    #[test]
    fn the_end_of_a_file_has_no_excerpt() {
        let mut sources = Sources::default();
        let file = sources.push("/n.conf", "events {\n");
        let diagnostic = Diagnostic::emerg("oops").at(Span { file, start: 9, end: 9 });
        assert_eq!(diagnostic.render(&sources), "nginx: [emerg] oops in /n.conf:2\n");
    }

    #[test]
    fn without_a_place_no_file_is_named() {
        let text = Diagnostic::warn("w").hint("h").render(&Sources::default());
        assert_eq!(text, "nginx: [warn] w\n    = hint: h\n");
    }
}

//! Where a block of Lua ends, so that nothing of it is read as nginx's language.

/// What stands from the brace on that closes a block; nothing where none does. Braces in strings
/// and comments do not count.
pub(super) fn closing_brace(body: &str) -> &str {
    let mut depth = 0_usize;
    let mut rest = body;
    while let Some(first) = rest.bytes().next() {
        let after = rest.get(1..).unwrap_or_default();
        rest = match first {
            b'}' if depth == 0 => return rest,
            b'}' => {
                depth -= 1;
                after
            }
            b'{' => {
                depth += 1;
                after
            }
            b'"' | b'\'' => behind_string(after, first),
            b'[' => behind_long(rest).unwrap_or(after),
            b'-' if after.starts_with('-') => {
                let comment = after.get(1..).unwrap_or_default();
                behind_long(comment).unwrap_or_else(|| behind(comment, "\n"))
            }
            _ => next(rest),
        };
    }
    rest
}

/// What follows the first character.
fn next(text: &str) -> &str {
    let mut rest = text.chars();
    rest.next();
    rest.as_str()
}

/// What follows this mark; nothing where it is not there.
fn behind<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or("", |(_, after)| after)
}

/// What follows a string that ends by this quote, or with its line.
fn behind_string(mut text: &str, quote: u8) -> &str {
    while let Some(first) = text.bytes().next() {
        let after = next(text);
        match first {
            b'\\' => text = next(after),
            b'\n' => return after,
            first if first == quote => return after,
            _ => text = after,
        }
    }
    text
}

/// What follows a string or a comment in long brackets, `[[…]]` or `[==[…]==]`.
fn behind_long(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let level = inner.bytes().take_while(|byte| *byte == b'=').count();
    let inner = inner.get(level..)?.strip_prefix('[')?;
    Some(behind(inner, &format!("]{}]", "=".repeat(level))))
}

#[cfg(test)]
mod tests {
    use super::closing_brace;

    #[test]
    fn braces_in_strings_and_comments_do_not_count() {
        for body in [
            "x({y = 'z'}) ",
            "x = '}' ",
            "x = \"\\\"}\" ",
            "-- it's a }\n",
            "--[[ }\n } ]] ",
            "x = [==[ ]] } ]==] ",
            "ä = a[1] - -1 ",
            "local t = {{}, {'{'}} ",
            "x = 'cut\n",
        ] {
            assert_eq!(closing_brace(&format!("{body}}} c;")), "} c;", "{body}");
        }
        assert_eq!(closing_brace("x = '}' "), "");
        assert_eq!(closing_brace("--"), "");
        assert_eq!(closing_brace("'\\"), "");
    }
}

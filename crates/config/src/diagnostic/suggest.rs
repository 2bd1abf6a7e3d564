//! "Did you mean …?"

/// The known word that a mistyped one most probably was: few edits away for its length, rather
/// one that begins alike.
pub fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let length = word.chars().count();
    let limit = match length {
        0 | 1 => return None,
        2..=4 => 1,
        5..=7 => 2,
        8..=14 => 3,
        _ => 4,
    };
    known
        .filter(|known| known.chars().count().abs_diff(length) <= limit)
        .filter_map(|known| {
            let folded = known.to_ascii_lowercase();
            let edits = strsim::damerau_levenshtein(&word, &folded);
            let alike = word.bytes().zip(folded.bytes()).take_while(|(a, b)| a == b).count();
            (edits <= limit).then_some((edits, std::cmp::Reverse(alike), known))
        })
        .min()
        .map(|(.., known)| known)
}

#[cfg(test)]
mod tests {
    use super::suggest;

    fn of(word: &str, known: &[&'static str]) -> Option<&'static str> {
        suggest(word, known.iter().copied())
    }

    #[test]
    fn the_closest_word_is_suggested() {
        assert_eq!(of("lsten", &["listen", "least_conn"]), Some("listen"));
        assert_eq!(of("miniapi", &["uwsgiapi", "other"]), None);
        assert_eq!(of("proxy_pas", &["proxy_pass", "proxy_pass_header"]), Some("proxy_pass"));
        assert_eq!(of("Listen", &["listen"]), Some("listen"));
    }

    #[test]
    fn of_two_as_close_the_one_that_begins_alike_is_taken() {
        assert_eq!(of("serve_a", &["xerver_a", "server_a"]), Some("server_a"));
        assert_eq!(of("backend1", &["xackend1", "backend2"]), Some("backend2"));
    }

    #[test]
    fn nothing_is_suggested_for_what_resembles_nothing() {
        assert_eq!(of("foo", &["listen", "root"]), None);
        assert_eq!(of("", &["a"]), None);
        assert_eq!(of("x", &["y"]), None);
    }
}

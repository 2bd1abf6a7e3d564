//! What is sifted out does not match.

use proptest::prelude::*;

use super::super::required::required;
use super::super::{Captures, Effort};
use super::*;

/// The texts that an expression asks for, in order; "?": it asks for none.
fn asked(pattern: &str, caseless: bool) -> String {
    let Some(mut texts) = required(pattern, caseless) else { return "?".to_owned() };
    texts.sort();
    texts.dedup();
    texts.iter().map(|text| String::from_utf8_lossy(text)).collect::<Vec<_>>().join(" ")
}

#[test]
fn texts_without_which_nothing_matches_are_found() {
    for (pattern, expected) in [
        (r"\.php$", ".php"),
        (r"\.(?:css|js)$", ".css .js"),
        (r"\.(gif|jpe?g|PNG)(\?.*)?$", ".gif .jpeg .jpg .png"),
        (r"(?i)^/IMG/", "/img/"),
        (r"^/a[bc]/[0-9]+\.x$", "/ab/ /ac/"),
        (r"^/[0-9]+/download$", "/download"),
        (r"^/(?!api/)x/(\w+)\.html$", ".html"),
        (r"(?<=/)static(?=/)", "static"),
        (r"(?<!un)(?!un)do", "do"),
        (r"(?>/a|/b)c", "/ac /bc"),
        (r"a++b{2,}", "a"),
        (r"(ab)\1cde", "cde"),
        (r"a\Kbc", "abc"),
        (r"a\Rb", "a"),
        (r"(x|yz)+", "x yz"),
        (r"~$", "~"),
        (r"(?x) /a b # c", "/ab"),
        (r"\Q/a.b\E", "/a.b"),
        ("[[:digit:]]abc", "abc"),
        ("", "?"),
        ("^$", "?"),
        (".*", "?"),
        ("a|.", "?"),
        ("(a|)b?", "?"),
        ("(?:abc)?", "?"),
        ("[a-f]", "?"),
        ("(?!)", "?"),
        (r"[^\x00-\xff]a", "?"),
        (r"\d{3,}", "?"),
    ] {
        assert_eq!(asked(pattern, false), expected, "{pattern}");
    }
    assert_eq!(asked("/É-a", true), "/É-a");
}

#[test]
fn what_would_be_too_many_texts_is_not_asked_for() {
    let many: Vec<String> = (0..MANY).map(|number| format!("bot-{number}")).collect();
    assert_eq!(required(&many.join("|"), false).map(|texts| texts.len()), Some(MANY));
    assert_eq!(asked(&(many.join("|") + "|" + &many.join("x|")), false), "?");
    // A part of it will do.
    assert_eq!(asked("(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)-the-end", false), "a-the-end b-the-end");
    let long = "a".repeat(100_000);
    assert_eq!(asked(&long, false), "a".repeat(64));
    assert_eq!(asked(&format!("(?:{long}){{60000}}"), false), "a".repeat(64));
    let deep = "(?:a".repeat(100) + &")?".repeat(100);
    assert_eq!(asked(&deep, false), "?");
}

const MANY: usize = 300;

fn compiled(patterns: &[&str]) -> Vec<Regex> {
    patterns.iter().map(|pattern| Regex::new(pattern, false).unwrap()).collect()
}

fn sieve(regexes: &[Regex]) -> Sieve {
    Sieve::of(&regexes.iter().collect::<Vec<_>>())
}

fn candidates(patterns: &[&str], subject: &str) -> Vec<usize> {
    sieve(&compiled(patterns)).candidates(subject.as_bytes()).collect()
}

#[test]
fn few_are_not_sifted_where_trying_each_costs_less() {
    for (patterns, is_sifted) in [
        (&[][..], false),
        (&[r"\.php$"], false),
        (&[r"\.php$", "^/api/"], false),
        (&["^/a/", "^/b/", "^/c/"], false),
        (&[".", "x?", r"\.php$"], false),
        (&[r"\.php$", "~$"], true),
        (&["^/a", "^/b", "^/c", "^/d", "^/e", "^/f", "^/g", "^/h"], true),
        (&[".", ".", ".", ".", ".", ".", ".", "."], true),
    ] {
        let regexes = compiled(patterns);
        let sieve = Sieve::new(&regexes.iter().collect::<Vec<_>>());
        assert_eq!(sieve.is_some(), is_sifted, "{patterns:?}");
    }
}

#[test]
fn those_that_may_match_come_in_order() {
    let patterns = [r"\.php$", "^/api/", r"\.(css|js)$", "[0-9]", "/API/v2", "(a|b)+$"];
    assert_eq!(candidates(&patterns, "/x"), [3]);
    assert_eq!(candidates(&patterns, "/api/v2/x.PHP.js"), [0, 1, 2, 3, 4, 5]);
    assert_eq!(candidates(&patterns, "/a"), [3, 5]);
    assert_eq!(candidates(&patterns, "/x.php\n"), [0, 3]);
    assert_eq!(candidates(&[".", "x?", "y"], "/x"), [0, 1]);
    assert_eq!(candidates(&[".", "x?"], "/y"), [0, 1]);
}

#[test]
fn of_very_many_few_are_left() {
    for count in [63, 64, 65, 128, 129, 5000] {
        let patterns: Vec<String> = (0..count).map(|number| format!("^/part-{number}$")).collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let regexes = compiled(&patterns);
        let sieve = sieve(&regexes);
        let subject = format!("/part-{}", count - 1);
        let left: Vec<usize> = sieve.candidates(subject.as_bytes()).collect();
        assert!(left.len() <= 4 && left.last() == Some(&(count - 1)), "{count}: {left:?}");
        let first =
            left.into_iter().find(|nth| regexes[*nth].is_match(subject.as_bytes()) == Ok(true));
        assert_eq!(first, Some(count - 1));
    }
}

#[test]
fn texts_are_found_by_either_way() {
    let texts: Vec<Vec<u8>> = [".css", ".cs", "/a", "part"].map(Into::into).to_vec();
    let mut sorted = texts.clone();
    sorted.sort();
    assert_eq!(beginnings(sorted.iter().map(Vec::as_slice)), 4 + 2 + 4);
    let many: Vec<Vec<u8>> = (1000..3000).map(|n| format!("{n}-text").into_bytes()).collect();
    assert!(matches!(Finder::new(sorted.iter().map(Vec::as_slice)), Some(Finder::Table(_))));
    let finder = Finder::new(many.iter().map(Vec::as_slice)).unwrap();
    assert!(matches!(finder, Finder::Chain(_)));
    let found: Vec<usize> = finder.find(b"/2999-TEXT/1000-text", many.len()).collect();
    assert_eq!(found, [0, 1999]);
}

#[test]
fn texts_of_one_that_are_everywhere_cost_no_more_than_their_number() {
    let patterns: Vec<String> = (1..=200).map(|number| "a".repeat(number) + "$").collect();
    let regexes: Vec<Regex> =
        patterns.iter().map(|pattern| Regex::new(pattern, false).unwrap()).collect();
    let sieve = sieve(&regexes);
    assert_eq!(sieve.candidates("a".repeat(100_000).as_bytes()).count(), 200);
    assert_eq!(sieve.candidates("a".repeat(20).as_bytes()).count(), 20);
}

fn pattern() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[aAb/.]{1,3}".prop_map(|text| text.replace('.', r"\.")),
        prop::sample::select(vec![
            "[ab]", "[^a]", ".", r"\w", r"\d", "^", "$", r"\b", "", "(?i)", r"\K", r"\1", r"\R",
            "[a-f]",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let open =
            prop::sample::select(vec!["(", "(?:", "(?>", "(?=", "(?!", "(?<=", "(?<!", "(?i:"]);
        let times =
            prop::sample::select(vec!["*", "+", "?", "{2}", "{0}", "{1,2}", "++", "*?", "?+"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("(?:{one}|{other})")),
            (open, inner.clone()).prop_map(|(open, inner)| format!("{open}{inner})")),
            (inner, times).prop_map(|(inner, times)| format!("(?:{inner}){times}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_is_sifted_out_does_not_match(
        pattern in pattern(),
        caseless: bool,
        subjects in prop::collection::vec("[abAB/.\n]{0,8}", 8),
    ) {
        let Ok(regex) = Regex::new(&pattern, caseless) else { return Ok(()) };
        let sieve = Sieve::of(&[&regex]);
        for subject in subjects {
            if sieve.candidates(subject.as_bytes()).next().is_none() {
                let found =
                    regex.captures(subject.as_bytes(), &mut Captures::default(), &mut Effort::default());
                prop_assert_eq!(found, Ok(false), "{} on {:?}", pattern, subject);
            }
        }
    }
}

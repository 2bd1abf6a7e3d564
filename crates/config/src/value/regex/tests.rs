//! Expressions against what PCRE2 10.42 makes of them.

use proptest::prelude::*;

use super::*;

/// What the groups hold: "0:3 1:2 -"; empty if nothing matches.
fn spans(pattern: &str, caseless: bool, subject: &[u8]) -> String {
    let regex = Regex::new(pattern, caseless).unwrap();
    let mut captures = Captures::default();
    let found = regex.captures(subject, &mut captures).unwrap();
    assert_eq!(regex.is_match(subject), Ok(found), "{pattern}");
    let span = |group| match captures.get(group) {
        Some((start, end)) => format!("{start}:{end}"),
        None => "-".to_owned(),
    };
    (0..captures.len()).map(span).collect::<Vec<_>>().join(" ")
}

fn check(pattern: &str, subject: impl AsRef<[u8]>, expected: &str) {
    let subject = subject.as_ref();
    let shown = String::from_utf8_lossy(subject);
    assert_eq!(spans(pattern, false, subject), expected, "{pattern} on {shown:?}");
}

fn refused(pattern: &str) -> String {
    Regex::new(pattern, false).unwrap_err().to_string()
}

#[test]
fn the_expressions_of_everyday_configurations_match() {
    check(r"\.php$", "/a/index.php", "8:12");
    check(r"\.(?:gif|jpe?g|png)$", "/x.jpg", "2:6");
    check(r"^/static/(.*)$", "/static/a/b.css", "0:15 8:15");
    check(r"^(?<user>[^/]+)/(?<rest>.+)$", "ann/x/y", "0:7 0:3 4:7");
    check(r"^/(?!api/)(\w+)", "/api2/x", "0:5 1:5");
    check(r"^/(?!api/)(\w+)", "/api/x", "");
    check(r"/\.(?!well-known)", "/.well-known/x", "");
    check(r"^(www\.)?(.+)$", "example.org", "0:11 - 0:11");
    check(r"^([^.]+)\.example\.(com|org)$", "a.example.org", "0:13 0:1 10:13");
    check(r"(?i)\.JPG$", "x.jpg", "1:5");
    check(r"MSIE [1-6]\.", "Mozilla/4.0 (compatible; MSIE 6.0)", "25:32");
    check(r"^[\w-.]+$", "a-b.c", "0:5");
    check("", "abc", "0:0");
}

#[test]
fn case_is_folded_for_ascii_only() {
    assert_eq!(spans("^/IMG/[a-c]x$", true, b"/img/BX"), "0:7");
    assert_eq!(spans("[^a]", true, b"A"), "");
    assert_eq!(spans("é", true, "É".as_bytes()), "");
    assert_eq!(spans(r"(a)\1", true, b"aA"), "0:2 0:1");
    check("a(?i)b(?-i)c", "aBc", "0:3");
    check("(a(?i)b|c)d", "Cd", "0:2 0:1");
    check("(?i:a)b", "AB", "");
}

#[test]
fn a_byte_is_a_character() {
    check("^.$", "é", "");
    check("^..$", "é", "0:2");
    check("[é]", "é", "0:1");
    check(r"\xc3(.)", [0xc3, 0xff], "0:2 1:2");
    check(r"^[^/]+$", [0xff, 0xfe, 0x80], "0:3");
    check(r"\w|\s|\d", "é\u{a0}٣", "");
    check("é+", "éé", "0:2");
    check(r"\W\b", [0xe9, b'a'], "0:1");
}

#[test]
fn the_end_is_also_before_a_last_newline() {
    check("a$", "a\n", "0:1");
    check("a$", "a\n\n", "");
    check(r"a\Z", "a\n", "0:1");
    check(r"a\z", "a\n", "");
    check("(?m)a$", "a\nb", "0:1");
    check("(?m)^", "\n", "0:0");
    check("(?m)^b", "a\nb", "2:3");
    check("a.b", "a\nb", "");
    check("(?s)a.b", "a\nb", "0:3");
    check("^b", "a\nb", "");
}

#[test]
fn what_is_special_elsewhere_is_literal_here() {
    check(r"\/\_\-\<\>\#\&\~\@\%", "/_-<>#&~@%", "0:10");
    check("a{", "a{", "0:2");
    check("a{,2}", "a{,2}", "0:5");
    check("a{x}", "a{x}", "0:4");
    check("[a&&b]", "&", "0:1");
    check("[*--c]", "+", "0:1");
    check("[~~]", "~", "0:1");
    check("[[a]", "[", "0:1");
    check("[]a]+", "]a", "0:2");
    check("[^]a]", "b", "0:1");
    check(r"[a\]-]+", "-]", "0:2");
    check(r"\Qa.b*\E+", "a.b**", "0:5");
    check("a}]", "a}]", "0:3");
}

#[test]
fn escapes_mean_what_they_mean_in_pcre() {
    check(r"\x41\x{42}\103\o{104}\cA", "ABCD\x01", "0:5");
    check(r"\h\H\v\V\N", " a\nb\r", "0:5");
    check(r"a\Rb", "a\r\nb", "0:4");
    check(r"[\d\-z]+", "1-z", "0:3");
    check(r"[[:alpha:][:^punct:]]+", "a1 !", "0:3");
    check(r"a\Kb", "ab", "1:2");
    check(r"\Aa\G", "aa", "");
    check(r"(a)(b)\g{-1}\g1\g{2}", "abbab", "0:5 0:1 1:2");
    check(r"(?<x>a)\k<x>\k{x}\k'x'(?P=x)\g{x}", "aaaaaa", "0:6 0:1");
    check(r"(a)\12", "a\n", "0:2 0:1");
}

#[test]
fn groups_and_quantifiers_mean_what_they_mean_in_pcre() {
    check("(?P<a>x)(?'b'y)(?<c>z)", "xyz", "0:3 0:1 1:2 2:3");
    check("(?>a+)b", "aab", "0:3");
    check("a++a", "aaa", "");
    check("(?<=a)b(?<!x)", "ab", "1:2");
    check("a(?#comment)b", "ab", "0:2");
    check("(?x) a b # c\n c", "abc", "0:3");
    check("(?U)a+", "aaa", "0:1");
    check("(?n)(a)(?<x>b)", "ab", "0:2 1:2");
    check("a{2}b{1,}?c{0,1}", "aabb", "0:3");
    check("(a)|(b)", "b", "0:1 - 0:1");
}

#[test]
fn names_and_groups_are_told() {
    let regex = Regex::new("(a)(?<first>b)(?:c)(?P<second>d)", false).unwrap();
    assert_eq!(regex.groups(), 4);
    assert_eq!(regex.names(), [(2, "first".to_owned()), (3, "second".to_owned())]);
    assert_eq!(regex.pattern(), "(a)(?<first>b)(?:c)(?P<second>d)");
}

#[test]
fn faults_are_told_in_pcres_words() {
    let cases = [
        ("(", "missing closing parenthesis", ""),
        (")", "unmatched closing parenthesis", ")"),
        ("[a", "missing terminating ] for character class", ""),
        ("a**", "quantifier does not follow a repeatable item", "*"),
        ("*a", "quantifier does not follow a repeatable item", "*a"),
        ("^*", "quantifier does not follow a repeatable item", "*"),
        ("[z-a]", "range out of order in character class", "a]"),
        ("a{2,1}", "numbers out of order in {} quantifier", "}"),
        ("a{70000}", "number too big in {} quantifier", "}"),
        (r"\q", r"unrecognized character follows \", "q"),
        ("\\", r"\ at end of pattern", ""),
        ("[[:foo:]]", "unknown POSIX class name", "foo:]]"),
        ("(?<1a>x)", "subpattern name must start with a non-digit", "1a>x)"),
        ("(?<n-x>a)", "syntax error in subpattern name (missing terminator?)", "-x>a)"),
        ("(?z)", "unrecognized character after (? or (?-", "z)"),
        (r"\5", "reference to non-existent subpattern", "5"),
        (r"\x{100}", r"character code point value in \x{} or \o{} is too large", "}"),
        ("(?#", "missing ) after (?# comment", ""),
        (r"[\R]", "escape sequence is invalid in character class", "R]"),
        (
            "(?<a>x)(?<a>y)",
            "two named subpatterns have the same name (PCRE2_DUPNAMES not set)",
            "y)",
        ),
    ];
    for (pattern, message, rest) in cases {
        let at = if rest.is_empty() { String::new() } else { format!(" at \"{rest}\"") };
        let told = format!("pcre2_compile() failed: {message} in \"{pattern}\"{at}");
        assert_eq!(refused(pattern), told);
    }
}

#[test]
fn what_is_not_translated_is_refused() {
    for pattern in ["(?R)", "(?1)(a)", "(?|a)", "(?(1)a)", r"\p{L}", "(*UTF8)a", "(?=a)*", r"\X"] {
        assert!(refused(pattern).contains("is not supported"), "{pattern}");
    }
    assert!(refused(&"(".repeat(200)).contains("missing closing parenthesis"));
    let deep = "(".repeat(200) + &")".repeat(200);
    assert!(refused(&deep).contains("too deeply nested"));
    assert!(refused("((a{1000}){1000}){1000}").contains("too large"));
}

#[test]
fn no_expression_hangs() {
    let many = "a".repeat(4000);
    let hard =
        ["(a+)+$", "^(?=(a+)+b)", "(a|aa)+$", "(?:a*)*b", "(.*)*x", "(a*)*(?=b)", "(a+)+(?!a)b"];
    let harder = [r"(a+)+\1b", r"(.+)(.+)(.+)\1=", "(?>a+)+(?<=c)", "(?<!(a|b))(a+)+c(?=d)"];
    let mut captures = Captures::default();
    for pattern in hard.into_iter().chain(harder) {
        let regex = Regex::new(pattern, false).unwrap();
        for subject in [many.clone(), many.clone() + "\n", many.clone() + "!"] {
            let start = worked();
            _ = regex.captures(subject.as_bytes(), &mut captures);
            let took = worked().saturating_sub(start);
            assert!(took < 40 * MILLISECOND, "{pattern} {took:?}");
        }
    }
    let regex = Regex::new(r"(a+)+\1b", false).unwrap();
    assert_eq!(regex.is_match(many.as_bytes()), Err(TooManySteps));
}

#[test]
fn looking_ahead_over_a_long_subject_is_given_up_early() {
    for pattern in ["(?:(?=a+b)|a)*c", "(?=.*b)(?=.*c)d", "(?:a(?=.*z)|a)*$(?!.)b"] {
        let regex = Regex::new(pattern, false).unwrap();
        for length in [8_000, 32_000] {
            let start = worked();
            assert_eq!(regex.is_match("a".repeat(length).as_bytes()), Err(TooManySteps));
            let took = worked().saturating_sub(start);
            assert!(took < 40 * MILLISECOND, "{pattern} {length}: {took:?}");
        }
    }
    let found = Regex::new("x(?=y)", false).unwrap();
    let far = "a".repeat(16_000) + "xy";
    assert_eq!(found.is_match(far.as_bytes()), Ok(true));
    assert_eq!(Regex::new("(x)y", false).unwrap().is_match(far.as_bytes()), Ok(true));
}

proptest! {
    #[test]
    fn no_pattern_makes_it_panic(
        pattern in r"([ab.*+?|(){}\[\]\\^$<>=!:#&~,0-9dwsnxkgQER-]|\(\?|\[:|é){0,24}",
        caseless: bool,
        subject in prop::collection::vec(prop::sample::select(b"ab0.\n-\xe9".to_vec()), 0..12),
    ) {
        if let Ok(regex) = Regex::new(&pattern, caseless) {
            let mut captures = Captures::default();
            if regex.captures(&subject, &mut captures) == Ok(true) {
                prop_assert_eq!(captures.len(), regex.groups());
                let groups = (0..captures.len()).filter_map(|group| captures.get(group));
                for (start, end) in groups {
                    prop_assert!(subject.get(start..end).is_some());
                }
            }
        }
    }

    #[test]
    fn an_escaped_text_matches_itself_alone(text in "[ -~]{0,12}") {
        let escaped: String = text.chars().flat_map(|c| {
            let bare = c.is_ascii_alphanumeric();
            [(!bare).then_some('\\'), Some(c)].into_iter().flatten()
        }).collect();
        let regex = Regex::new(&format!(r"\A{escaped}\z"), false).unwrap();
        prop_assert_eq!(regex.is_match(text.as_bytes()), Ok(true));
        prop_assert_eq!(regex.is_match(format!("{text}a").as_bytes()), Ok(false));
    }
}

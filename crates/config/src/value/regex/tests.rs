//! Expressions against what PCRE2 10.42 makes of them.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use proptest::prelude::*;

use super::program::compile;
use super::translate::{Course, translate};
use super::*;

/// An expression that may go back matches the same in either course.
fn in_steps(pattern: &str, caseless: bool, subject: &[u8]) -> Option<Captures> {
    let which = if subject.ends_with(b"\n") { Subject::EndsWithNewline } else { Subject::Plain };
    let translated = translate(pattern.as_bytes(), caseless, (which, Course::Steps)).unwrap();
    let mut captures = Captures::default();
    let groups = translated.groups;
    let found = super::spans(&compile(&translated.text).unwrap(), subject, groups, &mut captures);
    found.unwrap().then_some(captures)
}

/// What the groups hold: "0:3 1:2 -"; empty if nothing matches.
fn spans(pattern: &str, caseless: bool, subject: &[u8]) -> String {
    let regex = Regex::new(pattern, caseless).unwrap();
    let mut captures = Captures::default();
    let found = regex.captures(subject, &mut captures, &mut Effort::default()).unwrap();
    assert_eq!(regex.is_match(subject), Ok(found), "{pattern}");
    assert_eq!(in_steps(pattern, caseless, subject), found.then(|| captures.clone()), "{pattern}");
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
    let within = [r"^/(?:(a|b\1)/)+$", r"(?<x>a|b\k<x>)", r"((a)\1)", r"(a\g{-1})"];
    let others = ["(?R)", "(?1)(a)", "(?|a)", "(?(1)a)", r"\p{L}", "(*UTF8)a", "(?=a)*", r"\X"];
    for pattern in within.into_iter().chain(others) {
        assert!(refused(pattern).contains("is not supported"), "{pattern}");
    }
    assert!(refused(&"(".repeat(200)).contains("missing closing parenthesis"));
    let deep = "(".repeat(200) + &")".repeat(200);
    assert!(refused(&deep).contains("too deeply nested"));
    check(r"((a)\2)\1", "aaaa", "0:4 0:2 0:1");
    assert!(refused("((a{1000}){1000}){1000}").contains("too large"));
}

/// A millisecond of a program that is built to be used. Those built for finding faults are slow.
const MILLISECOND: Duration = Duration::from_millis(if cfg!(debug_assertions) { 30 } else { 1 });

/// For how long this thread has been at work; others may be, too, meanwhile.
fn worked() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// What matching comes to, and what it has cost; its time is no more than documented.
fn effort(pattern: &str, subject: &[u8]) -> (Result<bool, TooManySteps>, u64) {
    let regex = Regex::new(pattern, false).unwrap();
    let (mut effort, begun) = (Effort::default(), worked());
    let found = regex.captures(subject, &mut Captures::default(), &mut effort);
    let took = worked().saturating_sub(begun);
    assert!(took < 100 * MILLISECOND, "{pattern} on {} bytes: {took:?}", subject.len());
    (found, effort.spent())
}

#[test]
fn no_expression_hangs_and_each_costs_the_same_again() {
    let many = "a".repeat(8192);
    let hard =
        ["(a+)+$", "^(?=(a+)+b)", "(a|aa)+$", "(?:a*)*b", "(.*)*x", "(a*)*(?=b)", "(a+)+(?!a)b"];
    let harder = [r"(a+)+\1b", r"(.+)(.+)(.+)\1=", "(?>a+)+(?<=c)", "(?<!(a|b))(a+)+c(?=d)"];
    let looking = ["(?:(?=a+b)|a)*c", "(?=.*b)(?=.*c)d", "(?:a(?=.*z)|a)*$(?!.)b"];
    let nested = ["(?:(?=(?:(?=.*!)a)*)a)*", "(?:(?=(?:(?=(.*)!)(a))*)a)*b"];
    for pattern in hard.into_iter().chain(harder).chain(looking).chain(nested) {
        _ = effort(pattern, (many.clone() + "!").as_bytes());
    }
    for pattern in ["(?:(?=a+b)|a)*c", r"(a+)+\1b"] {
        let first = effort(pattern, many.as_bytes());
        assert_eq!(effort(pattern, many.as_bytes()), first, "{pattern}");
    }
    assert_eq!(effort(r"(a+)+\1b", many.as_bytes()).0, Err(TooManySteps));
}

#[test]
fn what_is_short_enough_or_fails_early_is_decided() {
    let long = "a".repeat(8192);
    let far = "a".repeat(32_000) + "xy";
    for (pattern, subject, found) in [
        ("x(?=y)", far.as_str(), true),
        ("(?<!b)x(y)", &far, true),
        ("(x)(y)", &far, true),
        (r"^/(?!api/)(.*)$", &("/".to_owned() + &long), true),
        (r"^/(?!.*\.(?:php|cgi)$)(.*)$", &("/".to_owned() + &long), true),
        (r"^(?:(?!\.\.).)*$", &long, true),
        (r"(?<!x)y(.*)z", &long, false),
        (r"(a)\1(b)", &long, false),
        ("(?=.*b)(?=.*c)d", &long[..2000], false),
        ("^(?!admin)([a-z]+[-_]?)+!$", &long[..30], false),
    ] {
        assert_eq!(effort(pattern, subject.as_bytes()).0, Ok(found), "{pattern}");
    }
}

#[test]
fn all_expressions_of_a_request_are_bounded_together() {
    let regex = Regex::new("(?=.*b)(?=.*c)d", false).unwrap();
    let (subject, mut all) = ("a".repeat(2000), Effort::default());
    let mut captures = Captures::default();
    let mut times = 0;
    while regex.captures(subject.as_bytes(), &mut captures, &mut all).is_ok() {
        times += 1;
    }
    assert!((2..20).contains(&times), "{times}");
    // Those that run in linear time are not counted, and so have their answer still.
    let linear = Regex::new("(?<name>a+)b|(c)", false).unwrap();
    assert_eq!(linear.captures(subject.as_bytes(), &mut captures, &mut all), Ok(false));
    assert_eq!(effort("(?<name>a+)b|(c)", subject.as_bytes()), (Ok(false), 0));
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
            if regex.captures(&subject, &mut captures, &mut Effort::default()) == Ok(true) {
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

#[test]
fn what_subjects_begin_with_is_found_where_it_is_plain() {
    for (pattern, expected) in [
        ("^/api/v1/(.*)$", "/api/v1/"),
        ("^/a-b_c$", "/a-b_c"),
        ("^/ab?c", "/a"),
        ("^/ab*", "/a"),
        ("^/ab{2}", "/a"),
        ("^/ab+", "/ab"),
        ("^/a\\.b", "/a"),
        ("^/a|/b", ""),
        ("/a", ""),
        ("^", ""),
        ("(?i)^/a", ""),
        ("^/ab(?#c)?$", "/a"),
        ("^/ab\\E?$", "/a"),
        ("^/ab\\Q\\E?$", "/a"),
        ("^/ab(c)?$", "/ab"),
    ] {
        assert_eq!(start(pattern), expected.as_bytes(), "{pattern}");
    }
    let regex = Regex::new("^/rewritten/(.*)$", false).unwrap();
    assert_eq!((regex.is_match(b"/rewritten/x"), regex.is_match(b"/other")), (Ok(true), Ok(false)));
    assert_eq!(Regex::new("^/A", true).unwrap().is_match(b"/ab"), Ok(true));
}

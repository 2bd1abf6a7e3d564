//! The language as nginx reads it, faults as nginx words them, and what is made of the rest.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{End, ReadOptions, Statement, read, statement};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Sources;

/// Statements in a plain notation: `name|arg|arg;` and `name|arg{…}`.
fn notation(body: &[Statement]) -> String {
    let one = |statement: &Statement| {
        let words = std::iter::once(&statement.name).chain(&statement.args);
        let words: Vec<&str> = words.map(|word| word.text.as_str()).collect();
        match &statement.end {
            End::Semicolon => words.join("|") + ";",
            End::Block { body, .. } => format!("{}{{{}}}", words.join("|"), notation(body)),
        }
    };
    body.iter().map(one).collect()
}

fn faults(text: &str, faults: &[Diagnostic]) -> Vec<String> {
    let mut sources = Sources::default();
    sources.push("f", text);
    let one = |fault: &Diagnostic| {
        let line = sources.position(fault.span.unwrap()).unwrap().1;
        format!("{line}: {}", fault.message)
    };
    faults.iter().map(one).collect()
}

fn accepted(text: &str) -> String {
    let parsed = statement::parse(text, 0, 0);
    assert_eq!(parsed.faults, [], "{text}");
    notation(&parsed.body)
}

/// What is made of a faulty text: its statements, its faults, all hints.
fn refused(text: &str) -> (String, Vec<String>, Vec<String>) {
    let parsed = statement::parse(text, 0, 0);
    let hints = parsed.faults.iter().flat_map(|fault| fault.hints.clone()).collect();
    (notation(&parsed.body), faults(text, &parsed.faults), hints)
}

#[test]
fn statements_are_words_ended_by_a_semicolon_or_a_block() {
    assert_eq!(accepted("events{}user\twww\r\n  www;"), "events{}user|www|www;");
    assert_eq!(accepted("http { server { listen 80; } }\n"), "http{server{listen|80;}}");
    assert_eq!(accepted(""), "");
    assert_eq!(accepted("# only a comment"), "");
}

#[test]
fn a_comment_begins_where_a_word_could_begin() {
    assert_eq!(accepted("a # b; }\n c;# d {\n"), "a|c;");
    assert_eq!(accepted("a b#c;"), "a|b#c;");
    assert_eq!(accepted(&format!("#{}\na;", "c".repeat(5000))), "a;");
}

#[test]
fn inside_a_bare_word_quotes_and_braces_are_literal() {
    assert_eq!(accepted("a b\"c'd}e;"), "a|b\"c'd}e;");
    assert_eq!(accepted("location ~ a}$ {}"), "location|~|a}${}");
}

#[test]
fn a_brace_behind_a_dollar_belongs_to_the_word() {
    assert_eq!(accepted("a ${b}c;"), "a|${b}c;");
    assert_eq!(accepted("a x${{b}}c;"), "a|x${{b}}c;");
    assert_eq!(accepted("a \\${b;}"), "a|\\${b;}");
}

#[test]
fn quotes_hold_everything_but_themselves() {
    assert_eq!(accepted("a \"b;{}#' \n\" 'c\"';"), "a|b;{}#' \n|c\";");
    assert_eq!(accepted("a \"\" '';"), "a||;");
    assert_eq!(accepted("if (\"a\") {}"), "if|(\"a\"){}");
    assert_eq!(accepted("a \"b\")c;"), "a|b|)c;");
    assert_eq!(accepted("map\"a\"{}"), "map\"a\"{}");
    assert_eq!(accepted("\"a\"{}"), "a{}");
}

#[test]
fn a_backslash_keeps_a_character_from_ending_the_word() {
    assert_eq!(accepted(r"a b\ c\;d\{;"), r"a|b\ c\;d\{;");
    assert_eq!(accepted(r#"a "b\"c" 'd\'e' \"f;"#), r#"a|b"c|d'e|"f;"#);
    assert_eq!(accepted(r"a \\ b\\;"), r"a|\|b\;");
    assert_eq!(accepted(r"a \t\r\n;"), "a|\t\r\n;");
    assert_eq!(accepted(r"rewrite ^/(\d+)\.html$ /x;"), r"rewrite|^/(\d+)\.html$|/x;");
}

#[test]
fn spans_cover_words_with_their_quotes_and_statements_with_their_end() {
    let text = "a 'b c';\nd e { f; }";
    let body = statement::parse(text, 0, 0).body;
    let text = |span: crate::source::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(text(body[0].span), "a 'b c';");
    assert_eq!(text(body[0].args[0].span), "'b c'");
    assert!(body[0].args[0].quoted && !body[0].name.quoted);
    assert_eq!(text(body[1].span), "d e { f; }");
    let End::Block { open, .. } = body[1].end else { panic!() };
    assert_eq!(text(open), "{");
}

#[test]
fn a_missing_semicolon_is_told_and_the_block_goes_on() {
    let (body, faults, hints) = refused("a {\n  listen 80\n}\nb;");
    assert_eq!(body, "a{listen|80;}b;");
    assert_eq!(faults, ["3: unexpected \"}\""]);
    assert_eq!(hints, ["a `;` is missing after `80` in line 2"]);
}

#[test]
fn punctuation_without_words_is_told() {
    let (body, faults, _) = refused(";\na {};\n{ b; }\nc;");
    assert_eq!(body, "a{}c;");
    assert_eq!(faults, ["1: unexpected \";\"", "2: unexpected \";\"", "3: unexpected \"{\""]);
}

#[test]
fn text_glued_to_a_closing_quote_is_told() {
    let (body, faults, _) = refused("a 'b'c;\nd 'it's';\ne;");
    assert_eq!(body, "a|b|c;d|it|s';e;");
    assert_eq!(faults, ["1: unexpected \"c\"", "2: unexpected \"s\""]);
}

#[test]
fn an_unclosed_quote_spoils_its_own_line_only() {
    let (body, faults, hints) = refused("a {\n  b \"c;\n  d \"e\";\n  f;\n}\n");
    assert_eq!(body, "a{d|e;f;}");
    assert_eq!(faults, ["3: unexpected \"e\""]);
    assert_eq!(hints, ["the quote `\"` opened in line 2 was never closed there"]);

    let (body, faults, hints) = refused("a {\n  b 'c;\n  d e;\n}\n");
    assert_eq!(body, "a{d|e;}");
    assert_eq!(faults, ["5: unexpected end of file, expecting \";\" or \"}\""]);
    assert_eq!(hints, ["the quote `'` opened in line 2 was never closed there"]);
}

#[test]
fn the_end_of_the_file_inside_a_statement_is_told() {
    for text in ["a b", "a b ", "a b \\", "a \"b\"", "a"] {
        let (body, faults, hints) = refused(&format!("x;\n{text}"));
        assert_eq!(body, "x;");
        assert_eq!(faults, ["2: unexpected end of file, expecting \";\" or \"}\""], "{text}");
        assert_eq!(hints, ["`a`, begun in line 2, has no end"]);
    }
}

#[test]
fn the_innermost_open_block_is_named_at_the_end_of_the_file() {
    let (body, faults, hints) = refused("events {}\nhttp {\nserver {\n a;\n}\n");
    assert_eq!(body, "events{}http{server{a;}}");
    assert_eq!(faults, ["6: unexpected end of file, expecting \"}\""]);
    assert_eq!(hints, ["the `{` of `http` opened at line 2 was never closed"]);
}

#[test]
fn the_indentation_tells_which_block_was_not_closed() {
    let (body, faults, hints) = refused("server {\n    location / {\n        x;\n}\n");
    assert_eq!(body, "server{location|/{x;}}");
    assert_eq!(faults, ["5: unexpected end of file, expecting \"}\""]);
    assert_eq!(hints, ["the `{` of `location /` opened at line 2 was never closed"]);
}

#[test]
fn blocks_after_an_unclosed_one_stand_where_their_indentation_says() {
    let text = "http {\n  server {\n    a {\n      x;\n    b {\n    }\n  }\n  server {\n  }\n}\n";
    let (body, faults, hints) = refused(text);
    assert_eq!(body, "http{server{a{x;}b{}}server{}}");
    assert_eq!(faults, ["11: unexpected end of file, expecting \"}\""]);
    assert_eq!(hints, ["the `{` of `a` opened at line 3 was never closed"]);
}

#[test]
fn a_brace_too_many_is_found_by_its_indentation() {
    let text = "server {\n  a {\n    x;\n  }\n    }\n  b {\n  }\n}\n";
    let (body, faults, hints) = refused(text);
    assert_eq!(body, "server{a{x;}b{}}");
    assert_eq!(faults, ["8: unexpected \"}\""]);
    assert_eq!(hints, ["by its indentation, the `}` in line 5 is too many"]);

    let (body, faults, _) = refused("a {}\n}\nb;\n}\n");
    assert_eq!(body, "a{}b;");
    assert_eq!(faults, ["2: unexpected \"}\""]);
}

#[test]
fn all_faults_of_a_file_are_told_in_order() {
    let (_, faults, _) = refused("a {\n  b 'c'd;\n  ;\n  e {\n    f\n  }\n  g {\n}\n");
    assert_eq!(
        faults,
        [
            "2: unexpected \"d\"",
            "3: unexpected \";\"",
            "6: unexpected \"}\"",
            "9: unexpected end of file, expecting \"}\""
        ]
    );
}

#[test]
fn a_template_is_told_once() {
    let text =
        "server {\n  server_name {{ host }} a;\n  {% if x %}\n  b {{ c }};\n  {% endif %}\n}\n;";
    let (body, faults, hints) = refused(text);
    assert_eq!(body, "");
    assert_eq!(faults, ["2: unexpected \"{\"", "7: unexpected \";\""]);
    assert_eq!(hints, ["this file is a template: `{{ host }}` must be filled in first"]);
}

#[test]
fn a_block_in_lua_is_passed_over() {
    let text = "a {\n  content_by_lua_block {\n    x({y = 'z'}) if a then b() end\n  }\n  c;\n}\n";
    assert_eq!(accepted(text), "a{content_by_lua_block{}c;}");
}

#[test]
fn a_word_of_nginxs_buffer_size_is_too_long() {
    let blank = " ".repeat(9000);
    for (word, fits) in [
        ("c".repeat(4095) + ";", true),
        ("c".repeat(4094) + " ;", true),
        ("c".repeat(4095) + " ;", false),
        ("c".repeat(4096) + ";", false),
        (format!("'{}';", "c".repeat(4094)), true),
        (format!("'{}';", "c".repeat(4095)), false),
    ] {
        let (_, faults, _) = refused(&format!("a;\nenv {word}{blank}"));
        let told = ["2: too long parameter \"cccccccccc...\" started"];
        assert_eq!(faults, told[usize::from(fits)..], "{}", word.len());
    }
    let (_, faults, _) = refused(&format!("a;\nenv '{}';\n", "c".repeat(4096)));
    let told = "2: too long parameter, probably missing terminating \"'\" character";
    assert_eq!(faults, [told]);
}

#[test]
fn blocks_nested_without_end_are_refused() {
    let (_, faults, _) = refused(&"a{".repeat(100_000));
    assert_eq!(faults, ["1: too many nested blocks"]);
}

/// A folder with these files; reads `nginx.conf` in it.
fn read_files(files: &[(&str, &str)]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (mut sources, mut diagnostics) = Default::default();
    let path = folder.path().join("nginx.conf");
    let body = read(&path, &ReadOptions::default(), &mut sources, &mut diagnostics);
    let root = folder.path().display().to_string();
    (notation(&body), diagnostics.render(&sources).replace(&root, "."))
}

#[test]
fn included_files_stand_in_the_place_of_the_include() {
    let (body, told) = read_files(&[
        ("nginx.conf", "a;\nhttp { include sub/b.conf; types { include sub/b.conf; } }\nz;"),
        ("sub/b.conf", "b { include sub/c.conf; }"),
        ("sub/c.conf", "c;"),
    ]);
    assert_eq!((body.as_str(), told.as_str()), ("a;http{b{c;}types{b{c;}}}z;", ""));
}

#[test]
fn globs_are_sorted_and_may_match_nothing() {
    let (body, told) = read_files(&[
        ("nginx.conf", "include d/*.conf; include none/*.conf; include e/?.[ab];"),
        ("d/b.conf", "b;"),
        ("d/a.conf", "a;"),
        ("d/.hidden.conf", "hidden;"),
        ("d/B.conf", "B;"),
        ("e/x.a", "xa;"),
        ("e/y.c", "yc;"),
    ]);
    assert_eq!((body.as_str(), told.as_str()), ("B;a;b;xa;", ""));
}

#[test]
fn a_missing_file_is_told_where_it_is_included() {
    let (body, told) = read_files(&[("nginx.conf", "a;\n  include x/y.conf;\nb;")]);
    assert_eq!(body, "a;b;");
    assert_eq!(
        told,
        "nginx: [emerg] open() \"./x/y.conf\" failed (2: No such file or directory) in \
         ./nginx.conf:2\n  2 |   include x/y.conf;\n    |           ^^^^^^^^\n"
    );
}

#[test]
fn a_well_known_file_that_is_missing_is_built_in() {
    let (body, told) = read_files(&[("nginx.conf", "include /nowhere/uwsgi_params;")]);
    assert!(body.starts_with("uwsgi_param|QUERY_STRING|$query_string;"), "{body}");
    let line = told.lines().next().unwrap();
    assert_eq!(
        line,
        "nginx: [notice] \"/nowhere/uwsgi_params\" does not exist, \
         the built-in \"uwsgi_params\" is used instead in ./nginx.conf:1"
    );
}

#[test]
fn all_built_in_files_are_sound() {
    for (_, text) in super::include::BUILT_IN {
        accepted(text);
    }
    let (body, _) = read_files(&[("nginx.conf", "include mime.types;")]);
    assert!(body.contains("text/html|html|htm|shtml;"), "{body}");
    assert!(body.ends_with("video/x-msvideo|avi;}"), "{body}");
}

#[test]
fn faults_of_all_files_are_told_once_each() {
    let (body, told) = read_files(&[
        ("nginx.conf", "include a.conf; include a.conf; include b.conf; ;"),
        ("a.conf", "a 'b'c;"),
        ("b.conf", "}\n"),
    ]);
    assert_eq!(body, "a|b|c;a|b|c;");
    let firsts: Vec<&str> = told.lines().filter(|line| line.starts_with("nginx:")).collect();
    assert_eq!(
        firsts,
        [
            "nginx: [emerg] unexpected \";\" in ./nginx.conf:1",
            "nginx: [emerg] unexpected \"c\" in ./a.conf:1",
            "nginx: [emerg] unexpected \"}\" in ./b.conf:1",
        ]
    );
}

#[test]
fn a_file_that_includes_itself_is_told() {
    let (body, told) =
        read_files(&[("nginx.conf", "a;\ninclude b.conf;"), ("b.conf", "b;\ninclude nginx.conf;")]);
    assert_eq!(body, "a;b;");
    let mut lines = told.lines();
    let first = lines.next().unwrap();
    assert_eq!(first, "nginx: [emerg] \"./nginx.conf\" includes itself in ./b.conf:2");
    assert_eq!(lines.last(), Some("    = hint: by way of ./nginx.conf, ./b.conf"));
}

#[test]
fn an_include_takes_one_path() {
    let (_, told) = read_files(&[("nginx.conf", "include;\ninclude a b;\ninclude a {}\n")]);
    let firsts: Vec<&str> = told.lines().filter(|line| line.starts_with("nginx:")).collect();
    assert_eq!(
        firsts,
        [
            "nginx: [emerg] invalid number of arguments in \"include\" directive in ./nginx.conf:1",
            "nginx: [emerg] invalid number of arguments in \"include\" directive in ./nginx.conf:2",
            "nginx: [emerg] directive \"include\" is not terminated by \";\" in ./nginx.conf:3",
        ]
    );
}

#[test]
fn what_is_no_file_is_told() {
    let (mut sources, mut diagnostics) = Default::default();
    read(Path::new("/nowhere.conf"), &ReadOptions::default(), &mut sources, &mut diagnostics);
    read(Path::new("/tmp"), &ReadOptions::default(), &mut sources, &mut diagnostics);
    assert_eq!(
        diagnostics.render(&sources),
        "nginx: [emerg] open() \"/nowhere.conf\" failed (2: No such file or directory)\n\
         nginx: [emerg] pread() \"/tmp\" failed (21: Is a directory)\n"
    );
}

#[test]
fn the_directives_of_the_command_line_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nginx.conf");
    fs::write(&path, "b;").unwrap();
    let run = |global: &str| {
        let (mut sources, mut diagnostics) = Default::default();
        let options = ReadOptions { global: Some(global.into()), ..ReadOptions::default() };
        let body = read(&path, &options, &mut sources, &mut diagnostics);
        let told = diagnostics.render(&sources);
        (notation(&body), told.lines().next().unwrap_or("").to_owned())
    };
    assert_eq!(run("daemon off;"), ("daemon|off;b;".into(), String::new()));
    let told = "nginx: [emerg] unexpected end of parameter, expecting \";\" in command line";
    assert_eq!(run("daemon off"), ("b;".into(), told.into()));
    let told = "nginx: [emerg] block directives are not supported in -g option in command line";
    assert_eq!(run("events {}"), ("b;".into(), told.into()));
}

proptest! {
    #[test]
    fn words_are_read_back_as_they_were_written(words in prop::collection::vec("[^\\\\]{0,9}", 1..5)) {
        let quoted = words.iter().map(|word| format!("'{}'", word.replace('\'', "\\'")));
        let text = quoted.collect::<Vec<_>>().join(" ") + ";";
        let parsed = statement::parse(&text, 0, 0);
        prop_assert!(parsed.faults.is_empty());
        let statement = &parsed.body[0];
        prop_assert_eq!(&statement.name.text, &words[0]);
        prop_assert!(statement.args.iter().map(|word| &word.text).eq(&words[1..]));
    }

    #[test]
    fn no_text_makes_it_panic_and_no_fault_is_passed_over(text in "([ \n\t;{}'\"\\\\$#%a]|\\{\\{|é){0,60}") {
        let parsed = statement::parse(&text, 0, 0);
        let opens = parsed.body.iter().map(|statement| statement.span);
        for span in opens.chain(parsed.faults.iter().filter_map(|fault| fault.span)) {
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{:?}", span);
        }
        let mut sources = Sources::default();
        sources.push("f", text);
        let mut diagnostics = Diagnostics::default();
        diagnostics.extend(parsed.faults);
        diagnostics.render(&sources);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nginx.conf");
        fs::write(&path, bytes).unwrap();
        let (mut sources, mut diagnostics) = Default::default();
        read(&path, &ReadOptions::default(), &mut sources, &mut diagnostics);
        diagnostics.render(&sources);
    }
}

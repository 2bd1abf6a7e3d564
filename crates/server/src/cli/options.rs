//! The options and commands, declared once: help, completions and the man page are made of them.

use std::fmt::Write as _;

/// An option of nginx's.
pub(super) struct Opt {
    /// Its letter.
    pub(super) letter: char,
    /// What its value is called, where it takes one.
    pub(super) value: Option<&'static str>,
    /// What it does.
    pub(super) doc: &'static str,
}

const fn opt(letter: char, value: Option<&'static str>, doc: &'static str) -> Opt {
    Opt { letter, value, doc }
}

/// All options.
pub(super) const OPTIONS: [Opt; 12] = [
    opt('h', None, "this help"),
    opt('v', None, "show version and exit"),
    opt('V', None, "show version and configure options then exit"),
    opt('t', None, "test configuration and exit"),
    opt('T', None, "test configuration, dump it and exit"),
    opt('q', None, "suppress non-error messages during configuration testing"),
    opt('s', Some("signal"), "send signal to a running server: stop, quit, reopen, reload"),
    opt('p', Some("prefix"), "set prefix path (default: the folder of the configuration)"),
    opt('e', Some("filename"), "set error log file (default: logs/error.log)"),
    opt(
        'c',
        Some("filename"),
        "set configuration file (default: conf/nginx.conf or nginx.conf under the prefix, beside \
         the program, in this folder, or in /etc/nginx)",
    ),
    opt('g', Some("directives"), "set global directives out of configuration file"),
    opt('?', None, "this help"),
];

/// An option of ours: its name, its value, what it does.
pub(super) const TEMPLATES: (&str, &str, &str) = (
    "--templates",
    "folder",
    "first make conf.d/* beside the folder of its *.template, with $NAME and ${NAME} of the \
     environment replaced, as nginx's container image does",
);

/// Another.
pub(super) const WITHOUT_FILES: (&str, &str, &str) = (
    "--without-files",
    "",
    "with -t: certificates, included files, folders of logs and users that are not on this machine are \
     noticed, not faults; ports are not tried",
);

/// A command of ours.
pub(super) struct Command {
    /// Its name.
    pub(super) name: &'static str,
    /// What stands behind it.
    pub(super) words: &'static str,
    /// What it does.
    pub(super) doc: &'static str,
    /// Its own options, with what they do.
    pub(super) options: &'static [(&'static str, &'static str)],
}

const FORMAT: (&str, &str) = ("--format", "text for people, json for tools");

/// All commands.
pub(super) const COMMANDS: [Command; 12] = [
    Command {
        name: "lint",
        words: "[FILE]",
        doc: "tell what is legal and hardly meant; ends with 1 where something is found, with 2 \
              where the configuration is refused",
        options: &[FORMAT],
    },
    Command {
        name: "explain",
        words: "URL",
        doc: "tell what would become of a request, and by which lines; nothing is sent",
        options: &[
            FORMAT,
            ("-X", "the method"),
            ("-H", "a header field: 'Name: value'"),
            ("--from", "the client's address"),
        ],
    },
    Command {
        name: "fmt",
        words: "[FILE]...",
        doc: "print files in one canonical form, comments kept",
        options: &[
            ("--write", "change the files in their places"),
            ("--check", "print nothing; end with 1 where a file would change"),
        ],
    },
    Command {
        name: "help",
        words: "NAME",
        doc: "print the reference entry of a directive, a $variable or a rule of lint",
        options: &[("--names", "print all names")],
    },
    Command {
        name: "completions",
        words: "bash|zsh|fish",
        doc: "print a shell's completions",
        options: &[],
    },
    Command { name: "man", words: "", doc: "print the manual page", options: &[] },
    asked("status", "how a running server is, asked by the socket beside its pid file"),
    asked("log", "what a running server has in `error_log memory:`, the oldest line first"),
    asked(
        "reload",
        "let it take up the configuration; what is wrong with it is told, and changes nothing",
    ),
    asked(
        "upgrade",
        "let it give its place to the program that lies where it lay, or go on if that fails",
    ),
    asked("quit", "let it end with the last connection"),
    Command {
        name: "upstream",
        words: "[NAME [CHANGE]]",
        doc: "tell which servers a group of a running server has, or change them for the next request: \
              add 'ADDRESS weight=2', remove ADDRESS, drain ADDRESS, down ADDRESS, up ADDRESS; it is \
              kept in the file of `state`, else until the next reload",
        options: &[],
    },
];

const fn asked(name: &'static str, doc: &'static str) -> Command {
    Command { name, words: "", doc, options: &[] }
}

/// What `-h` says.
pub(crate) fn help() -> String {
    let mut text = "Usage: tidegate [-?hvVtTq] [-s signal] [-p prefix] [-e filename] [-c filename] \
                    [-g directives]\n       tidegate COMMAND [-p prefix] [-c filename] ...\n\nOptions:\n"
        .to_owned();
    for option in OPTIONS.iter().filter(|option| option.letter != '?') {
        let letter =
            if option.letter == 'h' { "?,-h".to_owned() } else { option.letter.to_string() };
        let head = format!("-{letter} {}", option.value.unwrap_or_default());
        entry(&mut text, &head, option.doc);
    }
    for (name, value, doc) in [TEMPLATES, WITHOUT_FILES] {
        entry(&mut text, format!("{name} {value}").trim_end(), doc);
    }
    text.push_str("\nCommands:\n");
    for command in &COMMANDS {
        entry(&mut text, &format!("{} {}", command.name, command.words), command.doc);
        for (name, doc) in command.options {
            entry(&mut text, &format!("  {name}"), doc);
        }
    }
    text
}

/// One entry, broken into lines.
fn entry(text: &mut String, head: &str, doc: &str) {
    const MARGIN: usize = 18;
    let mut line = format!("  {:width$}: ", head.trim_end(), width = MARGIN - 4);
    for word in doc.split_ascii_whitespace() {
        if line.chars().count() + word.len() > 98 {
            let _ = writeln!(text, "{}", line.trim_end());
            line = " ".repeat(MARGIN);
        }
        let _ = write!(line, "{word} ");
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

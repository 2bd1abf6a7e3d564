//! `tidegate completions SHELL`: for bash, zsh and fish, made of the declared options.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::command::Asked;
use super::options::{COMMANDS, OPTIONS, Opt, TEMPLATES, WITHOUT_FILES};
use super::output;

/// Prints a shell's completions.
pub(super) fn run(asked: &Asked) -> Result<ExitCode> {
    let shell = asked.words.first().map(|word| word.to_string_lossy().into_owned());
    output::print(&match shell.as_deref() {
        Some("bash") => bash(),
        Some("zsh") => zsh(),
        Some("fish") => fish(),
        _ => bail!("completions are for bash, zsh or fish"),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What completes the value of an option, as the shells' own words.
fn values(option: &Opt) -> (&'static str, &'static str) {
    match option.value {
        Some("signal") => ("-W 'stop quit reopen reload'", "(stop quit reopen reload)"),
        Some("prefix") => ("-d", "_files -/"),
        Some("filename") => ("-f", "_files"),
        _ => ("", ""),
    }
}

fn bash() -> String {
    let mut letters: Vec<String> =
        OPTIONS.iter().map(|option| format!("-{}", option.letter)).collect();
    letters.extend([TEMPLATES.0, WITHOUT_FILES.0].map(str::to_owned));
    let commands: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let mut text = String::from(
        "_tidegate() {\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n    COMPREPLY=()\n    case $before in\n",
    );
    for option in OPTIONS.iter().filter(|option| !values(option).0.is_empty()) {
        let (generate, _) = values(option);
        let _ = writeln!(
            text,
            "        -{}) mapfile -t COMPREPLY < <(compgen {generate} -- \"$word\"); return ;;",
            option.letter
        );
    }
    text.push_str(
        "        --format) mapfile -t COMPREPLY < <(compgen -W 'text json' -- \"$word\"); return ;;\n    esac\n    case ${COMP_WORDS[1]} in\n",
    );
    for command in &COMMANDS {
        let own: Vec<&str> = command.options.iter().map(|(name, _)| *name).collect();
        let words = match command.name {
            "help" => "$(tidegate help --names 2>/dev/null)".to_owned(),
            "completions" => "bash zsh fish".to_owned(),
            _ => format!("-c -p {}", own.join(" ")),
        };
        let _ = writeln!(
            text,
            "        {}) mapfile -t COMPREPLY < <(compgen -f -W \"{words}\" -- \"$word\") ;;",
            command.name
        );
    }
    let _ = writeln!(
        text,
        "        *) mapfile -t COMPREPLY < <(compgen -W '{} {}' -- \"$word\") ;;\n    esac\n}}\ncomplete -F _tidegate tidegate",
        letters.join(" "),
        commands.join(" ")
    );
    text
}

fn zsh() -> String {
    let quoted = |text: &str| text.replace('\'', "'\\''").replace([':', '[', ']'], " ");
    let mut text = String::from("#compdef tidegate\n_tidegate() {\n    local -a commands=(\n");
    for command in &COMMANDS {
        let _ = writeln!(text, "        '{}:{}'", command.name, quoted(command.doc));
    }
    text.push_str("    )\n    case ${words[2]} in\n");
    for command in &COMMANDS {
        let _ = write!(
            text,
            "        {}) _arguments '-c[the configuration]:file:_files' '-p[the prefix]:folder:_files -/'",
            command.name
        );
        for (name, doc) in command.options {
            let value = if *name == "--format" { ":form:(text json)" } else { "" };
            let _ = write!(text, " '{name}[{}]{value}'", quoted(doc));
        }
        let rest = match command.name {
            "help" => "*:name:($(tidegate help --names 2>/dev/null))",
            "completions" => "*:shell:(bash zsh fish)",
            _ => "*:file:_files",
        };
        let _ = writeln!(text, " '{rest}'; return ;;");
    }
    text.push_str("    esac\n    _arguments '1:command:{_describe command commands}'");
    for option in &OPTIONS {
        let (_, action) = values(option);
        let value = option.value.map(|name| format!(":{name}:{action}")).unwrap_or_default();
        let letter =
            if option.letter == '?' { "\\?".to_owned() } else { option.letter.to_string() };
        let _ = write!(text, " \\\n        '-{letter}[{}]{value}'", quoted(option.doc));
    }
    text.push_str("\n}\n_tidegate \"$@\"\n");
    text
}

fn fish() -> String {
    let quoted = |text: &str| text.replace('\'', "\\'");
    let mut text = String::new();
    for option in OPTIONS.iter().filter(|option| option.letter != '?') {
        let value = if option.value.is_some() { " -r" } else { "" };
        let _ = writeln!(
            text,
            "complete -c tidegate -o {}{value} -d '{}'",
            option.letter,
            quoted(option.doc)
        );
    }
    for command in &COMMANDS {
        let _ = writeln!(
            text,
            "complete -c tidegate -n __fish_use_subcommand -a {} -d '{}'",
            command.name,
            quoted(command.doc)
        );
        let within = format!("-n '__fish_seen_subcommand_from {}'", command.name);
        for (name, doc) in command.options {
            let flag = match name.strip_prefix("--") {
                Some(long) => format!("-l {long}"),
                None => format!("-o {}", name.trim_start_matches('-')),
            };
            let _ = writeln!(text, "complete -c tidegate {within} {flag} -d '{}'", quoted(doc));
        }
        if command.name == "help" {
            let _ = writeln!(text, "complete -c tidegate {within} -f -a '(tidegate help --names)'");
        }
    }
    text
}

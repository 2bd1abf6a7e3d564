//! `tidegate help NAME`: the reference entry of a directive, a variable or a rule of lint; and the
//! manual page.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Result, bail};
use tidegate_config::diagnostic::suggest;
use tidegate_config::directive::reference::{absent_module, declarations};
use tidegate_config::directive::{Declaration, Effect};
use tidegate_config::lint::{self, Rule};
use tidegate_config::variable::{Builtin, Variable};

use super::codes::CODES;
use super::command::Asked;
use super::options::{COMMANDS, OPTIONS, TEMPLATES, WITHOUT_FILES, help};
use super::output;

/// Prints an entry, or all names.
pub(super) fn run(asked: &Asked) -> Result<ExitCode> {
    if asked.has("--names") {
        output::print(&format!("{}\n", names().join("\n")))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(name) = asked.words.first().map(|word| word.to_string_lossy().into_owned()) else {
        output::print(&help())?;
        return Ok(ExitCode::SUCCESS);
    };
    let entries: Vec<String> = declarations()
        .iter()
        .filter(|declared| declared.name == name)
        .map(entry)
        .chain(lint::rules().iter().filter(|rule| rule.name == name).map(rule))
        .chain(variable(&name))
        .chain(absent(&name))
        .collect();
    if entries.is_empty() {
        let names = names();
        match suggest(&name, names.iter().map(String::as_str)) {
            Some(near) => bail!("nothing is called \"{name}\"; did you mean `{near}`?"),
            None => bail!("nothing is called \"{name}\""),
        }
    }
    output::print(&entries.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = declarations().into_iter().map(|declared| declared.name).collect();
    names.dedup();
    names.extend(lint::rules().iter().map(|rule| rule.name.to_owned()));
    names.extend(Builtin::NAMES.iter().map(|name| format!("${name}")));
    names
}

/// The reference entry of a directive.
fn entry(declared: &Declaration) -> String {
    let mut text = format!("{}\n\n", synopsis(declared));
    let family = declared.name.split('_').next().unwrap_or_default();
    if let Some(default) = declared.default {
        let _ = writeln!(text, "  default:  {} {};", declared.name, default.replace("{}", family));
    }
    let _ = writeln!(text, "  where:    {}", declared.contexts.names().join(", "));
    let (effect, why) = effect(declared);
    let _ = writeln!(text, "  here:     {effect}{why}");
    if declared.repeat && !declared.block {
        let _ = writeln!(text, "  repeats:  several may stand at one level");
    }
    let _ = writeln!(text, "\n  {}", declared.doc.replace('\n', " ").replace("{}", family));
    text
}

/// How it is written: `gzip on | off;`.
fn synopsis(declared: &Declaration) -> String {
    let (name, arity) = (&declared.name, declared.arity);
    let arguments = match (arity.least, arity.most) {
        _ if arity.flag => " on | off".to_owned(),
        (0, Some(0)) => String::new(),
        (least, most) => {
            let mut text = " VALUE".repeat(usize::from(least));
            match most {
                Some(most) => text.push_str(&" [VALUE]".repeat(usize::from(most - least))),
                None => text.push_str(if least == 0 { " [VALUE]..." } else { "..." }),
            }
            text
        }
    };
    format!("{name}{arguments}{}", if declared.block { " { ... }" } else { ";" })
}

fn effect(declared: &Declaration) -> (&'static str, String) {
    match declared.effect {
        Effect::Acts => ("acts as nginx's", String::new()),
        Effect::Differs(how) => ("acts differently: ", how.to_owned()),
        Effect::Ignored(why) => ("accepted without effect: ", why.to_owned()),
        Effect::Refused { reason, unless: "" } => ("refused: ", reason.to_owned()),
        Effect::Refused { reason, unless } => {
            ("refused: ", format!("{reason} (`{unless}` is accepted)"))
        }
    }
}

fn rule(rule: &Rule) -> String {
    format!(
        "{}: {}\n\n  danger:   {}\n  mend:     {}\n  example:  {}\n  mended:   {}\n  allowed:  by a comment at its line: # tidegate: allow {}\n",
        rule.name, rule.title, rule.danger, rule.mend, rule.example, rule.mended, rule.name
    )
}

fn variable(name: &str) -> Option<String> {
    let bare = name.strip_prefix('$')?;
    let found = Variable::find(bare)?;
    let note = match found {
        Variable::Builtin(own) => match own.why_empty() {
            Some(why) => format!("{}; always empty here, as {why}", own.doc()),
            None => own.doc().to_owned(),
        },
        Variable::Named(..) => {
            "a part of the request or answer, named by the rest of its name".to_owned()
        }
        Variable::Capture(_) => "a group of the last regular expression that matched".to_owned(),
        Variable::Slot(_) => return None,
    };
    Some(format!("${bare}: {note}\n"))
}

/// What to do instead of a module that is not built in.
fn absent(name: &str) -> Option<String> {
    let known = declarations().iter().any(|declared| declared.name == name);
    let (module, instead) = absent_module(name).filter(|_| !known)?;
    Some(format!("{name}: module {module} not built into tidegate\n\n  instead:  {instead}\n"))
}

/// Prints the manual page.
pub(super) fn man(_: &Asked) -> Result<ExitCode> {
    let mut text = format!(
        ".TH TIDEGATE 8 \"\" \"tidegate {}\"\n.SH NAME\ntidegate \\- nginx-compatible reverse proxy and static file server\n.SH SYNOPSIS\n.B tidegate\n[\\fIoptions\\fR]\n.br\n.B tidegate\n\\fIcommand\\fR [\\fIoptions\\fR]\n.SH OPTIONS\n",
        env!("CARGO_PKG_VERSION")
    );
    for option in &OPTIONS {
        let value = option.value.unwrap_or_default();
        let _ = write!(text, ".TP\n\\fB\\-{}\\fR {value}\n{}\n", option.letter, roff(option.doc));
    }
    for (name, value, doc) in [TEMPLATES, WITHOUT_FILES] {
        let _ = write!(text, ".TP\n\\fB{}\\fR {value}\n{}\n", roff(name), roff(doc));
    }
    text.push_str(".SH COMMANDS\n");
    for command in &COMMANDS {
        let _ = write!(
            text,
            ".TP\n\\fB{}\\fR {}\n{}\n",
            command.name,
            command.words,
            roff(command.doc)
        );
        for (name, doc) in command.options {
            let _ = write!(text, ".RS\n.TP\n\\fB{}\\fR\n{}\n.RE\n", roff(name), roff(doc));
        }
    }
    text.push_str(".SH EXIT STATUS\n");
    for (command, codes) in CODES {
        let _ = write!(text, ".TP\n\\fB{}\\fR\n", roff(command));
        for (code, when) in codes.iter().enumerate().filter(|(_, when)| !when.is_empty()) {
            let _ = writeln!(text, "{code}: {}.", roff(when));
        }
    }
    text.push_str(".SH DIRECTIVES\n");
    for declared in declarations() {
        let _ = write!(text, ".TP\n\\fB{}\\fR\n", roff(&synopsis(&declared)));
        let (effect, why) = effect(&declared);
        let contexts = declared.contexts.names().join(", ");
        let doc = declared.doc.replace('\n', " ");
        let _ = write!(text, "{}\nIn {contexts}; {}{}.\n", roff(&doc), effect, roff(&why));
    }
    text.push_str(".SH RULES OF LINT\n");
    for rule in lint::rules() {
        let _ =
            write!(text, ".TP\n\\fB{}\\fR\n{} {}\n", rule.name, roff(rule.danger), roff(rule.mend));
    }
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// A text in which nothing is taken for a command of the page.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

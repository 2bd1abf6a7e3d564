//! `tidegate fmt`: files in one canonical form, comments kept, meaning unchanged.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use tidegate_config::diagnostic::Diagnostics;
use tidegate_config::source::Sources;
use tidegate_config::syntax;

use super::command::Asked;
use super::output;

/// Prints each file in its form, or writes it, or tells whether it has it. `-` is what comes in;
/// without a file it is the configuration. What it includes is left alone.
pub(super) fn run(asked: &Asked) -> Result<ExitCode> {
    let mut files: Vec<PathBuf> = asked.words.iter().map(PathBuf::from).collect();
    if files.is_empty() {
        files.push(asked.cli.conf());
    }
    let mut changed = false;
    for file in &files {
        let text = read(file)?;
        let formatted = form(file, &text)?;
        changed |= formatted != text;
        if asked.has("--check") {
            if formatted != text {
                output::print(&format!("{}\n", file.display()))?;
            }
        } else if asked.has("--write") && file != Path::new("-") {
            if formatted != text {
                replace(file, &formatted)?;
            }
        } else {
            output::print(&formatted)?;
        }
    }
    Ok(ExitCode::from(u8::from(changed && asked.has("--check"))))
}

fn read(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        return Ok(text);
    }
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    String::from_utf8(bytes).with_context(|| format!("{} is no UTF-8", file.display()))
}

fn form(file: &Path, text: &str) -> Result<String> {
    let (mut sources, mut faults) = (Sources::default(), Diagnostics::default());
    syntax::parse(&file.display().to_string(), text, &mut sources, &mut faults);
    if faults.has_errors() {
        output::complain(&faults.render(&sources));
        bail!("{} is left as it is", file.display());
    }
    Ok(syntax::format(text))
}

/// Puts a new file in the place of the old one, which is there whole until then.
fn replace(file: &Path, text: &str) -> Result<()> {
    let fault = || format!("{} cannot be written", file.display());
    // What a link leads to is changed, not the link.
    let file = file.canonicalize().with_context(fault)?;
    let rights = std::fs::metadata(&file).with_context(fault)?.permissions();
    let new = file.with_extension("tidegate-fmt");
    std::fs::write(&new, text).with_context(fault)?;
    std::fs::set_permissions(&new, rights).with_context(fault)?;
    std::fs::rename(&new, &file).with_context(fault)
}

//! Going to the background.
//!
//! A process with threads cannot be forked safely, so the program is started again with the same
//! words, and gets all that was read for the configuration: what comes through a pipe or over
//! standard input is not there a second time. The one in front waits until the other listens, so that
//! faults are seen where it was started, and its exit status tells.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use rustix::fs::{FileType, fstat};
use tidegate_config::files::Files;

use super::inherited;

/// Says in the environment that this is the one in the background.
const MARK: &str = "TIDEGATE_IN_BACKGROUND";

/// What the one in the background says when it listens.
const READY: u8 = b'+';

/// Whether this is the one in the background.
pub(crate) fn in_background() -> bool {
    env::var_os(MARK).is_some()
}

/// What the one in front has read for the configuration, where this is the one in the background; to be
/// taken once.
pub(crate) fn handed_on() -> Result<Files> {
    let is_pipe =
        |about: rustix::fs::Stat| FileType::from_raw_mode(about.st_mode) == FileType::Fifo;
    let input = std::io::stdin();
    // A successor has another at its standard input, and one that has begun anew nobody any more.
    if !in_background() || inherited::is_successor() || !fstat(&input).is_ok_and(is_pipe) {
        return Ok(Files::default());
    }
    let mut bytes = Vec::new();
    let failed = "the process in front is gone";
    input.lock().read_to_end(&mut bytes).context(failed)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Files::decode(&bytes).context(failed)
}

/// Starts the one in the background, which gets what was read, and waits until it listens.
pub(crate) fn start(read: &Files) -> Result<ExitCode> {
    let program = env::current_exe().context("the program's own path is not known")?;
    let mut child = Command::new(program)
        .arg0(super::successor::program())
        .args(env::args_os().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the process in the background cannot be started")?;
    if let Some(mut input) = child.stdin.take() {
        // One that does not read has ended, and told why.
        let _ = input.write_all(&read.encode());
    }
    let mut byte = [0];
    if let Some(mut output) = child.stdout.take()
        && output.read(&mut byte).is_ok_and(|read| read == 1)
        && byte == [READY]
    {
        return Ok(ExitCode::SUCCESS);
    }
    let status = child.wait().context("the process in the background is lost")?;
    if status.code() == Some(1) {
        // It has told why.
        return Ok(ExitCode::FAILURE);
    }
    bail!("the process in the background ended with {status}")
}

/// Cuts the ties to the terminal, and tells the one in front that we listen.
pub(crate) fn detach() -> Result<()> {
    // Fails only where we lead a session already, which is what is wanted.
    let _ = rustix::process::setsid();
    let mut output = std::io::stdout();
    output.write_all(&[READY]).and_then(|()| output.flush()).context("the one in front is gone")?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    tidegate_http::log::stderr::open();
    Ok(())
}

//! Going to the background.
//!
//! A process with threads cannot be forked safely, so the program is started again with the same
//! words. The one in front waits until the other listens, so that faults are seen where it was
//! started, and its exit status tells.

use std::env;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

/// Says in the environment that this is the one in the background.
const MARK: &str = "TIDEGATE_IN_BACKGROUND";

/// What the one in the background says when it listens.
const READY: u8 = b'+';

/// Whether this is the one in the background.
pub(crate) fn in_background() -> bool {
    env::var_os(MARK).is_some()
}

/// Starts the one in the background, and waits until it listens.
pub(crate) fn start() -> Result<ExitCode> {
    let program = env::current_exe().context("the program's own path is not known")?;
    let mut child = Command::new(program)
        .arg0(super::successor::program())
        .args(env::args_os().skip(1))
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("the process in the background cannot be started")?;
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

//! The environment of a process that serves by itself: what `env` sets is there from its start.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, anyhow};
use tidegate_config::block::main::Process;
use tidegate_http::log::words::words;

/// Says in the environment which process has begun anew, by its number, which it keeps: the system
/// may take a variable from it each time.
const MARK: &str = "TIDEGATE_BEGUN_ANEW";

/// Says in the environment of one that has begun anew which variables it did so for. What no name has
/// stands between them.
const SET: &str = "TIDEGATE_SET";

/// What the name begins with that the value of such a variable has which it had before.
const BEFORE: &str = "TIDEGATE_BEFORE_";

/// Begins this program anew, in its place and with the same words, where its environment is not what
/// `env NAME=value` says, once. Nobody changes the environment of a program with threads; what a worker
/// process has, it is started with.
pub(super) fn take_up(settings: &Process, configuration: &Path) -> Result<()> {
    let set: Vec<&str> = lacking(settings).collect();
    if set.is_empty() || has_begun_anew() || !can_be_read_again(configuration) {
        return Ok(());
    }
    let mut words_of_start = env::args_os();
    let name = words_of_start.next().unwrap_or_else(|| "tidegate".into());
    // The very program that runs, whatever lies in its place by now.
    let mut command = Command::new("/proc/self/exe");
    command.arg0(name).args(words_of_start).envs(said(settings)).env(SET, set.join("="));
    for name in set {
        let kept = format!("{BEFORE}{name}");
        match env::var_os(name) {
            Some(before) => command.env(kept, before),
            None => command.env_remove(kept),
        };
    }
    let error = command.env(MARK, std::process::id().to_string()).exec();
    Err(anyhow!("execve() failed ({}): `env` takes it where one process serves", words(&error)))
}

/// Has another program begin with the environment that this one began with: what `env` says is for the
/// configuration that it finds.
pub(super) fn give_back(command: &mut Command) {
    let names = env::var(SET).ok().filter(|_| has_begun_anew()).unwrap_or_default();
    for name in names.split('=').filter(|name| !name.is_empty()) {
        let kept = format!("{BEFORE}{name}");
        match env::var_os(&kept) {
            Some(before) => command.env(name, before),
            None => command.env_remove(name),
        };
        command.env_remove(kept);
    }
    command.env_remove(SET).env_remove(MARK);
}

/// What of `env NAME=value` does not hold here, and what may be done about it.
pub(super) fn faults(settings: &Process, configuration: &Path) -> Vec<String> {
    let why = if has_begun_anew() {
        "the system takes it from a program with file capabilities or set-user-ID; start it without \
         them (systemd: AmbientCapabilities=)"
            .to_owned()
    } else {
        let path = configuration.display();
        format!(
            "it takes a configuration that can be read twice, unlike \"{path}\"; start it with it"
        )
    };
    let fault = |name| format!("the variable \"{name}\" of \"env\" does not hold: {why}");
    lacking(settings).map(fault).collect()
}

/// The variables that are set, and their values.
fn said(settings: &Process) -> BTreeMap<&str, &str> {
    let said = settings.env.iter().filter_map(|said| said.split_once('='));
    // The last of a name holds; without one it could never be found again.
    said.filter(|(name, _)| !name.is_empty()).collect()
}

/// Those of them that are not there.
fn lacking(settings: &Process) -> impl Iterator<Item = &str> {
    let said = said(settings).into_iter();
    said.filter(|(name, value)| env::var_os(name).is_none_or(|is| is != *value))
        .map(|(name, _)| name)
}

fn has_begun_anew() -> bool {
    env::var(MARK).is_ok_and(|number| number == std::process::id().to_string())
}

/// Whether it is more than what somebody says once, through a pipe.
fn can_be_read_again(configuration: &Path) -> bool {
    std::fs::metadata(configuration).is_ok_and(|about| about.is_file())
}

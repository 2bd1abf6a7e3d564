//! An nginx-compatible reverse proxy and static file server.

mod allocator;
mod cli;
mod connection;
mod health_check;
mod listen;
mod pipeline;
mod process;
mod runtime;
mod status;
mod templates;
mod tls;

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use tidegate_config::{Loaded, Options, load};
use tidegate_http::log::words::words;

use cli::{Action, Cli, Shown, Told, output};
use process::{Command, Request, Source, worker_process};

/// A request takes and gives back a few dozen small pieces of memory; this costs a third of what
/// the system's allocator takes for them.
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    tidegate_http::log::stderr::open();
    match cli::command::run().map_or_else(act, Ok) {
        Ok(code) => code,
        Err(error) => {
            // nginx's own form, for what reads it.
            match error.downcast_ref::<Told>() {
                Some(Told { level: None, text }) => eprintln!("nginx: {text}"),
                Some(Told { level: Some(level), text }) => eprintln!("nginx: [{level}] {text}"),
                None => eprintln!("nginx: [emerg] {error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}

fn act() -> Result<ExitCode> {
    if worker_process::is_this() {
        worker_process::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    let cli = Cli::read()?;
    let version = concat!("tidegate version: tidegate/", env!("CARGO_PKG_VERSION"));
    let tests = matches!(cli.action, Action::Test | Action::Dump);
    if let Some(shown) = cli.shown {
        match shown {
            Shown::Help => eprint!("{version}\n{}", cli::help()),
            Shown::Version => eprintln!("{version}"),
            Shown::VersionAndBuild => eprintln!("{version}\n{}", cli::BUILD),
        }
        if !tests {
            return Ok(ExitCode::SUCCESS);
        }
    }
    if let Some(folder) = &cli.templates {
        templates::fill(folder)?;
    }
    let conf = cli.conf();
    let options = Options {
        prefix: cli.prefix(&conf),
        global: cli.global.clone(),
        error_log: cli.error_log.clone(),
        files: Arc::new(process::handed_on()?),
        without_files: cli.without_files,
    };
    let error_log = cli.error_log.as_deref().filter(|path| *path != Path::new("stderr"));
    if let Some(error) = error_log.and_then(|path| unwritable(&options.prefix.join(path))) {
        eprintln!("nginx: [alert] could not open error log file: {error}");
    }
    let loaded = whole(load(&conf, &options), &cli);
    let source = Source { path: conf, options };
    match cli.action {
        Action::Test | Action::Dump => Ok(test(&cli, &source, loaded)),
        Action::Signal(command) => {
            let config = accepted(loaded)?;
            let pid = &config.main.process.pid;
            // The answer says whether the reload went well, which a signal cannot.
            if command == Command::Reload && reload(pid)? {
                return Ok(ExitCode::SUCCESS);
            }
            process::send(command, pid).map_err(|error| not_running(&error))?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Ask(request) => {
            let pid = &match said_pid(&loaded, &source.options.prefix) {
                Some(pid) if !request.takes_up_configuration() => pid,
                _ => accepted(loaded)?.main.process.pid.clone(),
            };
            let answer = process::ask(&request, pid)?;
            let nobody = || not_running(&anyhow!("nobody answers beside \"{}\"", pid.display()));
            output::print(&format!("{}\n", answer.ok_or_else(nobody)?.trim_end()))?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Run => {
            let config = accepted(loaded)?;
            process::run(source, config)
        }
    }
}

/// Why lines cannot be written to the file of `-e`.
fn unwritable(path: &Path) -> Option<String> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    let error = opened.err()?;
    Some(format!("open() \"{}\" failed ({})", path.display(), words(&error)))
}

/// With what certificates and keys say, unless somebody is just to be told something.
fn whole(mut loaded: Loaded, cli: &Cli) -> Loaded {
    if !matches!(cli.action, Action::Signal(_)) {
        tls::check(&mut loaded, cli.without_files);
    }
    loaded
}

/// The pid file that a configuration names, be it otherwise faulty: the server that runs can be asked
/// all the same.
fn said_pid(loaded: &Loaded, prefix: &Path) -> Option<PathBuf> {
    let said = loaded.statements.iter().find(|statement| statement.name.text == "pid");
    let word = said.map(|statement| statement.args.first());
    let path = word.map_or(Some("logs/nginx.pid"), |word| Some(word?.text.as_str()));
    (!loaded.statements.is_empty()).then_some(prefix.join(path?))
}

/// Asks for a reload, and tells what it left; false where nobody answers.
fn reload(pid: &Path) -> Result<bool> {
    let Some(answer) = process::ask(&Request::Reload, pid)? else { return Ok(false) };
    answer.lines().skip(1).for_each(|left| eprintln!("nginx: [warn] {left}"));
    Ok(true)
}

/// Nobody could be told: what may be done about it.
fn not_running(error: &anyhow::Error) -> anyhow::Error {
    let text = format!(
        "{error:#}\nNo server runs with this configuration's `pid`; -c names the one it was started with."
    );
    Told { level: Some("error"), text }.into()
}

/// The configuration, or its faults. Warnings are for `-t`; at the start they would only scroll by.
fn accepted(loaded: Loaded) -> Result<tidegate_config::Config> {
    let messages = loaded.messages();
    loaded.config.ok_or_else(|| {
        output::complain(&messages);
        anyhow!("the configuration is not used; nothing is done")
    })
}

/// `-t` and `-T`: all that is wrong, odd or worth knowing.
fn test(cli: &Cli, source: &Source, mut loaded: Loaded) -> ExitCode {
    let path = source.path.display();
    let config = loaded.config.take();
    if !cli.quiet || config.is_none() {
        output::complain(&loaded.messages());
    }
    let syntax_is_good = config.is_some();
    if syntax_is_good && !cli.quiet {
        output::complain(&format!("nginx: the configuration file {path} syntax is ok\n"));
    }
    let fault = match config {
        Some(config) if cli.without_files => {
            for text in process::absent(&config).iter().filter(|_| !cli.quiet) {
                output::complain(&format!("nginx: [notice] {text}\n"));
            }
            None
        }
        Some(config) => process::try_out(config).err(),
        None => None,
    };
    if let Some(fault) = &fault {
        output::complain(&format!("nginx: [emerg] {fault:#}\n"));
    }
    if !syntax_is_good || fault.is_some() {
        output::complain(&format!("nginx: configuration file {path} test failed\n"));
        return ExitCode::FAILURE;
    }
    if !cli.quiet {
        output::complain(&format!("nginx: configuration file {path} test is successful\n"));
    }
    let dumped = match cli.action {
        Action::Dump => output::print(&loaded.sources.dump()),
        _ => Ok(()),
    };
    if let Err(error) = dumped {
        output::complain(&format!("nginx: [emerg] the configuration cannot be printed: {error}\n"));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

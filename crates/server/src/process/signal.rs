//! Signals: what the process is told, and how another one is told.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use rustix::process::{Signal, kill_process};
use tidegate_http::log::words::words;
use tokio::signal::unix::{self, SignalKind};

use super::pid;

/// What a running server can be told with `-s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// End at once (TERM).
    Stop,
    /// End when the answers that are being sent are sent (QUIT).
    Quit,
    /// Take up the configuration anew (HUP).
    Reload,
    /// Open the logs anew (USR1).
    Reopen,
}

impl Command {
    /// What this word of `-s` says.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "stop" => Some(Self::Stop),
            "quit" => Some(Self::Quit),
            "reload" => Some(Self::Reload),
            "reopen" => Some(Self::Reopen),
            _ => None,
        }
    }
}

/// Tells the server whose number is in a file.
pub(crate) fn send(command: Command, pid_file: &Path) -> Result<()> {
    let number = pid::read(pid_file)?;
    let signal = match command {
        Command::Stop => Signal::TERM,
        Command::Quit => Signal::QUIT,
        Command::Reload => Signal::HUP,
        Command::Reopen => Signal::USR1,
    };
    kill_process(number, signal).map_err(|error| {
        let error = words(&error.into());
        anyhow!("kill({number}, {}) failed ({error})", signal.as_raw())
    })
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// TERM.
    Stop,
    /// INT, which does the same.
    Interrupt,
    Quit,
    Reload,
    Reopen,
    /// Another program is to take over (USR2).
    Upgrade,
    /// Nobody shall serve for the moment (WINCH).
    Rest,
    /// A process that this one started, or was left with, has ended (CHLD).
    Child,
}

impl Word {
    /// What the log says of it, in nginx's words; nothing of what happens by itself.
    pub(super) fn told(self) -> Option<&'static str> {
        match self {
            Self::Stop => Some("signal 15 (SIGTERM) received, exiting"),
            Self::Interrupt => Some("signal 2 (SIGINT) received, exiting"),
            Self::Quit => Some("signal 3 (SIGQUIT) received, shutting down"),
            Self::Reload => Some("signal 1 (SIGHUP) received, reconfiguring"),
            Self::Reopen => Some("signal 10 (SIGUSR1) received, reopening logs"),
            Self::Upgrade => Some("signal 12 (SIGUSR2) received, changing binary"),
            Self::Rest | Self::Child => None,
        }
    }
}

/// The signals that the process acts on.
pub(super) struct Signals {
    term: unix::Signal,
    int: unix::Signal,
    quit: unix::Signal,
    hup: unix::Signal,
    usr1: unix::Signal,
    usr2: unix::Signal,
    winch: unix::Signal,
    chld: unix::Signal,
}

impl Signals {
    /// Catches the signals from here on; within a runtime.
    pub(super) fn new() -> Result<Self> {
        let catch = |kind| unix::signal(kind).context("signals cannot be caught");
        Ok(Self {
            term: catch(SignalKind::terminate())?,
            int: catch(SignalKind::interrupt())?,
            quit: catch(SignalKind::quit())?,
            hup: catch(SignalKind::hangup())?,
            usr1: catch(SignalKind::user_defined1())?,
            usr2: catch(SignalKind::user_defined2())?,
            winch: catch(SignalKind::window_change())?,
            chld: catch(SignalKind::child())?,
        })
    }

    /// The next one that ends the process, at once or in `any` way; the others wait.
    pub(super) async fn end(&mut self, any: bool) -> Word {
        tokio::select! {
            _ = self.term.recv() => Word::Stop,
            _ = self.int.recv() => Word::Interrupt,
            _ = self.quit.recv(), if any => Word::Quit,
        }
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Word {
        tokio::select! {
            _ = self.term.recv() => Word::Stop,
            _ = self.int.recv() => Word::Interrupt,
            _ = self.quit.recv() => Word::Quit,
            _ = self.hup.recv() => Word::Reload,
            _ = self.usr1.recv() => Word::Reopen,
            _ = self.usr2.recv() => Word::Upgrade,
            _ = self.winch.recv() => Word::Rest,
            _ = self.chld.recv() => Word::Child,
        }
    }
}

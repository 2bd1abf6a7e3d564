//! The open log files: opened once, opened again when told, and never waited for.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Buf;
use rustix::fs::OFlags;
use tidegate_config::http::syslog::{SyslogId, SyslogServer};

use super::lost::Lost;
use super::syslog::SyslogSocket;
use super::words::words;

/// The log files of a configuration, shared by all threads.
#[derive(Debug, Default)]
pub struct LogFiles {
    pub(super) files: Vec<Arc<LogFile>>,
    syslogs: Vec<SyslogSocket>,
    /// How often all were opened again.
    reopened: AtomicU64,
}

/// One log.
#[derive(Debug)]
pub(super) struct LogFile {
    /// Where it lies.
    pub(super) path: PathBuf,
    file: Mutex<Arc<File>>,
    /// What it did not take.
    pub(super) lost: Lost,
    /// Whether it ends within a line whose rest is lost.
    torn: AtomicBool,
}

impl LogFile {
    fn new(path: &Path, file: File) -> Arc<Self> {
        let (path, file) = (path.to_path_buf(), Mutex::new(Arc::new(file)));
        Arc::new(Self { path, file, lost: Lost::default(), torn: AtomicBool::new(false) })
    }

    fn file(&self) -> Arc<File> {
        Arc::clone(&self.file.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, file: Arc<File>) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = file;
    }

    /// Writes a line, or as much of it as is taken at once.
    pub(super) fn put(&self, line: &[u8]) -> io::Result<()> {
        let mut rest = line;
        let put = self.advance(&mut rest);
        if put.is_err() && rest.len() < line.len() {
            self.torn.store(true, Ordering::Relaxed);
        }
        put
    }

    /// Writes what is taken at once; what is left has to wait, or is lost.
    pub(super) fn advance(&self, lines: &mut impl Buf) -> io::Result<()> {
        let file = self.file();
        let mut ends = true;
        while lines.has_remaining() {
            if self.torn.swap(false, Ordering::Relaxed) && (&*file).write(b"\n").is_err() {
                self.torn.store(true, Ordering::Relaxed);
            }
            match (&*file).write(lines.chunk()) {
                Ok(length) if length > 0 => {
                    ends = lines.chunk().get(length - 1) == Some(&b'\n');
                    lines.advance(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => {
                    // Those that wait are written from where this one has stopped.
                    let error = written.err().unwrap_or_else(|| io::ErrorKind::WriteZero.into());
                    let waits = error.kind() == io::ErrorKind::WouldBlock;
                    if !ends && !waits {
                        self.torn.store(true, Ordering::Relaxed);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl LogFiles {
    /// Opens, and where need be creates, all of them. The error names the file. One that the
    /// process had the right to open only at its start is taken over from `before`.
    pub fn open(paths: &[PathBuf], before: Option<&Self>) -> Result<Self, (PathBuf, io::Error)> {
        let open = |path: &PathBuf| match open(path) {
            Ok(file) => Ok(LogFile::new(path, file)),
            Err(error) => {
                let known = before.and_then(|before| before.files.iter().find(|f| f.path == *path));
                known.cloned().ok_or_else(|| (path.clone(), error))
            }
        };
        let files = paths.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { files, ..Self::default() })
    }

    /// The same, with the servers that lines are sent to; hosts are looked up.
    #[must_use]
    pub fn with_syslogs(mut self, servers: &[SyslogServer]) -> Self {
        self.syslogs = servers.iter().map(SyslogSocket::new).collect();
        self
    }

    /// How often all were opened again.
    pub(super) fn reopened(&self) -> u64 {
        self.reopened.load(Ordering::Relaxed)
    }

    /// Sends a line to a syslog server; what is to be told of those that were lost.
    pub(super) fn send(&self, server: SyslogId, bytes: &[u8]) -> Option<String> {
        self.syslogs.get(server.0)?.send(bytes)
    }

    /// Opens all of them again, so that a renamed file is let go. One that cannot be opened is
    /// kept as it is, and told.
    pub fn reopen(&self) -> Vec<(PathBuf, io::Error)> {
        self.reopen_by(|path| open(path).map(Arc::new))
    }

    fn reopen_by(
        &self,
        open: impl Fn(&Path) -> io::Result<Arc<File>>,
    ) -> Vec<(PathBuf, io::Error)> {
        let mut faults = Vec::new();
        self.reopened.fetch_add(1, Ordering::Relaxed);
        for log in &self.files {
            match open(&log.path) {
                Ok(file) => log.replace(file),
                Err(error) => faults.push((log.path.clone(), error)),
            }
        }
        faults
    }

    /// The files of these paths, which another process has opened.
    pub fn opened(paths: &[PathBuf], files: Vec<File>) -> Self {
        let log = |(path, file): (&PathBuf, File)| LogFile::new(path, file);
        Self { files: paths.iter().zip(files).map(log).collect(), ..Self::default() }
    }

    /// Writes to the files of these paths from now on; what lies elsewhere is opened again here. One that
    /// cannot be opened is kept as it is, and told.
    pub fn replace(&self, files: &HashMap<PathBuf, Arc<File>>) -> Vec<(PathBuf, io::Error)> {
        self.reopen_by(|path| match files.get(path) {
            Some(file) => Ok(Arc::clone(file)),
            None => open(path).map(Arc::new),
        })
    }

    /// The paths.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|log| log.path.as_path())
    }

    /// The open files, in the order of the paths.
    pub fn handles(&self) -> Vec<Arc<File>> {
        self.files.iter().map(|log| log.file()).collect()
    }

    /// Writes a line at once, without a batch. What cannot be written is lost, and counted.
    pub fn write(&self, place: usize, line: &[u8]) {
        if let Some(log) = self.files.get(place)
            && let Err(error) = log.put(line)
        {
            log.lost.add_lines(1, words(&error));
        }
    }

    /// One of them.
    pub(super) fn log(&self, place: usize) -> Option<&LogFile> {
        self.files.get(place).map(Arc::as_ref)
    }
}

/// Without waiting for whoever reads, where it is a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o644).custom_flags(flags).open(path)
}

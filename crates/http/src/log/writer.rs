//! Log files: opened once, written in batches, opened again when told.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::OFlags;
use tidegate_config::http::syslog::{SyslogId, SyslogServer};

use super::syslog::SyslogSocket;

/// The most bytes that wait for the end of the loop's turn.
const BATCH: usize = 64 * 1024;

/// The most bytes that wait for a reader who is slow to take them (a pipe); what is more is lost.
const MOST: usize = 1024 * 1024;

/// The pause before such a reader is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// The log files of a configuration, shared by all threads.
#[derive(Debug, Default)]
pub struct LogFiles {
    files: Vec<Arc<LogFile>>,
    syslogs: Vec<SyslogSocket>,
    /// How often all were opened again.
    reopened: AtomicU64,
}

#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: Mutex<Arc<File>>,
}

impl LogFiles {
    /// Opens, and where need be creates, all of them. The error names the file. One that the
    /// process had the right to open only at its start is taken over from `before`.
    pub fn open(paths: &[PathBuf], before: Option<&Self>) -> Result<Self, (PathBuf, io::Error)> {
        let open = |path: &PathBuf| match open(path) {
            Ok(file) => {
                let file = Mutex::new(Arc::new(file));
                Ok(Arc::new(LogFile { path: path.clone(), file }))
            }
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
        let mut faults = Vec::new();
        self.reopened.fetch_add(1, Ordering::Relaxed);
        for log in &self.files {
            match open(&log.path) {
                Ok(file) => {
                    *log.file.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(file);
                }
                Err(error) => faults.push((log.path.clone(), error)),
            }
        }
        faults
    }

    /// The files of these paths, which another process has opened.
    pub fn opened(paths: &[PathBuf], files: Vec<File>) -> Self {
        let log = |(path, file): (&PathBuf, File)| {
            Arc::new(LogFile { path: path.clone(), file: Mutex::new(Arc::new(file)) })
        };
        Self { files: paths.iter().zip(files).map(log).collect(), ..Self::default() }
    }

    /// Writes to these files from now on, in the order of the paths.
    pub fn replace(&self, files: Vec<File>) {
        self.reopened.fetch_add(1, Ordering::Relaxed);
        for (log, file) in self.files.iter().zip(files) {
            *log.file.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(file);
        }
    }

    /// The open files, in the order of the paths.
    pub fn handles(&self) -> Vec<Arc<File>> {
        (0..self.files.len()).filter_map(|place| self.file(place)).collect()
    }

    /// Writes to a file at once, without a batch. What cannot be written is lost.
    pub fn write(&self, place: usize, bytes: &[u8]) {
        if let Some(mut file) = self.file(place).as_deref() {
            let _ = file.write_all(bytes);
        }
    }

    fn file(&self, place: usize) -> Option<Arc<File>> {
        let log = self.files.get(place)?;
        Some(Arc::clone(&log.file.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Without waiting for whoever reads, where it is a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().append(true).create(true).mode(0o644).custom_flags(flags).open(path)
}

/// How long lines may wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// `buffer=`, in bytes; 0 writes at the end of each turn of the loop.
    pub buffer: usize,
    /// `flush=`
    pub flush: Option<Duration>,
    /// `gzip=`
    pub gzip: Option<u32>,
}

/// One thread's lines on their way to the files: those of one turn of the loop are one write.
#[derive(Debug)]
pub struct LogWriter {
    files: Arc<LogFiles>,
    pending: Vec<RefCell<Pending>>,
}

#[derive(Debug, Default)]
struct Pending {
    lines: BytesMut,
    /// How hard lines are compressed before they are written.
    gzip: Option<u32>,
    /// Compressed lines that could not be written yet.
    packed: BytesMut,
    /// Whether a task will write them.
    awaited: bool,
}

impl LogWriter {
    /// A writer for a thread.
    pub fn new(files: Arc<LogFiles>) -> Rc<Self> {
        let pending = files.files.iter().map(|_| RefCell::default()).collect();
        Rc::new(Self { files, pending })
    }

    /// Adds a line, its end included. Must be called within a local task set.
    pub fn append(self: &Rc<Self>, place: usize, line: &[u8], wait: Wait) {
        let Some(pending) = self.pending.get(place) else { return };
        let mut pending = pending.borrow_mut();
        let limit = if wait.buffer == 0 { BATCH } else { wait.buffer };
        pending.gzip = pending.gzip.or(wait.gzip);
        if !pending.lines.is_empty() && pending.lines.len() + line.len() > limit {
            self.files.drain(place, &mut pending);
        }
        if pending.lines.len() + line.len() > MOST.max(limit) {
            return;
        }
        pending.lines.extend_from_slice(line);
        let pause = match wait {
            Wait { buffer: 0, .. } => Some(Duration::ZERO),
            Wait { flush, .. } => flush,
        };
        if let (false, Some(pause)) = (pending.awaited, pause) {
            pending.awaited = true;
            tokio::task::spawn_local(Rc::clone(self).drain_later(place, pause));
        }
    }

    /// Writes all that waits.
    pub fn flush(&self) {
        for (place, pending) in self.pending.iter().enumerate() {
            self.files.drain(place, &mut pending.borrow_mut());
        }
    }

    /// Another handle of the files.
    pub fn files(&self) -> &Arc<LogFiles> {
        &self.files
    }

    async fn drain_later(self: Rc<Self>, place: usize, mut pause: Duration) {
        let Some(pending) = self.pending.get(place) else { return };
        loop {
            if pause.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(pause).await;
            }
            let mut pending = pending.borrow_mut();
            self.files.drain(place, &mut pending);
            if pending.lines.is_empty() && pending.packed.is_empty() {
                pending.awaited = false;
                return;
            }
            pause = PAUSE;
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.flush();
    }
}

impl LogFiles {
    /// Writes what can be written at once; what cannot be written ever is lost.
    fn drain(&self, place: usize, pending: &mut Pending) {
        let lines = match pending.gzip {
            Some(level) => {
                if !pending.lines.is_empty() && pending.packed.len() < MOST {
                    pending.packed.extend_from_slice(&pack(&pending.lines, level));
                }
                pending.lines.clear();
                &mut pending.packed
            }
            None => &mut pending.lines,
        };
        let Some(file) = self.file(place) else { return lines.clear() };
        while !lines.is_empty() {
            match (&*file).write(lines) {
                Ok(length) if length > 0 => lines.advance(length),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => lines.clear(),
            }
        }
    }
}

/// Lines as a member of a gzip file; members may follow one another.
fn pack(lines: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    // Memory takes it all.
    let _ = encoder.write_all(lines);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs::{read_to_string, rename};

    use tokio::task::{LocalSet, yield_now};

    use super::*;

    fn files(folder: &Path) -> (PathBuf, Arc<LogFiles>) {
        let path = folder.join("access.log");
        let files = LogFiles::open(std::slice::from_ref(&path), None).unwrap();
        (path, Arc::new(files))
    }

    #[tokio::test]
    async fn lines_of_one_turn_are_written_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let (path, files) = files(folder.path());
        let write = async {
            let writer = LogWriter::new(files);
            writer.append(0, b"a\n", Wait::default());
            writer.append(0, b"b\n", Wait::default());
            writer.append(7, b"nowhere\n", Wait::default());
            assert_eq!(read_to_string(&path).unwrap(), "");
            while read_to_string(&path).unwrap().is_empty() {
                yield_now().await;
            }
            assert_eq!(read_to_string(&path).unwrap(), "a\nb\n");
        };
        LocalSet::new().run_until(write).await;
    }

    #[tokio::test]
    async fn a_buffer_is_written_when_full_or_old() {
        let folder = tempfile::tempdir().unwrap();
        let (path, files) = files(folder.path());
        let write = async {
            let writer = LogWriter::new(files);
            let wait = Wait { buffer: 4, ..Wait::default() };
            for line in [b"aa\n", b"bb\n", b"cc\n"] {
                writer.append(0, line, wait);
            }
            assert_eq!(read_to_string(&path).unwrap(), "aa\nbb\n");
            let wait = Wait { flush: Some(Duration::from_millis(1)), ..wait };
            writer.append(0, b"dd\n", wait);
            while !read_to_string(&path).unwrap().ends_with("dd\n") {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        LocalSet::new().run_until(write).await;
    }

    #[tokio::test]
    async fn a_renamed_file_is_let_go_when_told() {
        let folder = tempfile::tempdir().unwrap();
        let (path, files) = files(folder.path());
        files.write(0, b"old\n");
        rename(&path, folder.path().join("rotated")).unwrap();
        files.write(0, b"still old\n");
        assert!(files.reopen().is_empty());
        files.write(0, b"new\n");
        assert_eq!(read_to_string(&path).unwrap(), "new\n");
        let old = read_to_string(folder.path().join("rotated")).unwrap();
        assert_eq!(old, "old\nstill old\n");
    }

    #[tokio::test]
    async fn a_reader_who_stops_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        let reader = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&path)
            .unwrap();
        let files = Arc::new(LogFiles::open(&[path], None).unwrap());
        let write = async {
            let writer = LogWriter::new(files);
            for _ in 0..5000 {
                writer.append(0, &[b'x'; 1000], Wait::default());
            }
            assert!(writer.pending[0].borrow().lines.len() <= MOST);
            drop(reader);
            writer.flush();
            assert!(writer.pending[0].borrow().lines.is_empty());
        };
        LocalSet::new().run_until(write).await;
    }
}

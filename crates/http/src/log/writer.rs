//! Lines on their way to the log files, in batches.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::ProcessLog;
use super::file::{LogFile, LogFiles};
use super::turn;
use super::words::words;

/// The most bytes that wait for the end of the loop's turn.
const BATCH: usize = 64 * 1024;

/// The most bytes that wait for a reader who is slow to take them (a pipe); what is more is lost.
const MOST: usize = 1024 * 1024;

/// Why what is more is lost.
const SLOW: &str = "11: Resource temporarily unavailable";

/// How long lines of a configuration that is no more wait for such a reader.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before such a reader is tried again.
const PAUSE: Duration = Duration::from_millis(20);

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
    /// Where lost lines are told.
    log: Option<ProcessLog>,
}

#[derive(Debug, Default)]
struct Pending {
    lines: BytesMut,
    /// How hard lines are compressed before they are written.
    gzip: Option<u32>,
    /// Compressed lines that could not be written yet, and their number.
    packed: BytesMut,
    packed_lines: u64,
    /// Whether a task will write them.
    awaited: bool,
}

impl LogWriter {
    /// A writer for a thread.
    pub fn new(files: Arc<LogFiles>) -> Rc<Self> {
        Rc::new(Self::over(files, None))
    }

    /// The same; what is lost is told there.
    pub fn telling(files: Arc<LogFiles>, log: ProcessLog) -> Rc<Self> {
        Rc::new(Self::over(files, Some(log)))
    }

    fn over(files: Arc<LogFiles>, log: Option<ProcessLog>) -> Self {
        let pending = files.files.iter().map(|_| RefCell::default()).collect();
        Self { files, pending, log }
    }

    /// Adds a line, its end included. Must be called within a local task set.
    pub fn append(self: &Rc<Self>, place: usize, line: &[u8], wait: Wait) {
        let Some((pending, log)) = self.pending.get(place).zip(self.files.log(place)) else {
            return;
        };
        let mut pending = pending.borrow_mut();
        let limit = if wait.buffer == 0 { BATCH } else { wait.buffer };
        pending.gzip = pending.gzip.or(wait.gzip);
        if !pending.lines.is_empty() && pending.lines.len() + line.len() > limit {
            pending.drain(log);
        }
        if pending.lines.len() + line.len() > MOST.max(limit) {
            log.lost.add(line, SLOW);
            return self.tell_lost(place);
        }
        pending.lines.extend_from_slice(line);
        let pause = match wait {
            Wait { buffer: 0, .. } => Some(Duration::ZERO),
            Wait { flush, .. } => flush,
        };
        if let (false, Some(pause)) = (pending.awaited, pause) {
            pending.awaited = true;
            if !pause.is_zero() || !turn::wait(self, place) {
                tokio::task::spawn_local(Rc::clone(self).drain_later(place, pause));
            }
        }
    }

    /// Writes what waits for one file; a task goes on with what is not taken.
    pub(super) fn drain_now(self: Rc<Self>, place: usize) {
        let Some((pending, log)) = self.pending.get(place).zip(self.files.log(place)) else {
            return;
        };
        let is_done = {
            let mut pending = pending.borrow_mut();
            pending.drain(log);
            pending.awaited = !pending.is_empty();
            !pending.awaited
        };
        self.tell_lost(place);
        if !is_done {
            tokio::task::spawn_local(self.drain_later(place, PAUSE));
        }
    }

    /// Writes all that waits.
    pub fn flush(&self) {
        for (pending, log) in self.pending.iter().zip(&self.files.files) {
            pending.borrow_mut().drain(log);
        }
    }

    /// Another handle of the files.
    pub fn files(&self) -> &Arc<LogFiles> {
        &self.files
    }

    fn tell_lost(&self, place: usize) {
        if let Some(log) = &self.log {
            log.tell_lost(place);
        }
    }

    async fn drain_later(self: Rc<Self>, place: usize, mut pause: Duration) {
        let Some((pending, log)) = self.pending.get(place).zip(self.files.log(place)) else {
            return;
        };
        let mut stuck = None;
        loop {
            if pause.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(pause).await;
            }
            let mut pending = pending.borrow_mut();
            pending.drain(log);
            self.tell_lost(place);
            let is_alone = Rc::strong_count(&self) == 1;
            let since = *stuck.get_or_insert_with(Instant::now);
            if is_alone && since.elapsed() > PATIENCE {
                // Its configuration is no more, and many of them would add up.
                pending.give_up(log);
            }
            if pending.is_empty() {
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

impl Pending {
    /// Writes what can be written at once; what cannot be written ever is lost.
    fn drain(&mut self, log: &LogFile) {
        if let Some(level) = self.gzip {
            return self.drain_packed(log, level);
        }
        match log.advance(&mut self.lines) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                log.lost.add(&self.lines, words(&error));
                self.lines.clear();
            }
            _ => {}
        }
    }

    fn drain_packed(&mut self, log: &LogFile, level: u32) {
        if self.packed.len() >= MOST {
            log.lost.add(&self.lines, SLOW);
        } else if !self.lines.is_empty() {
            self.packed.extend_from_slice(&pack(&self.lines, level));
            self.packed_lines += memchr::memchr_iter(b'\n', &self.lines).count() as u64;
        }
        self.lines.clear();
        match log.advance(&mut self.packed) {
            Ok(()) => self.packed_lines = 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                self.packed.clear();
                log.lost.add_lines(std::mem::take(&mut self.packed_lines), words(&error));
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.packed.is_empty()
    }

    /// What waits is lost.
    fn give_up(&mut self, log: &LogFile) {
        log.lost.add(&self.lines, SLOW);
        log.lost.add_lines(std::mem::take(&mut self.packed_lines), SLOW);
        self.lines.clear();
        self.packed.clear();
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
    use std::fs::{OpenOptions, read_to_string, rename};
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::{Path, PathBuf};

    use rustix::fs::OFlags;

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
    async fn lines_are_written_where_a_turn_is_said_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let (path, files) = files(folder.path());
        turn::will_end();
        let writer = LogWriter::new(files);
        for line in [b"a\n", b"b\n"] {
            writer.append(0, line, Wait::default());
        }
        assert_eq!(read_to_string(&path).unwrap(), "");
        turn::end();
        assert_eq!(read_to_string(&path).unwrap(), "a\nb\n");
        writer.append(0, b"c\n", Wait::default());
        turn::end();
        turn::end();
        assert_eq!(read_to_string(&path).unwrap(), "a\nb\nc\n");
        assert_eq!(Rc::strong_count(&writer), 1);
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

//! The file that holds the process's number.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use rustix::fs::{FlockOperation, flock};
use tidegate_http::log::words::words;

/// The file that holds the process's number; it goes when the process does. As long as it is
/// locked its process lives, whatever number a process that was killed has left in it.
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Opens the file, and locks it; its folder is made where it is missing. The file of a process
    /// that lives is refused.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let failed =
            |error: &io::Error| anyhow!("open() \"{}\" failed ({})", path.display(), words(error));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).map_err(|error| failed(&error))?;
        let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
        if is_file && flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let number = fs::read_to_string(path).unwrap_or_default();
            bail!(
                "\"{}\" is the pid file of process {}, which runs: `-s quit` ends it, and another \
                 server needs a `pid` of its own",
                path.display(),
                number.trim()
            );
        }
        Ok(Self { path: path.to_path_buf(), file })
    }

    /// Writes the process's number.
    pub(crate) fn write(&mut self) -> Result<()> {
        self.file
            .set_len(0)
            .and_then(|()| writeln!(self.file, "{}", std::process::id()))
            .with_context(|| format!("write() \"{}\" failed", self.path.display()))
    }

    /// Calls the file otherwise, as an old process does while a new one takes over.
    pub(crate) fn rename(&mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        path.clone_into(&mut self.path);
        Ok(())
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let (own, there) = (self.file.metadata(), fs::metadata(&self.path));
        let is_own = own.ok().zip(there.ok()).is_some_and(|(own, there)| {
            own.is_file() && (own.dev(), own.ino()) == (there.dev(), there.ino())
        });
        if is_own && fs::remove_file(&self.path).is_err() {
            // Its folder is root's, and we are root no more: an empty file names no process.
            let _ = self.file.set_len(0);
        }
    }
}

/// Whether the file could be written, in nginx's words where not.
pub(crate) fn try_out(path: &Path) -> Result<()> {
    let there = path.exists();
    match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
        Ok(_) if there => Ok(()),
        Ok(_) => fs::remove_file(path).map_err(Into::into),
        // The start makes the folder.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            bail!("open() \"{}\" failed ({})", path.display(), words(&error))
        }
    }
}

/// Reads the number of the running process, or says why there is none, in nginx's words.
pub(crate) fn read(path: &Path) -> Result<rustix::process::Pid> {
    let text = fs::read_to_string(path)
        .map_err(|error| anyhow!("open() \"{}\" failed ({})", path.display(), words(&error)))?;
    let number = text.trim().parse().ok().and_then(rustix::process::Pid::from_raw);
    number
        .ok_or_else(|| anyhow!("invalid PID number \"{}\" in \"{}\"", text.trim(), path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_there_while_the_process_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/server.pid");
        let mut file = PidFile::open(&path).unwrap();
        file.write().unwrap();
        let number = read(&path).unwrap().as_raw_nonzero().get();
        assert_eq!(number.unsigned_abs(), std::process::id());
        let second = PidFile::open(&path).err().unwrap().to_string();
        assert!(second.contains(&format!("process {number}, which runs")), "{second}");
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_a_killed_process_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.pid");
        fs::write(&path, "4194304000\n").unwrap();
        PidFile::open(&path).unwrap().write().unwrap();
    }

    #[test]
    fn what_is_no_number_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.pid");
        fs::write(&path, "x\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().starts_with("invalid PID number \"x\" in "));
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        drop(PidFile::open(Path::new("/dev/null")).unwrap());
        assert!(Path::new("/dev/null").exists());
        assert!(PidFile::open(Path::new("/dev/null")).is_ok());
    }
}

//! The file that holds the process's number.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file that holds the process's number; it goes when the process does.
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Writes the file; its folder is made where it is missing.
    pub(crate) fn write(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { path: path.to_path_buf(), file })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if fs::remove_file(&self.path).is_err() {
            // Its folder is root's, and we are root no more: an empty file names no process.
            let _ = self.file.set_len(0);
        }
    }
}

/// Reads the number of the running process.
pub(crate) fn read(path: &Path) -> io::Result<rustix::process::Pid> {
    let text = fs::read_to_string(path)?;
    let number = text.trim().parse().ok().and_then(rustix::process::Pid::from_raw);
    number.ok_or_else(|| {
        let text = format!("invalid PID number \"{}\" in \"{}\"", text.trim(), path.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_there_while_the_process_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/server.pid");
        let file = PidFile::write(&path).unwrap();
        let number = read(&path).unwrap().as_raw_nonzero().get();
        assert_eq!(number.unsigned_abs(), std::process::id());
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_number_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.pid");
        fs::write(&path, "x\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().starts_with("invalid PID number \"x\" in "));
    }
}

//! Files for bodies that are too large for memory, or are to be files.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_config::value::path::TempPath;

/// The number of the next file (nginx: `ngx_temp_number`).
static NEXT: AtomicU32 = AtomicU32::new(1);

/// How often another number is tried where a file of that name is there.
const TRIES: u32 = 100;

/// A write that takes longer has waited for the disk.
const SLOW: Duration = Duration::from_millis(10);

/// For how long others write then.
const REST: Duration = Duration::from_secs(1);

thread_local! {
    /// Until when this worker leaves writing to other threads.
    static SLOW_UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A file that holds a body. It goes when the value goes, unless it is to stay.
#[derive(Debug)]
pub(crate) struct TempFile {
    /// The open file; read by position.
    pub(crate) file: Rc<File>,
    /// Its name, which is only told where it has none any more.
    pub(crate) path: PathBuf,
    /// Whether a file of that name is there, and is to go.
    removed: bool,
}

/// What becomes of a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// It has none, so that nothing is left behind whatever happens.
    None,
    /// It has one as long as it is needed.
    Passing,
    /// It stays.
    Lasting,
}

impl TempFile {
    /// Opens a new file.
    pub(crate) fn create(place: &TempPath, name: Name) -> io::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        if name == Name::None {
            let file = Rc::new(create(&place.folder)?);
            return Ok(Self { file, path: path(place, number), removed: false });
        }
        let (file, path) = create_named(place, number)?;
        Ok(Self { file: Rc::new(file), path, removed: name == Name::Passing })
    }

    /// Writes behind what was written before. What goes into the kernel's memory takes less time than
    /// handing it over to another thread, which does it for a while after a disk was slow.
    pub(crate) async fn write(&self, bytes: Bytes) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        if SLOW_UNTIL.get().is_none_or(|until| until < begun) {
            (&*self.file).write_all(&bytes)?;
            let ended = Instant::now();
            if ended.duration_since(begun) > SLOW {
                SLOW_UNTIL.set(Some(ended + REST));
            }
            return Ok(());
        }
        let mut file = self.file.try_clone()?;
        let written = tokio::task::spawn_blocking(move || file.write_all(&bytes));
        written.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if self.removed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens a file without a name in a folder, which is made where it is missing. Where that cannot be
/// (the rights are given up by now, the disk is read-only), the system's own folder of such files
/// serves, so that no body is lost for want of a folder.
pub(crate) fn create(folder: &Path) -> io::Result<File> {
    let made = match tempfile::tempfile_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder))
        }
        result => result,
    };
    made.or_else(|error| tempfile::tempfile().map_err(|_| error))
}

/// Opens a file with a name that no other one has.
fn create_named(place: &TempPath, mut number: u32) -> io::Result<(File, PathBuf)> {
    for _ in 0..TRIES {
        let path = path(place, number);
        let open =
            || OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let opened = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = path.parent().unwrap_or(&place.folder);
                fs::create_dir_all(folder).and_then(|()| open())
            }
            opened => opened,
        };
        match opened {
            // Files of an earlier process stay: from one of them we jump far.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                number = RandomState::new().build_hasher().finish() as u32;
            }
            opened => return opened.map(|file| (file, path)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// `folder/5/34/0000012345` for levels 1 and 2 (nginx: `ngx_create_hashed_filename`).
fn path(place: &TempPath, number: u32) -> PathBuf {
    let name = format!("{number:010}");
    let mut path = place.folder.clone();
    let mut end = name.len();
    for &level in &place.levels {
        let start = end.saturating_sub(usize::from(level));
        path.push(name.get(start..end).unwrap_or_default());
        end = start;
    }
    path.push(name);
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_made() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("a/b");
        create(&folder).unwrap();
        assert!(folder.is_dir());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_done_without() {
        create(Path::new("/proc/none")).unwrap();
    }

    #[test]
    fn names_are_numbers_in_folders_of_their_last_digits() {
        let place = TempPath { folder: "/x".into(), levels: vec![1, 2] };
        assert_eq!(path(&place, 12_345), Path::new("/x/5/34/0000012345"));
        assert_eq!(path(&TempPath::default(), u32::MAX), Path::new("4294967295"));
    }

    #[tokio::test]
    async fn a_name_lasts_or_passes() {
        let around = tempfile::tempdir().unwrap();
        let place = TempPath { folder: around.path().join("t"), levels: vec![2] };
        let lasting = TempFile::create(&place, Name::Lasting).unwrap();
        let passing = TempFile::create(&place, Name::Passing).unwrap();
        lasting.write("ab".into()).await.unwrap();
        lasting.write("c".into()).await.unwrap();
        let paths = [lasting.path.clone(), passing.path.clone()];
        assert!(paths.iter().all(|path| path.exists()));
        drop((lasting, passing));
        assert_eq!(fs::read(&paths[0]).unwrap(), b"abc");
        assert!(!paths[1].exists());
        // One that is there already is left alone.
        let number: u32 = paths[0].file_name().unwrap().to_str().unwrap().parse().unwrap();
        let (_, other) = create_named(&place, number).unwrap();
        assert_ne!(other, paths[0]);
    }
}

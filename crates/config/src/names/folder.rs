//! Folders that files are written to: one for each use.

use std::collections::HashMap;
use std::path::PathBuf;

use super::Names;
use crate::directive::Fault;

/// The folders for temporary files and for kept answers.
#[derive(Debug, Default)]
pub(super) struct Folders {
    made: Vec<PathBuf>,
    said: HashMap<PathBuf, Said>,
}

/// What is said of a folder.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// Temporary files, and how long the names of the folders within it are.
    Temporary(Vec<u8>),
    /// Answers that are kept.
    Kept,
}

impl Names {
    /// Takes note of a folder of temporary files, which is made at the start (nginx:
    /// `ngx_add_path`).
    pub(crate) fn folder(&mut self, path: PathBuf, levels: &[u8]) -> Result<PathBuf, Fault> {
        match self.folders.said.get(&path) {
            None => {
                self.folders.said.insert(path.clone(), Said::Temporary(levels.to_vec()));
                self.folders.made.push(path.clone());
            }
            Some(Said::Kept) => return Err(twice(&path)),
            Some(Said::Temporary(before)) if before != levels => {
                let text =
                    format!("the same path name \"{}\" has different levels", path.display());
                return Err(Fault::sentence(text)
                    .hint("say the same levels everywhere, or give each a folder of its own"));
            }
            Some(Said::Temporary(_)) => {}
        }
        Ok(path)
    }

    /// Takes note of a folder of kept answers, which is nobody else's.
    pub(crate) fn cache_folder(&mut self, path: PathBuf) -> Result<(), Fault> {
        if self.folders.said.contains_key(&path) {
            return Err(twice(&path));
        }
        self.folders.said.insert(path, Said::Kept);
        Ok(())
    }

    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders.made
    }
}

fn twice(path: &std::path::Path) -> Fault {
    Fault::sentence(format!("the same path name \"{}\" is used twice", path.display()))
        .hint("kept answers need a folder of their own")
}

//! An nginx 1.31 to ask whether a configuration is one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The program: named by `TIDEGATE_ORACLE`, or installed by `tests/setup.sh`.
pub(crate) fn nginx() -> Option<PathBuf> {
    let named = std::env::var_os("TIDEGATE_ORACLE").map(PathBuf::from);
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let installed = project.join("target/python/bin/nginx-1.31");
    let new = |path: &PathBuf| {
        let output = Command::new(path).arg("-v").output().ok();
        output.is_some_and(|o| String::from_utf8_lossy(&o.stderr).contains("nginx/1.31"))
    };
    [named, Some(installed)].into_iter().flatten().find(new)
}

/// Its first fault, without its place and without the folder; `None` where it accepts.
pub(crate) fn fault(nginx: &Path, folder: &Path, text: &str) -> Option<String> {
    let path = folder.join("nginx.conf");
    std::fs::create_dir_all(folder.join("logs")).unwrap();
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new(nginx);
    // A name that nobody knows is not waited for.
    command.env("RES_OPTIONS", "timeout:1 attempts:1").current_dir(folder);
    command.arg("-t").arg("-p").arg(folder).arg("-c").arg(&path).args(["-e", "stderr"]);
    let output = command.output().unwrap();
    if output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let Some((_, line)) = text.lines().find_map(|line| line.split_once("[emerg] ")) else {
        return Some(text);
    };
    let numbered = line.split_once(": ").filter(|(id, _)| id.contains('#'));
    let line = numbered.map_or(line, |(_, rest)| rest);
    let folder = folder.display().to_string();
    let place = line.rfind(&format!(" in {folder}"));
    Some(line[..place.unwrap_or(line.len())].replace(&folder, ""))
}

/// What `of` finds in each, in order, by as many threads as there are processors.
pub(crate) fn each<T: Sync, R: Send>(all: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let parts = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let share = all.len().div_ceil(parts).max(1);
    std::thread::scope(|scope| {
        let of = &of;
        let parts: Vec<_> = all
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(of).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

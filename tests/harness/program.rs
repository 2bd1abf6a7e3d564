//! Programs that people have, run as they run them.

use std::path::Path;
use std::process::Command;

/// What a program prints; `None` where it is not installed, save in CI.
pub async fn printed(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    let Ok(output) = output else {
        assert!(std::env::var("CI") != Ok("true".to_owned()), "{program} is not installed");
        eprintln!("skipped: {program} is not installed (run tests/setup.sh)");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// A program of the Python that `tests/setup.sh` installs.
pub fn python(program: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin");
    folder.join(program).display().to_string()
}

//! What is printed for people and for tools.

use std::io::{self, ErrorKind, Write};

/// Prints a text. Who no longer reads (`| head`) is owed nothing more; other faults, such as a full
/// disk, are told.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints a text where faults are told; there is nowhere to tell that this fails.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

//! What is told, and answered, where the system refuses a file.

use std::io;
use std::path::Path;

use rustix::io::Errno;
use tidegate_config::http::error_log::Level;
use tidegate_http::exchange::Exchange;
use tidegate_http::shortage;
use tidegate_http::stop::Stop;

/// The system's words for an error as nginx's log has them: `2: No such file or directory`.
pub(crate) fn words(error: Errno) -> String {
    tidegate_http::log::words::words(&io::Error::from(error))
}

/// Whether it means that there is no such file.
pub(crate) fn is_missing(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG)
}

/// Tells that `call`, `open()` or the like, has failed for a path, and says what is answered
/// (nginx: `ngx_http_static_handler`).
pub(crate) fn refused(ex: &Exchange<'_>, call: &str, path: &Path, error: Errno) -> Stop {
    if shortage::is_shortage(&error.into()) {
        return lacking(ex, &format!("{call} \"{}\" failed ({})", path.display(), words(error)));
    }
    let (level, status) = match error {
        error if is_missing(error) => (Level::Error, 404),
        Errno::ACCESS | Errno::LOOP => (Level::Error, 403),
        _ => (Level::Crit, 500),
    };
    if status != 404 || ex.location.log.not_found {
        ex.log(level, &format!("{call} \"{}\" failed ({})", path.display(), words(error)));
    }
    Stop::Status(status)
}

/// Tells that the system has nothing left to open a file by; the client may come again.
pub(crate) fn lacking(ex: &Exchange<'_>, text: &str) -> Stop {
    if let Some(text) = shortage::told(text) {
        ex.log(Level::Crit, &text);
    }
    Stop::Status(503)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_as_nginx_tells_it() {
        assert_eq!(words(Errno::NOENT), "2: No such file or directory");
        assert_eq!(words(Errno::NOTDIR), "20: Not a directory");
    }
}

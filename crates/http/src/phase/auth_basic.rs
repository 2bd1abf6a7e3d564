//! `auth_basic`: a name and a password open the door.

pub(crate) mod des;
mod md5;
mod password;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tidegate_config::http::error_log::Level;

use super::access::Verdict;
use crate::exchange::Exchange;
use crate::log::words::words;
use crate::shortage;
use crate::stop::Stop;
use crate::variable::user::credentials;

/// Asks for a name and a password of the user file, where the location says so (nginx:
/// `ngx_http_auth_basic_handler`). The file is read and the password hashed off the event loop: a
/// hash may be meant to take long. As in nginx the file is read anew each time, so that a change
/// holds from the next request on.
pub(super) async fn judge(ex: &mut Exchange<'_>) -> Result<Verdict, Stop> {
    let settings = &ex.location.auth_basic;
    let (Some(realm), Some(file)) = (&settings.realm, &settings.user_file) else {
        return Ok(Verdict::Silent);
    };
    let realm = ex.render(realm);
    if realm.as_ref() == b"off" {
        return Ok(Verdict::Silent);
    }
    let challenge = [b"Basic realm=\"", realm.as_ref(), b"\""].concat();
    let Some((name, password)) = credentials(&ex.request.headers) else {
        ex.log(Level::Info, "no user/password was provided for basic authentication");
        return Ok(Verdict::challenge(challenge));
    };
    let path = file.folder.join(OsStr::from_bytes(&ex.render(&file.path)));
    let job = {
        let (path, name) = (path.clone(), name.clone());
        tokio::task::spawn_blocking(move || check(&path, &name, &password))
    };
    let found = job.await.unwrap_or_else(|_| Err(Unreadable::broken(&path)));
    let user = String::from_utf8_lossy(&name);
    match found {
        Ok(Found::Granted) => Ok(Verdict::Granted),
        Ok(Found::Mismatch) => {
            ex.log(Level::Error, &format!("user \"{user}\": password mismatch"));
            Ok(Verdict::challenge(challenge))
        }
        Ok(Found::Nobody) => {
            let path = path.display();
            ex.log(Level::Error, &format!("user \"{user}\" was not found in \"{path}\""));
            Ok(Verdict::challenge(challenge))
        }
        Err(Unreadable { call, error, path }) => {
            let missing = call == "open" && error.kind() == io::ErrorKind::NotFound;
            let level = if missing { Level::Error } else { Level::Crit };
            let text = format!("{call}() \"{}\" failed ({})", path.display(), words(&error));
            if shortage::is_shortage(&error) {
                shortage::told(&text).inspect(|text| ex.log(Level::Crit, text));
                return Err(Stop::Status(503));
            }
            ex.log(level, &text);
            if missing { Ok(Verdict::forbidden()) } else { Err(Stop::Status(500)) }
        }
    }
}

/// What a user file says of a name and a password.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// They are there.
    Granted,
    /// The name has another password.
    Mismatch,
    /// The name is not there.
    Nobody,
}

/// A user file that cannot be read.
#[derive(Debug)]
struct Unreadable {
    call: &'static str,
    path: PathBuf,
    error: io::Error,
}

impl Unreadable {
    /// A check that has come to no end.
    fn broken(path: &Path) -> Self {
        let error = io::Error::other("the check of a password was given up");
        Self { call: "read", path: path.to_path_buf(), error }
    }
}

fn check(path: &Path, name: &[u8], password: &[u8]) -> Result<Found, Unreadable> {
    let failed = |call| move |error| Unreadable { call, path: path.to_path_buf(), error };
    let mut users = Vec::new();
    let mut file = File::open(path).map_err(failed("open"))?;
    file.read_to_end(&mut users).map_err(failed("pread"))?;
    Ok(match stored(&users, name) {
        None => Found::Nobody,
        Some(stored) if password::matches(password, stored) => Found::Granted,
        Some(_) => Found::Mismatch,
    })
}

/// The password of a name: what is between the first colon of its line and the next, or the end.
/// Lines that begin with `#` are comments.
fn stored<'a>(users: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut lines = users.split(|&byte| byte == b'\n').filter(|line| !line.starts_with(b"#"));
    let of_name = |line: &'a [u8]| line.strip_prefix(name)?.strip_prefix(b":");
    let rest = lines.find_map(of_name)?;
    rest.split(|byte| b":\r".contains(byte)).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_as_nginx_does() {
        let users = b"# x:1\n\r\nab:2\r\na:3:comment\na:4\nempty:\nlast:5";
        let of = |name: &str| stored(users, name.as_bytes()).map(String::from_utf8_lossy);
        for (name, password) in [("ab", "2"), ("a", "3"), ("empty", ""), ("last", "5")] {
            assert_eq!(of(name).unwrap(), password, "{name}");
        }
        for name in ["# x", "x", "b", "A", "las"] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn a_folder_or_nothing_is_no_user_file() {
        let folder = tempfile::tempdir().unwrap();
        let failed = |path: &Path| {
            let Unreadable { call, error, .. } = check(path, b"a", b"b").unwrap_err();
            format!("{call} {}", words(&error))
        };
        assert_eq!(failed(&folder.path().join("none")), "open 2: No such file or directory");
        assert_eq!(failed(folder.path()), "pread 21: Is a directory");
    }
}

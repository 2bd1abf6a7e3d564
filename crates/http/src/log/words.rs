//! The system's errors in nginx's words.

use std::io;

/// `13: Permission denied`; what is not the system's in its own words.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.split_once(" (os error")) {
        (Some(number), Some((words, _))) => format!("{number}: {words}"),
        _ if error.kind() == io::ErrorKind::TimedOut => "110: Connection timed out".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_first() {
        assert_eq!(words(&io::Error::from_raw_os_error(13)), "13: Permission denied");
        assert_eq!(words(&io::Error::other("strange")), "strange");
        assert_eq!(words(&io::ErrorKind::TimedOut.into()), "110: Connection timed out");
    }
}

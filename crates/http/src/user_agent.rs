//! Browsers that are treated differently, by the names they give themselves (nginx:
//! `ngx_http_process_user_agent`).

use crate::headers::Headers;

/// A browser that nginx treats differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Internet Explorer of any version.
    Msie,
    /// Opera of old.
    Opera,
    /// Firefox and its like.
    Gecko,
    /// Chrome, and all who call themselves so.
    Chrome,
    /// Safari on a Mac.
    Safari,
}

impl Browser {
    /// The browser that a request says to come from, if it is one of these.
    pub fn of(headers: &Headers) -> Option<Self> {
        let agent = headers.get("User-Agent")?;
        let find = |word: &str| memchr::memmem::find(agent, word.as_bytes());
        let has = |word: &str| find(word).is_some();
        if has("Opera") {
            return Some(Self::Opera);
        }
        if find("MSIE ").is_some_and(|at| at + 7 < agent.len()) {
            return Some(Self::Msie);
        }
        match () {
            () if has("Gecko/") => Some(Self::Gecko),
            () if has("Chrome/") => Some(Self::Chrome),
            () if has("Safari/") && has("Mac OS X") => Some(Self::Safari),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_known_by_their_names() {
        for (agent, browser) in [
            ("Mozilla/4.0 (compatible; MSIE 8.0; Windows)", Some(Browser::Msie)),
            ("Mozilla/4.0 (compatible; MSIE 6.0) Opera 9", Some(Browser::Opera)),
            ("Mozilla/5.0 Gecko/20100101 Firefox/1", Some(Browser::Gecko)),
            ("Mozilla/5.0 (KHTML, like Gecko) Chrome/120.0 Safari/537.36", Some(Browser::Chrome)),
            ("Mozilla/5.0 (Macintosh; Mac OS X) Version/17 Safari/605", Some(Browser::Safari)),
            ("Mozilla/5.0 (Linux) Safari/605", None),
            ("MSIE 8", None),
            ("curl/8", None),
        ] {
            let mut headers = Headers::new();
            headers.push("User-Agent", agent);
            assert_eq!(Browser::of(&headers), browser, "{agent}");
        }
        assert_eq!(Browser::of(&Headers::new()), None);
    }
}

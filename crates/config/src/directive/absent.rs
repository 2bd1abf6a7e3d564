//! Modules that are not built in: whose directives and variables these are, and what to do instead.
//!
//! Refused is what changes what clients get, or who gets in; what only tells or tunes is passed over.

mod nginx;
mod others;

/// A module of nginx, of its paid edition or of somebody else that is not built in.
pub(crate) struct Module {
    /// Its name, as `load_module` has it without `.so`.
    pub(crate) name: &'static str,
    /// The directives without which clients get something else; a `*` stands for any letters.
    pub(crate) refused: &'static [&'static str],
    /// The directives that are passed over, as they change nothing that clients get.
    pub(crate) passed_over: &'static [&'static str],
    /// Its variables, without `$`.
    pub(crate) variables: &'static [&'static str],
    /// What to do instead.
    pub(crate) instead: &'static str,
}

impl Module {
    /// What lacks.
    pub(crate) fn lacks(&self) -> String {
        match self.name.strip_suffix(", in part") {
            Some(module) => format!("it is not among what tidegate has of module {module}"),
            None => format!("module {} not built into tidegate", self.name),
        }
    }
}

/// All of them.
pub(crate) fn modules() -> impl Iterator<Item = &'static Module> {
    nginx::MODULES.iter().chain(others::MODULES).chain(others::FILTERS)
}

/// Whose directive this is, and whether it is passed over. The longest pattern decides.
pub(crate) fn owner(name: &str) -> Option<(&'static Module, bool)> {
    let patterns = modules().flat_map(|module| {
        let listed = |patterns: &'static [&'static str], passed_over| {
            patterns.iter().map(move |pattern| (*pattern, module, passed_over))
        };
        listed(module.refused, false).chain(listed(module.passed_over, true))
    });
    let fitting = patterns.filter(|(pattern, ..)| matches(pattern, name));
    let (_, module, passed_over) = fitting.max_by_key(|(pattern, ..)| pattern.len())?;
    Some((module, passed_over))
}

/// Whose variable this is.
pub(crate) fn owner_of_variable(name: &str) -> Option<&'static Module> {
    modules().find(|module| module.variables.iter().any(|pattern| matches(pattern, name)))
}

/// What `load_module` of a path comes to.
pub(crate) enum Loading {
    /// It is built in.
    BuiltIn,
    /// It is not.
    Absent(&'static Module),
    /// Nobody here has heard of it.
    Unknown,
}

/// What becomes of a module by the name of its file, without `.so`.
pub(crate) fn loading(name: &str) -> Loading {
    if BUILT_IN.contains(&name) {
        return Loading::BuiltIn;
    }
    let name = if name.starts_with("ngx_stream_") { "ngx_stream_module" } else { name };
    modules().find(|module| module.name == name).map_or(Loading::Unknown, Loading::Absent)
}

/// Modules that are files of their own in nginx's packages, and built in here.
const BUILT_IN: [&str; 6] = [
    "ngx_http_brotli_filter_module",
    "ngx_http_brotli_static_module",
    "ngx_http_echo_module",
    "ngx_http_headers_more_filter_module",
    "ngx_http_zstd_filter_module",
    "ngx_http_zstd_static_module",
];

/// Whether a name fits a pattern, in which a `*` stands for any letters, also none.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        assert!(matches("geoip_city", "geoip_city") && !matches("geoip_city", "geoip_city2"));
        assert!(matches("geoip2*", "geoip2") && matches("geoip2*", "geoip2_proxy"));
        assert!(matches("*_by_lua*", "content_by_lua_block"));
        assert!(matches("*_by_lua*", "set_by_lua") && !matches("*_by_lua*", "by_lua"));
        assert!(!matches("js_*", "js") && !matches("", "x"));
    }

    #[test]
    fn the_longest_pattern_says_whose_a_directive_is() {
        let of = |name| owner(name).map(|(module, passed_over)| (module.name, passed_over));
        assert_eq!(of("passenger_enabled"), Some(("ngx_http_passenger_module", false)));
        assert_eq!(of("passenger_ruby"), Some(("ngx_http_passenger_module", true)));
        assert_eq!(
            of("upload_progress_json_output"),
            Some(("ngx_http_uploadprogress_module", true))
        );
        assert_eq!(of("upload_pass"), Some(("ngx_http_upload_module", false)));
        assert_eq!(of("lisen"), None);
    }

    #[test]
    fn what_is_built_in_is_no_module_that_lacks() {
        let mut names: Vec<_> = modules().map(|module| module.name).collect();
        assert!(names.iter().all(|name| !BUILT_IN.contains(name)));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

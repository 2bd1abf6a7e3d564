//! What `-t` says of the tutorials' configurations as they stand. Their texts are not part of the
//! project: they are read from `../shared/seeds` where that is.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::process;

#[test]
fn directives_where_they_do_nothing_and_an_undefined_log_format() {
    let Some(conf) = block("000", "events {") else { return };
    let report = diagnose(&conf);
    report.says_at("keepalive_timeout 60", "\"keepalive_timeout\" directive is not allowed here");
    report.hints_at("keepalive_timeout 60", "allowed in: http, server, location");
    report.says_at("mysite1.access.log main", "unknown log format \"main\"");
    for idle in ["proxy_set_header X-Forwarded-For", "proxy_set_header Host", "proxy_redirect off"]
    {
        report.says_at(idle, "[warn]");
        report.says_at(idle, "uwsgi_pass");
    }
    if !Path::new("/etc/nginx/uwsgi_params").exists() {
        report.says_at("/etc/nginx/uwsgi_params", "[notice]");
    }
}

#[test]
fn an_upstream_by_a_wrong_name_and_buffers_of_another_protocol() {
    let Some(conf) = block("001", "upstream uwsgiapi") else { return };
    let report = diagnose(&conf);
    report.says_at("uwsgi_pass miniapi", "no port in upstream \"miniapi\"");
    report.hints_at(
        "uwsgi_pass miniapi",
        "no upstream is called `miniapi`; did you mean `uwsgiapi`?",
    );
    for idle in ["proxy_buffer_size", "proxy_buffering on", "proxy_http_version", "proxy_buffers 4"]
    {
        report.says_at(idle, "[warn]");
        report.says_at(idle, "uwsgi_pass");
    }
    report.says_at("/usr/local/nginx/conf/uwsgi_params", "[notice]");
}

#[test]
fn a_block_that_is_never_closed() {
    let Some(conf) = block("002", "upstream django {\n    server 127.0.0.1:11112") else { return };
    let report = diagnose(&conf);
    report.says("unexpected end of file, expecting \"}\"");
    let line = report.line_of("location / {");
    report.says(&format!("opened at line {line} was never closed"));
}

#[test]
fn a_unix_socket_with_three_slashes_is_no_fault() {
    let Some(conf) = block("002", "server unix:///") else { return };
    assert!(diagnose(&conf).accepted);
}

#[test]
fn a_relative_params_file_that_is_not_there_is_the_built_in_one() {
    let Some(conf) = block("003", "include uwsgi_params;") else { return };
    let report = diagnose(&conf);
    assert!(report.accepted, "{}", report.text);
    report.says_at("include uwsgi_params", "[notice]");
}

/// What was printed of a configuration.
struct Report {
    conf: String,
    accepted: bool,
    text: String,
}

impl Report {
    #[track_caller]
    fn says(&self, words: &str) {
        assert!(self.text.contains(words), "no {words:?} in\n{}", self.text);
    }

    /// A finding cites the line of these words, and says this in its first line.
    #[track_caller]
    fn says_at(&self, place: &str, words: &str) {
        let cited = format!("site.conf:{}", self.line_of(place));
        let found = self.findings().any(|finding| {
            let first = finding.lines().next().unwrap_or_default();
            first.ends_with(&cited) && finding.contains(words)
        });
        assert!(found, "no {words:?} at {cited} in\n{}", self.text);
    }

    /// The finding of the line of these words hints this.
    #[track_caller]
    fn hints_at(&self, place: &str, words: &str) {
        let cited = format!("site.conf:{}\n", self.line_of(place));
        let found = self.findings().any(|finding| {
            let hints = finding.lines().filter(|line| line.contains("= hint: "));
            finding.contains(&cited) && hints.into_iter().any(|hint| hint.contains(words))
        });
        assert!(found, "no hint of {words:?} at {cited} in\n{}", self.text);
    }

    fn findings(&self) -> impl Iterator<Item = &str> {
        self.text.split("nginx: ").map(str::trim_end)
    }

    #[track_caller]
    fn line_of(&self, words: &str) -> usize {
        let at = self.conf.lines().position(|line| line.contains(words));
        1 + at.unwrap_or_else(|| panic!("no {words:?} in the configuration"))
    }
}

/// Runs `-t` on the text as `site.conf`, within `http` unless it is a whole file.
fn diagnose(conf: &str) -> Report {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("logs")).expect("a folder");
    let around = if conf.contains("\nhttp") {
        "include site.conf;"
    } else {
        "events {} http { include site.conf; }"
    };
    std::fs::write(folder.path().join("nginx.conf"), around).expect("a file");
    std::fs::write(folder.path().join("site.conf"), conf).expect("a file");
    let output = process::command(&process::binary(), folder.path()).arg("-t").output();
    let output = output.expect("the binary can be run");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let accepted = output.status.success() || process::is_forbidden(&text);
    Report { conf: conf.to_owned(), accepted, text }
}

/// The fenced block with these words of the tutorial of this number; `None`, and a word about it,
/// where the tutorials are not at hand.
fn block(number: &str, words: &str) -> Option<String> {
    let folder = shared("seeds")?;
    let files = std::fs::read_dir(&folder).expect("a folder");
    let paths = files.map(|file| file.expect("a file").path());
    let path = paths.into_iter().find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(number))
    });
    let text = std::fs::read_to_string(path.expect("the tutorial")).expect("its text");
    let blocks = text.split("\n```").skip(1).step_by(2);
    let mut bodies = blocks.filter_map(|block| block.split_once('\n').map(|(_, body)| body));
    let body = bodies.find(|body| body.contains(words)).expect("the configuration");
    Some(format!("{body}\n"))
}

/// A folder beside the project that holds what may not be copied into it.
pub fn shared(name: &str) -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = project.join("../shared").join(name);
    if !folder.is_dir() {
        eprintln!("skipped: no ../shared/{name} beside the project");
        return None;
    }
    Some(folder)
}

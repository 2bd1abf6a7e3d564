//! The variables next to those of nginx's binary.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_config::variable::{Builtin, Variable};

/// What that binary does not have, and why.
const NOT_THERE: [(&str, &str); 8] = [
    ("connections_active", "it is built without stub_status"),
    ("connections_reading", "it is built without stub_status"),
    ("connections_waiting", "it is built without stub_status"),
    ("connections_writing", "it is built without stub_status"),
    ("http3", "it is built without HTTP/3"),
    ("slice_range", "it is built without slice"),
    ("upstream_error", "of our own"),
    ("upstream_last_addr", "the paid edition has it"),
];

/// What that binary has of modules that are not nginx's.
const THIRD_PARTY: [&str; 2] = ["echo_", "jwt_"];

/// An nginx 1.31: named by `TIDEGATE_ORACLE`, or installed by `tests/setup.sh`.
fn nginx() -> Option<PathBuf> {
    let named = std::env::var_os("TIDEGATE_ORACLE").map(PathBuf::from);
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let all = [named, Some(project.join("target/python/bin/nginx-1.31"))];
    let found = all.into_iter().flatten().find(|path| path.exists());
    if found.is_none() {
        println!("skipped: no nginx 1.31 to compare with (tests/setup.sh installs it)");
    }
    found
}

/// What nginx says of this piece of `http`.
fn verdict(nginx: &Path, http: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    let path = folder.path().join("nginx.conf");
    let sizes = "variables_hash_max_size 65536; variables_hash_bucket_size 128;";
    std::fs::write(&path, format!("events {{}} http {{ {sizes} {http} }}")).unwrap();
    let mut command = Command::new(nginx);
    command.arg("-t").arg("-p").arg(folder.path()).arg("-c").arg(&path);
    let output = command.args(["-e", "stderr"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().find(|line| line.contains("[emerg]")).unwrap_or_default().to_owned()
}

/// Those that `set` may change, so that it says nothing of them.
const CHANGEABLE: [&str; 24] = [
    "ancient_browser",
    "args",
    "content_length",
    "content_type",
    "host",
    "hostname",
    "invalid_referer",
    "limit_rate",
    "modern_browser",
    "msie",
    "proxy_host",
    "proxy_port",
    "remote_addr",
    "request_body",
    "request_method",
    "scheme",
    "ssl_client_i_dn_legacy",
    "ssl_client_s_dn_legacy",
    "ssl_client_sigalg",
    "ssl_ech_outer_server_name",
    "ssl_ech_status",
    "ssl_sigalg",
    "ssl_sigalgs",
    "uid_reset",
];

#[test]
fn variables_that_may_be_changed_are_known() {
    let unknown = CHANGEABLE.iter().filter(|name| Variable::find(name).is_none());
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn nginx_has_every_variable_that_is_listed() {
    let Some(nginx) = nginx() else { return };
    let elsewhere = |name: &&&str| !NOT_THERE.iter().any(|(known, _)| *known == **name);
    let names: Vec<String> =
        Builtin::NAMES.iter().filter(elsewhere).map(|name| format!("${name}")).collect();
    let found = verdict(&nginx, &format!("log_format all '{}';", names.join(" ")));
    assert_eq!(found, "");
    for (name, why) in NOT_THERE {
        let found = verdict(&nginx, &format!("log_format one '${name}';"));
        assert!(found.contains("unknown"), "${name} is there, so it is not true that {why}");
    }
}

#[test]
fn every_variable_of_nginxs_is_known() {
    let Some(nginx) = nginx() else { return };
    let binary = std::fs::read(&nginx).unwrap();
    let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let mut names = BTreeSet::new();
    for text in binary.split(|byte| !word(byte)).filter(|text| (3..=60).contains(&text.len())) {
        let mut text = std::str::from_utf8(text).unwrap();
        // A linker lets a text end within a longer one.
        loop {
            names.insert(text);
            let Some((_, rest)) = text.split_once('_') else { break };
            text = rest;
        }
    }
    let strange = |name: &&str| {
        name.len() > 2
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && Variable::find(name).is_none()
            // What nginx keeps for itself between two of its functions.
            && !name.contains("_internal_")
            && !THIRD_PARTY.iter().any(|prefix| name.starts_with(prefix))
    };
    // `set` refuses what is nginx's own, but for what may be changed.
    let mut server = String::new();
    for name in names.into_iter().filter(strange) {
        let _ = writeln!(server, "set ${name} x;");
    }
    assert!(server.len() > 10_000, "no words in {}", nginx.display());
    assert_eq!(verdict(&nginx, &format!("server {{ {server} }}")), "");
}

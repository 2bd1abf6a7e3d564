//! Generated configurations, whole ones and such with one edit, next to nginx's own `-t`: both accept
//! or both refuse.
//!
//! A thousand are tried, some seconds; `TIDEGATE_CONFIGS=20000` tries as many, `TIDEGATE_SEED` others.
//! What disagrees is printed with the seed, and `TIDEGATE_SEED=… TIDEGATE_CONFIGS=…` makes it again.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "nginx/generate.rs"]
mod generate;

use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_config::directive::Effect;
use tidegate_config::directive::reference::declarations;
use tidegate_config::{Options, load};

use generate::{Dice, TABLE, directives, several, single, whole};

/// Where we differ on purpose: a piece of a fault or of the statement, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("host not found in", "a name that does not resolve yet is no fault"),
    ("directive is not supported", "refused with the reason rather than passed over"),
    ("read() \"", "keys are read where a handshake needs them"),
    ("open() \"", "logs and keys are opened by the server, not where the file is read"),
    ("SSL_CTX_set_cipher_list(", UNUSED),
    ("SSL_CONF_cmd(", UNUSED),
    ("SSL_CTX_set1_curves_list(", UNUSED),
    ("worker_processes 0", "nobody would serve"),
    ("_cache\" zone \"", "answers are not kept yet, nor are zones"),
    ("the same path name", "answers are not kept yet, and no folder is written to"),
    ("zero size shared memory zone", "groups are shared without a zone of their own"),
    ("\"transparent\" is not supported", "connections are made from an address of this machine"),
    ("in OCSP responder", "a URL is judged where nobody is asked, too"),
    ("ssl_certificate_key $", "variables are judged where nothing is encrypted, too"),
    ("bind() to", "ports are tried by the server, not where the file is read"),
    ("unknown directive \"xslt_", BY_MODULE),
    ("unknown directive \"mp4_", BY_MODULE),
    ("unknown directive \"image_filter_", BY_MODULE),
    ("could not build types_hash", "tables grow as needed"),
    ("proxy_cookie_flags a nice", "nginx passes over a flag that nobody knows"),
    ("ssl_certificate_key ^", "variables are judged where nothing is encrypted, too"),
    ("\"fastcgi_split_path_info\" directive is duplicate", TWICE),
    ("\"mirror\" directive is duplicate", "a second `off` says the same"),
    ("ENGINE_by_id(", "no device is used"),
    ("should be placed after the \"proxy_pass\"", "the order of the two is of no matter"),
    ("\"modern_browser_value\" directive is duplicate", TWICE),
    ("\"ancient_browser_value\" directive is duplicate", TWICE),
];

const BY_MODULE: &str = "a filter that is not built in is passed over by its module's name";
const TWICE: &str = "a value that another one takes the place of is told";
const UNUSED: &str = "what TLS cannot use is told where nothing is encrypted, too";

#[test]
fn nginx_accepts_and_refuses_the_same() {
    let Some(nginx) = nginx() else {
        println!("skipped: no nginx 1.31 to compare with (tests/setup.sh installs it)");
        return;
    };
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed = number("TIDEGATE_SEED").unwrap_or(31);
    let count = number("TIDEGATE_CONFIGS").unwrap_or(1000);
    let directives = directives();
    let mut dice = Dice(seed);
    let texts: Vec<String> = (0..count)
        .map(|_| {
            if dice.one_in(3) {
                several(&directives, &mut dice)
            } else {
                single(&directives, &mut dice)
            }
        })
        .collect();
    let parts = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let share = texts.len().div_ceil(parts).max(1);
    let mut unlike: Vec<String> = std::thread::scope(|scope| {
        let nginx = &nginx;
        let parts: Vec<_> = texts
            .chunks(share)
            .map(|part| scope.spawn(move || disagreements(nginx, part)))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    unlike.sort();
    assert!(
        unlike.is_empty(),
        "{} of {count} of seed {seed}:\n{}",
        unlike.len(),
        unlike.join("\n")
    );
}

fn disagreements(nginx: &Path, texts: &[String]) -> Vec<String> {
    let idle: Vec<String> = declarations()
        .into_iter()
        .filter(|declared| matches!(declared.effect, Effect::Ignored(_)))
        .map(|declared| declared.name)
        .collect();
    let mut unlike = Vec::new();
    for text in texts {
        // A folder of its own: what one leaves there would be another's.
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let theirs = fault_of_nginx(nginx, folder.path(), text);
        let ours = fault_of_ours(folder.path(), text);
        let meant = |fault: &Option<String>| {
            let said = fault.as_deref().unwrap_or_default();
            let twice = said.split_once("\" directive is duplicate");
            let twice = twice.and_then(|(before, _)| before.rsplit('"').next());
            // Twice the same of what has no effect: either is passed over.
            twice.is_some_and(|name| idle.iter().any(|idle| idle == name))
                || DIFFERENCES.iter().any(|(piece, _)| said.contains(piece))
                || is_not_built(said)
        };
        let frame = whole(&Default::default());
        let frame: Vec<&str> = frame.lines().collect();
        let own: Vec<&str> = text.lines().filter(|line| !frame.contains(line)).collect();
        let own = own.join(" | ");
        if theirs.is_some() != ours.is_some()
            && !meant(&theirs)
            && !meant(&ours)
            && !meant(&Some(own.clone()))
        {
            let words = |fault: Option<String>| fault.unwrap_or_else(|| "accepted".to_owned());
            unlike.push(format!("{own}\n   nginx: {}\n   ours:  {}", words(theirs), words(ours)));
        }
    }
    unlike
}

/// Whether nginx does not know what its own tables have: that program was built without it.
fn is_not_built(fault: &str) -> bool {
    let name = fault.split("unknown directive \"").nth(1).and_then(|rest| rest.split('"').next());
    name.is_some_and(|name| TABLE.lines().any(|line| line.split('\t').nth(1) == Some(name)))
}

fn fault_of_ours(folder: &Path, text: &str) -> Option<String> {
    let path = folder.join("nginx.conf");
    std::fs::write(&path, text).unwrap();
    let loaded = load(&path, &Options { prefix: folder.to_path_buf(), ..Options::default() });
    let mut faults = loaded.diagnostics.iter().filter(|found| found.severity.word() == "emerg");
    let first = || faults.next().map(|fault| fault.message.clone()).unwrap_or_default();
    loaded.config.is_none().then(first)
}

fn fault_of_nginx(nginx: &Path, folder: &Path, text: &str) -> Option<String> {
    let path = folder.join("nginx.conf");
    std::fs::write(&path, text).unwrap();
    let mut command = Command::new(nginx);
    // A name that nobody knows is not waited for.
    command.env("RES_OPTIONS", "timeout:1 attempts:1").current_dir(folder);
    command.arg("-t").arg("-p").arg(folder).arg("-c").arg(&path).args(["-e", "stderr"]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let fault = text.lines().find(|line| line.contains("[emerg]")).unwrap_or(&text).to_owned();
    (!output.status.success()).then_some(fault)
}

/// An nginx 1.31: named by `TIDEGATE_ORACLE`, or installed by `tests/setup.sh`.
fn nginx() -> Option<PathBuf> {
    let named = std::env::var_os("TIDEGATE_ORACLE").map(PathBuf::from);
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let installed = project.join("target/python/bin/nginx-1.31");
    let new = |path: &PathBuf| {
        let output = Command::new(path).arg("-v").output().ok();
        output.is_some_and(|o| String::from_utf8_lossy(&o.stderr).contains("nginx/1.31"))
    };
    [named, Some(installed)].into_iter().flatten().find(new)
}

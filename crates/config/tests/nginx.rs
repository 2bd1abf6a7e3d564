//! Generated configurations, whole ones and such with one edit, next to nginx's own `-t`: both accept
//! or both refuse.
//!
//! A thousand are tried, some seconds; `TIDEGATE_CONFIGS=20000` tries as many, `TIDEGATE_SEED` others.
//! What disagrees is printed with the seed, and `TIDEGATE_SEED=… TIDEGATE_CONFIGS=…` makes it again.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "nginx/generate.rs"]
mod generate;
#[path = "nginx/oracle.rs"]
mod oracle;

use std::path::Path;

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
    ("in OCSP responder", "a URL is judged where nobody is asked, too"),
    ("ssl_certificate_key $", "variables are judged where nothing is encrypted, too"),
    ("bind() to", "ports are tried by the server, not where the file is read"),
    ("could not build types_hash", "tables grow as needed"),
    ("ssl_certificate_key ^", "variables are judged where nothing is encrypted, too"),
    ("ENGINE_by_id(", "no device is used"),
];

const UNUSED: &str = "what TLS cannot use is told where nothing is encrypted, too";

#[test]
fn nginx_accepts_and_refuses_the_same() {
    let Some(nginx) = oracle::nginx() else {
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
    let idle: Vec<String> = declarations()
        .into_iter()
        .filter(|declared| matches!(declared.effect, Effect::Ignored(_)))
        .map(|declared| declared.name)
        .collect();
    let unlike = oracle::each(&texts, |text| disagreement(&nginx, text, &idle));
    let mut unlike: Vec<String> = unlike.into_iter().flatten().collect();
    unlike.sort();
    assert!(
        unlike.is_empty(),
        "{} of {count} of seed {seed}:\n{}",
        unlike.len(),
        unlike.join("\n")
    );
}

fn disagreement(nginx: &Path, text: &str, idle: &[String]) -> Option<String> {
    // A folder of its own: what one leaves there would be another's.
    let folder = tempfile::tempdir().unwrap();
    let theirs = oracle::fault(nginx, folder.path(), text);
    let ours = fault_of_ours(folder.path(), text);
    if theirs.is_some() == ours.is_some() {
        return None;
    }
    let frame = whole(&Default::default());
    let frame: Vec<&str> = frame.lines().collect();
    let own: Vec<&str> = text.lines().filter(|line| !frame.contains(line)).collect();
    let own = own.join(" | ");
    let meant = |said: &str| {
        let twice = said.split_once("\" directive is duplicate");
        let twice = twice.and_then(|(before, _)| before.rsplit('"').next());
        // Twice the same of what has no effect: either is passed over.
        twice.is_some_and(|name| idle.iter().any(|idle| idle == name))
            || DIFFERENCES.iter().any(|(piece, _)| said.contains(piece))
            || is_not_built(said)
    };
    let (theirs, ours) = (theirs.as_deref(), ours.as_deref());
    if meant(theirs.unwrap_or_default()) || meant(ours.unwrap_or_default()) || meant(&own) {
        return None;
    }
    let words = |fault: Option<&str>| fault.unwrap_or("accepted").to_owned();
    Some(format!("{own}\n   nginx: {}\n   ours:  {}", words(theirs), words(ours)))
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

//! Real configurations of public repositories: each that nginx accepts is accepted, once what it
//! speaks of exists. They are read from `../shared/corpus` where that is.

mod surroundings;

use std::path::Path;

use surroundings::Surroundings;

use crate::seeds::shared;

/// These speak to modules of third parties, which nginx's own binary does not know either.
const THIRD_PARTY: [&str; 3] =
    ["lua_package_path", "lua_shared_dict", "ssl_certificate_by_lua_block"];

#[test]
fn what_nginx_accepts_is_accepted() {
    let Some(folder) = shared("corpus") else { return };
    let index = std::fs::read_to_string(folder.join("index.tsv")).expect("the index");
    let mut refused = Vec::new();
    let mut count = 0;
    for line in index.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, _, _, _, level, _, verdict, fault] = columns[..] else { panic!("{line}") };
        let foreign = THIRD_PARTY.iter().any(|word| fault.contains(word));
        if verdict == "refused" || foreign {
            continue;
        }
        count += 1;
        if let Err(why) = accepted(&folder.join(name), level) {
            refused.push(format!("{name} ({level}, {verdict}):\n{why}"));
        }
    }
    assert!(count > 200, "only {count} configurations in the index");
    let all = refused.join("\n");
    assert!(refused.is_empty(), "{} of {count} are refused:\n{all}", refused.len());
}

/// Supplies what `-t` misses until it misses nothing more.
fn accepted(path: &Path, level: &str) -> Result<(), String> {
    let text = std::fs::read(path).map_err(|why| why.to_string())?;
    let mut surroundings = Surroundings::of(&String::from_utf8_lossy(&text), level);
    loop {
        let (accepted, printed) = surroundings.check();
        if accepted {
            return Ok(());
        }
        if !surroundings.supply(&printed) {
            return Err(printed);
        }
    }
}

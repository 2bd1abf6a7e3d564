//! No configuration makes the judge of directives panic, nor what resolves levels, nor a lint.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_config::{Options, load};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    // Of this machine's files only the configuration itself is read, which makes a cycle.
    let text = text.replace("include", "include nginx.conf; #");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, format!("events {{}} http {{ server {{ {text}\n}} }}").as_bytes())
        .expect("a file");
    let options = Options { prefix: folder.path().to_path_buf(), ..Options::default() };
    load(&path, &options).messages();
});

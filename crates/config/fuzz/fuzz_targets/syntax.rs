//! No text makes the reader of configurations panic, nor the writer of its findings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_config::diagnostic::Diagnostics;
use tidegate_config::source::Sources;
use tidegate_config::syntax::parse;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    parse("nginx.conf", &text, &mut sources, &mut diagnostics);
    diagnostics.render(&sources);
});

//! No expression and no subject make the engine panic or hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_config::value::regex::{Captures, Effort, Regex};

fuzz_target!(|input: (&str, bool, &[u8])| {
    let (pattern, caseless, subject) = input;
    if let Ok(regex) = Regex::new(pattern, caseless) {
        _ = regex.captures(subject, &mut Captures::default(), &mut Effort::default());
    }
});

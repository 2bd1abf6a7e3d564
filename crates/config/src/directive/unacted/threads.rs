//! `thread_pool` and `aio threads`: pools by name, which nobody here uses.

use super::{Cx, Fault, Template, Word, number};

/// A name, and `threads=` (nginx: `ngx_thread_pool`, which passes over words it does not know).
pub(super) fn pool(words: &[Word], cx: &mut Cx<'_>) -> Result<(), Fault> {
    let Some((name, rest)) = words.split_first() else { return Ok(()) };
    cx.names.pools.define(&name.text).map_err(|fault| fault.at(name.span))?;
    let mut threads = false;
    for word in rest {
        let invalid = |what: &str| {
            Fault::sentence(format!("invalid {what} value \"{}\"", word.text)).at(word.span)
        };
        if let Some(text) = word.text.strip_prefix("threads=") {
            let number = number::parse(text).filter(|number| *number > 0);
            threads = number.ok_or_else(|| invalid("threads")).map(|_| true)?;
        } else if let Some(text) = word.text.strip_prefix("max_queue=") {
            number::parse(text).ok_or_else(|| invalid("max_queue"))?;
        }
    }
    if threads {
        return Ok(());
    }
    let text = "\"thread_pool\" must have \"threads\" parameter";
    Err(Fault::sentence(text).hint("say how many: threads=32"))
}

/// `on`, `off`, `threads` or `threads=` and a pool's name.
pub(super) fn aio(words: &[Word], cx: &mut Cx<'_>) -> Result<(), Fault> {
    let Some(word) = words.first() else { return Ok(()) };
    if matches!(word.text.as_str(), "on" | "off" | "threads") {
        return Ok(());
    }
    let Some(name) = word.text.strip_prefix("threads=") else {
        let hint = "one of: on, off, threads, threads=NAME";
        return Err(Fault::phrase("invalid value").at(word.span).hint(hint));
    };
    if name.contains('$') {
        return Template::compile_text(name, word, cx).map(|_| ());
    }
    cx.names.pools.use_one(name, word.span);
    Ok(())
}

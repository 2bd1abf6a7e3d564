//! Whether the servers of an address say alike what is spoken there (nginx:
//! `ngx_http_add_addresses`).

use crate::http::listen::ListenOptions;

/// What the `listen`s of an address have said so far, one after the other.
#[derive(Debug, Default)]
pub(super) struct Protocols {
    /// What was said at least, once several have spoken.
    said: Option<u8>,
    /// Whether one said other things than those before it.
    changed: bool,
}

impl Protocols {
    /// Whether a further `listen` redefines what those before it, joined, have said.
    pub(super) fn differ(&mut self, before: &ListenOptions, now: &ListenOptions) -> bool {
        let (old, new) = (spoken(before), spoken(now));
        let other = self.said.is_some_and(|said| said != new);
        if old | new != old {
            let differ = (before.bind && !now.bind) || self.changed || old | new != new;
            (self.said, self.changed) = (Some(old), true);
            return differ;
        }
        if old | new != new {
            (self.said, self.changed) = (Some(new), true);
            return now.bind || other;
        }
        let differ = (now.bind && self.changed) || other;
        self.said = Some(new);
        differ
    }
}

/// What is spoken, as bits.
fn spoken(options: &ListenOptions) -> u8 {
    let all = [options.proxy_protocol, options.ssl, options.http2, options.quic];
    all.iter().enumerate().map(|(bit, on)| u8::from(*on) << bit).sum()
}

//! `set_real_ip_from 0.0.0.0/0`: every client may say where it comes from.

use super::{Check, Level, Rule, first_of, warn};
use crate::diagnostic::Diagnostics;

/// The rule.
pub(super) const RULE: Rule = Rule {
    name: "client-address",
    title: "A client is believed when it says what its address is",
    danger: "With `set_real_ip_from 0.0.0.0/0`, or with `X-Forwarded-For` sent on as it came, anyone passes `allow`, limits and logs under an address of their choice.",
    mend: "Trust the proxies in front alone, and send on `$proxy_add_x_forwarded_for` and `$remote_addr`.",
    example: "server { set_real_ip_from 0.0.0.0/0; real_ip_header X-Forwarded-For; }",
    mended: "server { set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For; }",
    check: Check::Level(check),
};

/// Fields that applications take for the client's address.
const ADDRESSES: [&str; 3] = ["x-forwarded-for", "x-real-ip", "x-client-ip"];

/// Looks for networks that hold every client, and for addresses sent on as the client gave them.
fn check(level: &Level<'_>, diagnostics: &mut Diagnostics) {
    for from in level.all("set_real_ip_from") {
        if matches!(first_of(from), "0.0.0.0/0" | "::/0" | "0/0") {
            let text = "every client is believed when it says what its address is";
            let hint = "name the proxies in front alone; allow, deny and logs go by this address";
            warn(diagnostics, from, text, hint);
        }
    }
    for set in level.all("proxy_set_header") {
        let value = set.args.get(1).map(|word| word.text.as_str()).unwrap_or_default();
        let field = first_of(set).to_ascii_lowercase();
        let given =
            matches!(value, "$http_x_forwarded_for" | "$http_x_real_ip" | "$http_x_client_ip");
        if given && ADDRESSES.contains(&field.as_str()) {
            let text = "the application is told whatever address the client makes up";
            let own = if field == "x-forwarded-for" {
                "$proxy_add_x_forwarded_for"
            } else {
                "$remote_addr"
            };
            let hint = format!("write: proxy_set_header {} {own};", first_of(set));
            warn(diagnostics, set, text, hint);
        }
    }
}

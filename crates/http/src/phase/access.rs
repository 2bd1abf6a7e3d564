//! access: who may ask.

use tidegate_config::http::access::Rule;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::satisfy::SatisfyRule;

use crate::client::Endpoint;
use crate::exchange::Exchange;
use crate::stop::Stop;

/// Lets the request in, or ends it with 403 (nginx: the phase `ACCESS`). What `auth_basic`
/// or `auth_request` guards is closed to all, for neither is asked yet.
pub fn run(ex: &mut Exchange<'_>) -> Result<(), Stop> {
    let location = ex.location;
    let allowed = decide(&location.access.rules, &ex.remote);
    let needs_password = match &location.auth_basic.realm {
        Some(realm) => ex.render(realm).as_ref() != b"off",
        None => location.auth_request.uri.is_some(),
    };
    let in_any_way = location.satisfy.rule == SatisfyRule::Any;
    match allowed {
        Some(true) if in_any_way => Ok(()),
        Some(false) if !(in_any_way && needs_password) => {
            ex.log(Level::Error, "access forbidden by rule");
            Err(Stop::Status(403))
        }
        _ if needs_password => {
            let message =
                "auth_basic or auth_request guards this location, and neither is asked yet";
            ex.log(Level::Error, message);
            Err(Stop::Status(403))
        }
        _ => Ok(()),
    }
}

/// What the first rule that is about this client says.
fn decide(rules: &[Rule], client: &Endpoint) -> Option<bool> {
    let is_about = |rule: &&Rule| match client {
        Endpoint::Ip(address) => rule.who.contains(address.ip()),
        Endpoint::Unix(_) => rule.who.contains_unix(),
    };
    rules.iter().find(is_about).map(|rule| rule.allow)
}

#[cfg(test)]
mod tests {
    use crate::testing::outcome;

    #[test]
    fn the_first_rule_about_the_client_decides() {
        for (rules, expected) in [
            ("", "content /"),
            ("deny all;", "status 403"),
            ("allow 192.0.2.0/24; deny all;", "content /"),
            ("deny 192.0.2.1; allow all;", "status 403"),
            ("deny 10.0.0.0/8;", "content /"),
            ("auth_basic x;", "status 403"),
            ("auth_basic off;", "content /"),
            ("satisfy any; allow 192.0.2.1; deny all; auth_basic x;", "content /"),
        ] {
            let server = format!("server {{ location / {{ {rules} }} }}");
            assert_eq!(outcome(&server, "GET /"), expected, "{rules}");
        }
    }
}

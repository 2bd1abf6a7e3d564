//! What the statements of one level, and levels within each other, may say together.

use super::{Location, LocationDraft, LocationName};
use crate::directive::{Arguments, Cx, Fault, Nesting};
use crate::http::mirror::MirrorUri;
use crate::http::pass::{Destination, Pass, Protocol};
use crate::http::proxy::{CookieRewrite, Redirect};
use crate::names::zone::ZoneId;
use crate::syntax::Statement;

impl LocationDraft {
    /// Judges a directive by those before it at its level, which it has just been added to.
    pub(super) fn check(&self, args: &Arguments<'_>) -> Result<(), Fault> {
        let proxy = &self.written.proxy;
        match args.name.text.as_str() {
            "limit_req" | "limit_conn" => self.check_zones(args),
            "alias" if matches!(self.name, LocationName::Named(_)) => {
                let text = "the \"alias\" directive cannot be used inside the named location";
                Err(Fault::sentence(text)
                    .at(args.name.span)
                    .hint("there is no name in the URI that a folder could stand for: use `root`"))
            }
            "mirror" => alone(self.written.mirror.uris.iter().map(|uri| *uri == MirrorUri::Off)),
            "proxy_redirect" => {
                let off = |rule: &Redirect| matches!(rule, Redirect::Off);
                alone(proxy.redirect.iter().map(off))?;
                self.check_redirect(args)
            }
            "proxy_cookie_domain" | "proxy_cookie_path" => {
                let domain = args.name.text == "proxy_cookie_domain";
                let rules = if domain { &proxy.cookie_domain } else { &proxy.cookie_path };
                alone(rules.iter().map(|rule| matches!(rule, CookieRewrite::Off)))
            }
            "proxy_cookie_flags" => {
                alone(proxy.cookie_flags.iter().map(|one| one.cookie.is_none()))
            }
            name => match name.split_once('_') {
                Some((family, rest @ ("store" | "cache"))) => self.check_kept(family, rest),
                _ => Ok(()),
            },
        }
    }

    /// An answer is kept in one way (nginx: `ngx_http_proxy_store`, `ngx_http_proxy_cache`).
    fn check_kept(&self, family: &str, said: &str) -> Result<(), Fault> {
        let written = &self.written;
        let (store, cache) = match family {
            "proxy" => (&written.proxy_store, &written.proxy_cache),
            "uwsgi" => (&written.uwsgi_store, &written.uwsgi_cache),
            "fastcgi" => (&written.fastcgi_store, &written.fastcgi_cache),
            "scgi" => (&written.scgi_store, &written.scgi_cache),
            _ => return Ok(()),
        };
        let stored = store.path.as_ref().is_some_and(Option::is_some);
        let zone = cache.cache.as_ref().and_then(Option::as_ref);
        let cached = zone.is_some_and(|words| words.first().is_some_and(|word| word != "off"));
        if !(stored && cached) {
            return Ok(());
        }
        let other = if said == "store" { "cache" } else { "store" };
        Err(Fault::phrase(format!("is incompatible with \"{family}_{other}\""))
            .hint("keep one of the two: a store never forgets, a cache does"))
    }

    /// `default` needs to know what is asked (nginx: `ngx_http_proxy_redirect`).
    fn check_redirect(&self, args: &Arguments<'_>) -> Result<(), Fault> {
        if !matches!(self.written.proxy.redirect.last(), Some(Redirect::Default)) {
            return Ok(());
        }
        let fault = |text: &'static str, hint: &str| {
            Err(Fault::sentence(text).at(args.name.span).hint(hint))
        };
        match &self.written.pass.to {
            Some(Some(Pass { protocol: Protocol::Http, to: Destination::Variable(_), .. })) => {
                fault(
                    "\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with variables",
                    "say what becomes what: proxy_redirect http://upstream:port/ /;",
                )
            }
            Some(Some(Pass { protocol: Protocol::Http, .. })) => Ok(()),
            _ => fault(
                "\"proxy_redirect default\" should be placed after the \"proxy_pass\" directive",
                "move it behind the `proxy_pass` of the same block; where nothing is said, `default` holds",
            ),
        }
    }

    /// A zone is named once at a level (nginx: `ngx_http_limit_req`, `ngx_http_limit_conn`).
    fn check_zones(&self, args: &Arguments<'_>) -> Result<(), Fault> {
        let zones: Vec<ZoneId> = match args.name.text.as_str() {
            "limit_req" => self.written.limit_req.limits.iter().map(|limit| limit.zone).collect(),
            "limit_conn" => self.written.limit_conn.limits.iter().map(|limit| limit.zone).collect(),
            _ => return Ok(()),
        };
        match zones.split_last() {
            Some((last, before)) if before.contains(last) => Err(Fault::duplicate()),
            _ => Ok(()),
        }
    }

    /// nginx: `ngx_http_core_location`, and the check for duplicates when the tree is made.
    pub(super) fn check_nesting(
        &self,
        name: &LocationName,
        statement: &Statement,
        cx: &mut Cx<'_>,
    ) -> Result<(), Fault> {
        let text = name.text();
        let span = statement.name.span;
        if name.unique().is_some_and(|name| self.names.contains(&name)) {
            let words = format!("duplicate location \"{text}\"");
            if let LocationName::Named(_) = name {
                cx.warn(words, span, "requests go to the one above; take this one away");
            } else {
                return Err(Fault::sentence(words)
                    .at(span)
                    .hint("put what the two say into one, or name one otherwise"));
            }
        }
        let outer = self.name.text();
        let fault = |words: String| Err(Fault::sentence(words).at(span));
        match (&self.name, name) {
            (LocationName::None, _) => Ok(()),
            (LocationName::Exact(_), _) => fault(format!(
                "location \"{text}\" cannot be inside the exact location \"{outer}\""
            )),
            (LocationName::Named(_), _) => fault(format!(
                "location \"{text}\" cannot be inside the named location \"{outer}\""
            )),
            (_, LocationName::Named(_)) => {
                fault(format!("named location \"{text}\" can be on the server level only"))
            }
            // nginx compares with the words of an expression, too.
            (_, inner) => match inner.literal() {
                Some(literal) if !literal.starts_with(outer.as_bytes()) => {
                    fault(format!("location \"{text}\" is outside location \"{outer}\""))
                }
                _ => Ok(()),
            },
        }
    }

    /// nginx: a URI in `proxy_pass` stands for the location's name, so there must be one.
    pub(super) fn check_pass(&self, location: &Location, nesting: Nesting) -> Result<(), Fault> {
        let Some(Some(pass)) = &self.written.pass.to else {
            return Ok(());
        };
        let nameless = nesting == Nesting::Condition
            || matches!(location.name, LocationName::Regex(_) | LocationName::Named(_));
        if let Destination::Group { uri: Some(_), .. } = &pass.to
            && nameless
        {
            return Err(Fault::sentence(
                "\"proxy_pass\" cannot have URI part in location given by regular expression, \
                 or inside named location, or inside \"if\" statement, or inside \"limit_except\" block",
            )
            .hint("leave the path away, also a single slash; or write it with a variable"));
        }
        Ok(())
    }
}

/// `off` stands alone at a level: neither behind another one nor before it.
fn alone(off: impl ExactSizeIterator<Item = bool>) -> Result<(), Fault> {
    let count = off.len();
    if count > 1 && off.into_iter().any(|off| off) {
        return Err(Fault::duplicate());
    }
    Ok(())
}

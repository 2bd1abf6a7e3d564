//! Zones of memory by name, each for one use.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Diagnostics, suggest};
use crate::directive::Fault;
use crate::source::Span;
use crate::syntax::Word;
use crate::value::size::Size;

/// The smallest zone, in bytes (nginx: eight pages).
pub const SMALLEST: u64 = 8 * 4096;

/// What a zone holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneUse {
    /// How often clients have asked (`limit_req_zone`).
    Requests,
    /// How many connections clients have (`limit_conn_zone`).
    Connections,
    /// Sessions of TLS (`ssl_session_cache`).
    Sessions,
    /// What authorities say of certificates (`ssl_ocsp_cache`).
    Statuses,
    /// The members of groups (`zone`).
    Group,
    /// Which member a client is kept with (`sticky learn`).
    Learnt,
    /// Answers, of the protocol of this name (`proxy_cache_path`).
    Answers(&'static str),
}

impl ZoneUse {
    /// The directive that defines such a zone.
    fn directive(self) -> String {
        match self {
            Self::Requests => "limit_req_zone".to_owned(),
            Self::Connections => "limit_conn_zone".to_owned(),
            Self::Sessions => "ssl_session_cache".to_owned(),
            Self::Statuses => "ssl_ocsp_cache".to_owned(),
            Self::Group => "zone".to_owned(),
            Self::Learnt => "sticky".to_owned(),
            Self::Answers(family) => format!("{family}_cache_path"),
        }
    }
}

/// The number of a zone among those of its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ZoneId(pub usize);

/// The zones that are defined, or asked for.
#[derive(Debug, Default)]
pub struct ZoneNames {
    zones: Vec<ZoneName>,
    by_name: HashMap<String, usize>,
}

#[derive(Debug)]
struct ZoneName {
    name: String,
    held: ZoneUse,
    id: ZoneId,
    used: Span,
    /// Its size in bytes, once it is defined.
    size: Option<u64>,
    /// What it counts by, as written.
    key: Option<String>,
}

impl ZoneNames {
    /// A zone that is asked for.
    pub fn zone(&mut self, held: ZoneUse, name: &str, at: Span) -> Result<ZoneId, Fault> {
        self.known(held, name, at).map(|zone| zone.id)
    }

    fn known(&mut self, held: ZoneUse, name: &str, at: Span) -> Result<&mut ZoneName, Fault> {
        let known = self.by_name.get(name).copied();
        let place = known.unwrap_or(self.zones.len());
        if known.is_none() {
            let id = ZoneId(self.zones.iter().filter(|zone| zone.held == held).count());
            let name = name.to_owned();
            self.by_name.insert(name.clone(), place);
            self.zones.push(ZoneName { name, held, id, used: at, size: None, key: None });
        }
        let other = |zone: Option<&ZoneName>| {
            let text = format!(
                "the shared memory zone \"{name}\" is already declared for a different use"
            );
            let first = zone.map_or(String::new(), |zone| zone.held.directive());
            let hint = format!("it is of `{first}`; give this one another name");
            Fault::sentence(text).at(at).hint(hint)
        };
        match self.zones.get_mut(place) {
            Some(zone) if zone.held == held => Ok(zone),
            zone => Err(other(zone.as_deref())),
        }
    }

    /// Defines a zone of so many bytes; whether it was defined before. Who says another size than
    /// before is refused.
    pub fn define(
        &mut self,
        held: ZoneUse,
        name: &str,
        size: u64,
        at: Span,
    ) -> Result<(ZoneId, bool), Fault> {
        let zone = self.known(held, name, at)?;
        match zone.size.replace(size) {
            Some(before) if before != size => {
                zone.size = Some(before);
                let text = format!(
                    "the size {size} of shared memory zone \"{name}\" conflicts with already \
                     declared size {before}"
                );
                let hint = "say the same size everywhere, or give the zones names of their own";
                Err(Fault::sentence(text).at(at).hint(hint))
            }
            before => Ok((zone.id, before.is_some())),
        }
    }

    /// What a zone counts by; it may be said once.
    pub fn bind(&mut self, held: ZoneUse, id: ZoneId, key: &str) -> Result<(), String> {
        let mut same = self.zones.iter_mut();
        let Some(zone) = same.find(|zone| zone.held == held && zone.id == id) else {
            return Ok(());
        };
        if let Some(before) = &zone.key {
            return Err(before.clone());
        }
        zone.key = Some(key.to_owned());
        Ok(())
    }

    /// Says what is used and not defined.
    pub(crate) fn finish(&self, diagnostics: &mut Diagnostics) {
        for zone in self.zones.iter().filter(|zone| zone.size.is_none()) {
            let text = match zone.held {
                ZoneUse::Answers(family) => {
                    format!("\"{family}_cache\" zone \"{}\" is unknown", zone.name)
                }
                _ => format!("zero size shared memory zone \"{}\"", zone.name),
            };
            let same = |other: &&ZoneName| other.size.is_some() && other.held == zone.held;
            let defined = self.zones.iter().filter(same).map(|other| other.name.as_str());
            let hint = match (zone.held, suggest(&zone.name, defined)) {
                (_, Some(near)) => format!("did you mean `{near}`?"),
                (ZoneUse::Group, None) => {
                    format!(
                        "one of the groups that share it says its size: zone {} 64k;",
                        zone.name
                    )
                }
                (held, None) => format!("no `{}` in http defines this zone", held.directive()),
            };
            diagnostics.push(Diagnostic::emerg(text).at(zone.used).hint(hint));
        }
    }
}

/// The name and the size in `zone=name:size`, for the directive of this name.
pub fn sized<'a>(value: &'a str, word: &Word) -> Result<(&'a str, u64), Fault> {
    let invalid = || {
        Fault::sentence(format!("invalid zone size \"{}\"", word.text))
            .at(word.span)
            .hint("a name and a size: zone=name:10m")
    };
    let (name, size) = value.split_once(':').ok_or_else(invalid)?;
    let size = Size::parse(size).ok_or_else(invalid)?.0;
    if size < SMALLEST {
        return Err(Fault::sentence(format!("zone \"{}\" is too small", word.text))
            .at(word.span)
            .hint("32k is the least"));
    }
    Ok((name, size))
}

//! Zones of memory by name, each for one use.

use crate::diagnostic::{Diagnostic, Diagnostics, suggest};
use crate::directive::Fault;
use crate::source::Span;
use crate::syntax::Word;
use crate::value::size::Size;

/// The smallest zone, in bytes (nginx: eight pages).
const SMALLEST: u64 = 8 * 4096;

/// What a zone holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneUse {
    /// How often clients have asked (`limit_req_zone`).
    Requests,
    /// How many connections clients have (`limit_conn_zone`).
    Connections,
}

/// The number of a zone among those of its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ZoneId(pub usize);

/// The zones that are defined, or asked for.
#[derive(Debug, Default)]
pub struct ZoneNames {
    zones: Vec<ZoneName>,
}

#[derive(Debug)]
struct ZoneName {
    name: String,
    held: ZoneUse,
    id: ZoneId,
    used: Span,
    defined: bool,
}

impl ZoneNames {
    /// A zone that is asked for.
    pub fn zone(&mut self, held: ZoneUse, name: &str, at: Span) -> Result<ZoneId, Fault> {
        if let Some(known) = self.zones.iter().find(|zone| zone.name == name) {
            let other = || {
                let text = format!(
                    "the shared memory zone \"{name}\" is already declared for a different use"
                );
                Fault::sentence(text).at(at)
            };
            return if known.held == held { Ok(known.id) } else { Err(other()) };
        }
        let id = ZoneId(self.zones.iter().filter(|zone| zone.held == held).count());
        self.zones.push(ZoneName { name: name.to_owned(), held, id, used: at, defined: false });
        Ok(id)
    }

    /// Defines a zone; whether it was defined before.
    pub fn define(&mut self, held: ZoneUse, name: &str, at: Span) -> Result<(ZoneId, bool), Fault> {
        let id = self.zone(held, name, at)?;
        let mut same = self.zones.iter_mut();
        let zone = same.find(|zone| zone.held == held && zone.id == id);
        let before = zone.is_some_and(|zone| std::mem::replace(&mut zone.defined, true));
        Ok((id, before))
    }

    /// Says what is used and not defined.
    pub(crate) fn finish(&self, diagnostics: &mut Diagnostics) {
        for zone in self.zones.iter().filter(|zone| !zone.defined) {
            let text = format!("zero size shared memory zone \"{}\"", zone.name);
            let same = |other: &&ZoneName| other.defined && other.held == zone.held;
            let defined = self.zones.iter().filter(same).map(|other| other.name.as_str());
            let directive = match zone.held {
                ZoneUse::Requests => "limit_req_zone",
                ZoneUse::Connections => "limit_conn_zone",
            };
            let hint = match suggest(&zone.name, defined) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("no `{directive}` in http defines this zone"),
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

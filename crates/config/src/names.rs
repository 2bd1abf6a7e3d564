//! What a configuration defines and uses by name: order is free, so that names are joined at the end.

pub(crate) mod log;
mod undefined;
pub mod zone;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Diagnostics, suggest};
use crate::directive::{Fault, absent};
use crate::http::syslog::SyslogServer;
use crate::source::Span;
use crate::syntax::Word;
use crate::variable::{Builtin, Slot, Variable};

/// The tables of names.
#[derive(Debug, Default)]
pub struct Names {
    slots: Vec<SlotName>,
    slots_by_name: HashMap<String, Slot>,
    groups: Vec<GroupName>,
    formats: Vec<FormatName>,
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    /// The servers that lines are sent to; a `SyslogId` is a place in here.
    pub(crate) syslogs: Vec<SyslogServer>,
    /// `buffer=`, `flush=` and `gzip=` of the log files that have them.
    pub(crate) log_buffers: HashMap<FileId, log::LogBuffer>,
    /// The zones of memory.
    pub zones: zone::ZoneNames,
    ignored: Vec<(String, Cow<'static, str>, Span)>,
    told: HashSet<String>,
}

/// A variable that the configuration defines, or uses without defining it.
#[derive(Clone, Debug)]
pub(crate) struct SlotName {
    pub(crate) name: String,
    pub(crate) used: Span,
    pub(crate) definition: Option<Definition>,
}

/// How a variable comes by its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition {
    /// `set` gives it one. Empty before, of which is told.
    Assigned,
    /// Something else gives it one: a named group of a regular expression, an answer. Empty before.
    Captured,
    /// It is looked up in the map of this number.
    Map(usize),
    /// It is looked up by address, in the `geo` block of this number.
    Geo(usize),
    /// It is looked up by hash, in the `split_clients` block of this number.
    SplitClients(usize),
}

/// The number of an upstream group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group(pub usize);

/// The number of a log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FormatId(pub usize);

/// The number of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId(pub usize);

/// An upstream group: one that is defined, or a host that is asked for directly.
#[derive(Clone, Debug)]
pub(crate) struct GroupName {
    pub(crate) name: String,
    pub(crate) port: Option<u16>,
    pub(crate) default_port: Option<u16>,
    pub(crate) used: Option<Span>,
    pub(crate) defined: Option<Span>,
}

#[derive(Clone, Debug)]
struct FormatName {
    name: String,
    used: Span,
    defined: bool,
}

impl Names {
    /// The variable of this name. One that nobody has defined by the end is a fault.
    pub fn variable(&mut self, name: &str, used: Span) -> Variable {
        let lower = name.to_ascii_lowercase();
        if let Some(slot) = self.slots_by_name.get(&lower) {
            return Variable::Slot(*slot);
        }
        if let Some(why) = Builtin::of(&lower).and_then(Builtin::why_empty) {
            self.ignored(&format!("${lower}"), format!("it is always empty, as {why}"), used);
        }
        Variable::find(&lower).unwrap_or_else(|| Variable::Slot(self.slot(lower, used)))
    }

    /// Defines a variable (nginx: `ngx_http_add_variable`). The first definition by a map holds.
    pub fn define(&mut self, word: &Word, name: &str, how: Definition) -> Result<Slot, Fault> {
        let lower = name.to_ascii_lowercase();
        // `set` may change this one.
        if Builtin::of(&lower).is_some_and(|builtin| builtin != Builtin::UidReset) {
            return Err(Fault::sentence(format!("the duplicate \"{lower}\" variable"))
                .at(word.span)
                .hint("this is a variable of nginx's own; choose another name"));
        }
        let known = self.slots_by_name.get(&lower).copied();
        let slot = known.unwrap_or_else(|| self.slot(lower, word.span));
        if let Some(entry) = self.slots.get_mut(slot.0)
            && (matches!(entry.definition, None | Some(Definition::Assigned))
                || !matches!(how, Definition::Assigned | Definition::Captured))
        {
            entry.definition = Some(how);
        }
        Ok(slot)
    }

    fn slot(&mut self, name: String, used: Span) -> Slot {
        let slot = Slot(self.slots.len());
        self.slots_by_name.insert(name.clone(), slot);
        self.slots.push(SlotName { name, used, definition: None });
        slot
    }

    /// A group that is asked for: `upstream`'s name, or a host with its port.
    pub fn group(
        &mut self,
        host: &str,
        port: Option<u16>,
        default: Option<u16>,
        at: Span,
    ) -> Group {
        let same = |group: &GroupName| {
            group.name.eq_ignore_ascii_case(host)
                && (group.defined.is_some() && port.is_none()
                    || group.port == port && group.default_port == default)
        };
        if let Some(place) = self.groups.iter().position(same) {
            if let Some(group) = self.groups.get_mut(place) {
                group.used.get_or_insert(at);
            }
            return Group(place);
        }
        self.groups.push(GroupName {
            name: host.to_owned(),
            port,
            default_port: default,
            used: Some(at),
            defined: None,
        });
        Group(self.groups.len() - 1)
    }

    /// Defines a group; those already asked for by its name are it.
    pub(crate) fn define_group(&mut self, word: &Word) -> Result<(), Fault> {
        let same = |group: &&mut GroupName| {
            group.port.is_none() && group.name.eq_ignore_ascii_case(&word.text)
        };
        let mut found = false;
        for group in self.groups.iter_mut().filter(same) {
            if group.defined.is_some_and(|defined| defined != word.span) {
                return Err(
                    Fault::sentence(format!("duplicate upstream \"{}\"", word.text)).at(word.span)
                );
            }
            group.defined = Some(word.span);
            found = true;
        }
        if !found {
            self.groups.push(GroupName {
                name: word.text.clone(),
                port: None,
                default_port: None,
                used: None,
                defined: Some(word.span),
            });
        }
        Ok(())
    }

    pub(crate) fn groups(&self) -> &[GroupName] {
        &self.groups
    }

    pub(crate) fn slots(&self) -> &[SlotName] {
        &self.slots
    }

    /// A log format that is asked for.
    pub fn format(&mut self, word: &Word) -> FormatId {
        let known = self.formats.iter().position(|format| format.name == word.text);
        FormatId(known.unwrap_or_else(|| {
            self.formats.push(FormatName {
                name: word.text.clone(),
                used: word.span,
                defined: false,
            });
            self.formats.len() - 1
        }))
    }

    /// Defines a log format.
    pub fn define_format(&mut self, word: &Word) -> Result<FormatId, Fault> {
        let id = self.format(word);
        match self.formats.get_mut(id.0) {
            Some(format) if format.defined => {
                Err(Fault::sentence(format!("duplicate \"log_format\" name \"{}\"", word.text))
                    .at(word.span))
            }
            Some(format) => {
                format.defined = true;
                Ok(id)
            }
            None => Ok(id),
        }
    }

    pub(crate) fn format_count(&self) -> usize {
        self.formats.len()
    }

    /// A file that lines are written to; the same path is the same file.
    pub fn file(&mut self, path: PathBuf) -> FileId {
        let known = self.files.iter().position(|file| *file == path);
        FileId(known.unwrap_or_else(|| {
            self.files.push(path);
            self.files.len() - 1
        }))
    }

    /// Takes note of a folder that is made at the start.
    pub(crate) fn folder(&mut self, path: PathBuf) -> PathBuf {
        if !self.folders.contains(&path) {
            self.folders.push(path.clone());
        }
        path
    }

    pub(crate) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Takes note of a directive without effect; each is told once.
    pub(crate) fn ignored(&mut self, name: &str, reason: impl Into<Cow<'static, str>>, at: Span) {
        if !self.told.contains(name) {
            self.told.insert(name.to_owned());
            self.ignored.push((name.to_owned(), reason.into(), at));
        }
    }

    /// Says what is used and not defined, and what is ignored.
    pub(crate) fn finish(&self, diagnostics: &mut Diagnostics) {
        for slot in self.slots.iter().filter(|slot| slot.definition.is_none()) {
            let near = absent::owner_of_variable(&slot.name).map(|module| {
                format!("module {} not built into tidegate; {}", module.name, module.instead)
            });
            let near = near.or_else(|| self.known(&slot.name));
            let fault = Diagnostic::emerg(format!("unknown \"{}\" variable", slot.name));
            diagnostics.push(hinted(fault.at(slot.used), near));
        }
        for format in self.formats.iter().filter(|format| !format.defined) {
            let defined = self.formats.iter().filter(|f| f.defined).map(|f| f.name.as_str());
            let near = suggest(&format.name, defined).map(|near| format!("did you mean `{near}`?"));
            let define = "define it in http: log_format NAME '…'; or leave the name away";
            let near = near.unwrap_or_else(|| define.replace("NAME", &format.name));
            let text = format!("unknown log format \"{}\"", format.name);
            diagnostics.push(Diagnostic::emerg(text).at(format.used).hint(near));
        }
        self.zones.finish(diagnostics);
        for group in self.groups.iter().filter(|group| group.defined.is_none()) {
            diagnostics.extend(self.undefined(group));
        }
        for (name, reason, at) in &self.ignored {
            let told = Diagnostic::warn(format!("\"{name}\" is accepted without effect: {reason}"));
            diagnostics.push(told.at(*at).of(crate::lint::WITHOUT_EFFECT));
        }
    }

    fn known(&self, name: &str) -> Option<String> {
        let own = self.slots.iter().filter(|slot| slot.definition.is_some());
        let names = own.map(|slot| slot.name.as_str()).chain(Builtin::NAMES.iter().copied());
        suggest(name, names).map(|near| format!("did you mean `${near}`?"))
    }
}

fn hinted(diagnostic: Diagnostic, hint: Option<String>) -> Diagnostic {
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

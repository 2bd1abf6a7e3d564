//! What a configuration defines and uses by name: order is free, so that names are joined at the end.

mod folder;
mod group;
pub(crate) mod log;
mod pool;
mod undefined;
pub mod zone;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

pub use group::Group;
pub(crate) use group::{GroupName, Groups};

use crate::diagnostic::{Diagnostic, Diagnostics, suggest};
use crate::directive::{Fault, absent};
use crate::http::syslog::{SyslogId, SyslogServer};
use crate::source::Span;
use crate::syntax::Word;
use crate::value::pattern::Compiled;
use crate::variable::{Builtin, Slot, Variable};

/// The tables of names.
#[derive(Debug, Default)]
pub struct Names {
    slots: Vec<SlotName>,
    slots_by_name: HashMap<String, Slot>,
    groups: Groups,
    formats: Vec<FormatName>,
    formats_by_name: HashMap<String, FormatId>,
    files: Vec<PathBuf>,
    files_by_path: HashMap<PathBuf, FileId>,
    folders: folder::Folders,
    /// The pools of threads.
    pub(crate) pools: pool::Pools,
    /// The servers that lines are sent to; a `SyslogId` is a place in here.
    pub(crate) syslogs: Vec<SyslogServer>,
    syslogs_known: HashMap<SyslogServer, SyslogId>,
    /// `buffer=`, `flush=` and `gzip=` of the log files that have them.
    pub(crate) log_buffers: HashMap<FileId, log::LogBuffer>,
    /// The regular expressions.
    pub(crate) compiled: Compiled,
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

/// The number of a log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FormatId(pub usize);

/// The number of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId(pub usize);

#[derive(Clone, Debug)]
struct FormatName {
    name: String,
    used: Span,
    defined: bool,
}

/// Fields that are variables of nginx's own, unlike those that are found by the beginnings of names.
const FIELDS: [&str; 15] = [
    "http_cookie",
    "http_host",
    "http_referer",
    "http_user_agent",
    "http_via",
    "http_x_forwarded_for",
    "sent_http_cache_control",
    "sent_http_connection",
    "sent_http_content_length",
    "sent_http_content_type",
    "sent_http_keep_alive",
    "sent_http_last_modified",
    "sent_http_link",
    "sent_http_location",
    "sent_http_transfer_encoding",
];

/// How many names that nothing is called by are compared with all others.
const COMPARED: usize = 100;

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
        let own = Builtin::of(&lower).is_some_and(|builtin| builtin != Builtin::UidReset);
        if own || FIELDS.contains(&lower.as_str()) {
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

    pub(crate) fn slots(&self) -> &[SlotName] {
        &self.slots
    }

    /// A log format that is asked for.
    pub fn format(&mut self, word: &Word) -> FormatId {
        if let Some(known) = self.formats_by_name.get(&word.text) {
            return *known;
        }
        let id = FormatId(self.formats.len());
        self.formats_by_name.insert(word.text.clone(), id);
        self.formats.push(FormatName { name: word.text.clone(), used: word.span, defined: false });
        id
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
        if let Some(known) = self.files_by_path.get(&path) {
            return *known;
        }
        let id = FileId(self.files.len());
        self.files_by_path.insert(path.clone(), id);
        self.files.push(path);
        id
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
        let unknown = self.slots.iter().filter(|slot| slot.definition.is_none());
        for (number, slot) in unknown.enumerate() {
            let near = absent::owner_of_variable(&slot.name)
                .map(|module| format!("{}; {}", module.lacks(), module.instead));
            let near =
                near.or_else(|| if number < COMPARED { self.known(&slot.name) } else { None });
            let fault = Diagnostic::emerg(format!("unknown \"{}\" variable", slot.name));
            diagnostics.push(hinted(fault.at(slot.used), near));
        }
        let unknown = self.formats.iter().filter(|format| !format.defined);
        for (number, format) in unknown.enumerate() {
            let defined = self.formats.iter().filter(|f| f.defined && number < COMPARED);
            let defined = defined.map(|f| f.name.as_str());
            let near = suggest(&format.name, defined).map(|near| format!("did you mean `{near}`?"));
            let define = "define it in http: log_format NAME '…'; or leave the name away";
            let near = near.unwrap_or_else(|| define.replace("NAME", &format.name));
            let text = format!("unknown log format \"{}\"", format.name);
            diagnostics.push(Diagnostic::emerg(text).at(format.used).hint(near));
        }
        self.zones.finish(diagnostics);
        self.pools.finish(diagnostics);
        self.groups.finish(diagnostics);
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

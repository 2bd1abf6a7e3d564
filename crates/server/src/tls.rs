//! TLS to clients: what each server answers handshakes with.

mod admission;
mod advice;
mod answers;
mod broken;
mod chain;
mod handshake;
mod named;
mod ocsp;
mod overheard;
mod resolver;
mod sessions;
mod standing;
mod staple;
mod tickets;
mod turns;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use tidegate_config::block::Http;
use tidegate_config::block::http::Socket;
use tidegate_config::diagnostic::Diagnostic;
use tidegate_config::{Config, Loaded};
use tidegate_http::record::{Reader, Writer};
use tidegate_http::tls::trust::Trust;
use tidegate_proxy::secure::Clients;

pub(crate) use admission::refused;
pub(crate) use chain::Chain;
pub(crate) use handshake::accept;
use named::Named;
use resolver::Certificates;
use sessions::Zone;
use standing::{Known, Standing};
use tickets::Tickets;
pub(crate) use turns::Turns;
use turns::Weight;

/// What all servers answer handshakes with.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    /// By the server's number; `None` where it shakes hands with nobody.
    servers: Vec<Option<Arc<Answers>>>,
    /// What is remembered of handshakes; a reload takes it over.
    memory: Memory,
}

/// Adds to what is known of a configuration what its certificates and keys say. Those that are
/// not there may be no fault.
pub(crate) fn check(loaded: &mut Loaded, without_files: bool) {
    let Some(config) = &loaded.config else { return };
    loaded.diagnostics.extend(Tls::findings(config));
    loaded.diagnostics.extend(Clients::new(config).err().into_iter().flatten());
    if without_files {
        loaded.diagnostics.excuse_absent();
    }
    if loaded.diagnostics.has_errors() {
        loaded.config = None;
    }
}

/// What one server answers handshakes with.
#[derive(Debug)]
pub(crate) struct Answers {
    /// Where only HTTP/1 is spoken.
    http1: Arc<ServerConfig>,
    /// Where HTTP/2 is spoken as well.
    http2: Arc<ServerConfig>,
    /// Whose clients' certificates are trusted.
    trust: Arc<Trust>,
    /// Its certificates that no variable names.
    certificates: Arc<Certificates>,
    /// What a signature by its certificates costs.
    weight: Weight,
    /// How clients' certificates are asked about.
    standing: Option<Standing>,
    /// Certificates that variables name.
    named: Option<Named>,
}

/// What is remembered of handshakes.
#[derive(Debug, Default)]
struct Memory {
    /// What drawn keys of tickets come of.
    chain: Option<Chain>,
    /// By what the servers have in common.
    tickets: Mutex<HashMap<Vec<u8>, Arc<Tickets>>>,
    /// By name.
    zones: Mutex<HashMap<String, Arc<Zone>>>,
    /// What authorities have said of clients' certificates, by name and size.
    known: Mutex<HashMap<(String, usize), Arc<Known>>>,
}

impl Tls {
    /// Reads all certificates and keys of the servers that need them, and says all that is wrong
    /// with them; what `before` remembers is taken over. Keys of tickets come of `chain`.
    pub(crate) fn new(
        config: &Config,
        before: Option<&Self>,
        chain: Option<&Chain>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let http = &config.http;
        let mut tls = Self::default();
        tls.memory.chain = chain.cloned();
        let mut faults = Vec::new();
        let encrypted = http.sockets.iter().filter(|socket| socket.options.ssl);
        let encrypted: HashSet<usize> = encrypted.flat_map(Socket::servers).collect();
        for (number, server) in http.servers.iter().enumerate() {
            let answers = if encrypted.contains(&number) {
                let memory = before.map(|before| &before.memory);
                answers::build(server, &config.files, (&tls.memory, memory)).unwrap_or_else(
                    |fault| {
                        faults.push(fault);
                        None
                    },
                )
            } else {
                None
            };
            tls.servers.push(answers.map(Arc::new));
        }
        faults.dedup();
        if faults.is_empty() { Ok(tls) } else { Err(faults) }
    }

    /// All that is wrong, odd or worth knowing about certificates and keys.
    fn findings(config: &Config) -> Vec<Diagnostic> {
        match Self::new(config, None, None) {
            Err(faults) => faults,
            Ok(tls) => tls
                .servers
                .iter()
                .zip(&config.http.servers)
                .filter_map(|(answers, server)| {
                    answers.as_ref().map(|_| advice::of(server, &config.files))
                })
                .flatten()
                .collect(),
        }
    }

    /// Writes down the sessions of all zones, for another process.
    pub(crate) fn write(&self, writer: &mut Writer) {
        let zones = locked(&self.memory.zones);
        writer.number(zones.len() as u64);
        for (name, zone) in &*zones {
            writer.text(name.as_bytes());
            zone.write(writer);
        }
    }

    /// Takes up what another process has written down of zones that are here, too.
    pub(crate) fn read(&self, reader: &mut Reader<'_>) -> Option<()> {
        let zones = locked(&self.memory.zones);
        for _ in 0..reader.number()? {
            let name = str::from_utf8(reader.text()?).ok()?;
            Zone::read(zones.get(name).map(|zone| &**zone), reader)?;
        }
        Some(())
    }

    /// Whether a server shakes hands at all.
    pub(crate) fn shakes_hands(&self, server: usize) -> bool {
        self.answers(server).is_some()
    }

    /// What a server answers handshakes with; `None` where it shakes hands with nobody.
    fn answers(&self, server: usize) -> Option<&Arc<Answers>> {
        self.servers.get(server)?.as_ref()
    }
}

impl Answers {
    /// Where a server is reached by this socket.
    fn config(&self, http: &Http, socket: &Socket, server: usize) -> &Arc<ServerConfig> {
        let enabled = http.servers.get(server).is_some_and(|server| server.settings.http2.enabled);
        if enabled || socket.options.http2 { &self.http2 } else { &self.http1 }
    }
}

impl Memory {
    /// The tickets of a trust: those of before, else those of others here, else new ones.
    fn tickets(
        &self,
        before: Option<&Self>,
        trust: &[u8],
        make: impl FnOnce() -> Option<Tickets>,
    ) -> Option<Arc<Tickets>> {
        let find = |memory: &Self| locked(&memory.tickets).get(trust).cloned();
        let found = find(self).or_else(|| before.and_then(find));
        let tickets = found.or_else(|| make().map(Arc::new))?;
        locked(&self.tickets).insert(trust.to_vec(), Arc::clone(&tickets));
        Some(tickets)
    }

    /// What authorities have said, under this name; another size makes another.
    fn known(&self, before: Option<&Self>, name: &str, room: usize) -> Arc<Known> {
        let key = (name.to_owned(), room);
        let find = |memory: &Self| locked(&memory.known).get(&key).cloned();
        let found = find(self).or_else(|| before.and_then(find));
        let known = found.unwrap_or_else(|| Arc::new(Known::new(room)));
        locked(&self.known).insert(key, Arc::clone(&known));
        known
    }

    /// The zone of this name; another size makes another zone.
    fn zone(&self, before: Option<&Self>, name: &str, room: usize) -> Arc<Zone> {
        let fits = |zone: &Arc<Zone>| zone.room() == room;
        let find = |memory: &Self| locked(&memory.zones).get(name).filter(|z| fits(z)).cloned();
        let found = find(self).or_else(|| before.and_then(find));
        let zone = found.unwrap_or_else(|| Zone::new(room));
        locked(&self.zones).insert(name.to_owned(), Arc::clone(&zone));
        zone
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

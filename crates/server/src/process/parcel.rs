//! What the master hands to the worker process: a configuration as it read it, open logs, and
//! open sockets.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use tidegate_config::files::Files;
use tidegate_config::{Options, load};
use tidegate_http::log::file::LogFiles;

use super::Source;
use super::channel::{Channel, LOST, Message};
use super::ground::Ground;
use super::memory::Memory;
use crate::listen::{Listener, Listeners};
use crate::tls::Chain;

/// A message to the worker process, and what is open for it.
pub(super) struct Parcel {
    kind: u8,
    fields: Vec<Vec<u8>>,
    logs: Vec<Arc<File>>,
    sockets: Vec<Listener>,
    memory: Option<Arc<Memory>>,
}

impl Parcel {
    /// A message of words alone.
    pub(super) fn plain(kind: u8, fields: Vec<Vec<u8>>) -> Self {
        Self { kind, fields, logs: Vec::new(), sockets: Vec::new(), memory: None }
    }

    /// Logs that were opened anew, by their paths: whoever takes them may go by another configuration.
    pub(super) fn of_logs(kind: u8, logs: &LogFiles) -> Self {
        let paths = logs.paths().map(|path| path.as_os_str().as_bytes().to_vec());
        // An order has no number.
        let fields = paths.chain([Vec::new()]).collect();
        Self { logs: logs.handles(), ..Self::plain(kind, fields) }
    }

    /// A configuration and what is open for it, as the question of this number.
    pub(super) fn of_ground(kind: u8, number: u64, source: &Source, ground: &Ground) -> Self {
        let (mut places, mut sockets) = (Vec::new(), Vec::new());
        for (place, socket) in ground.config.http.sockets.iter().enumerate() {
            if let Some(listener) = ground.listeners.get(&socket.address) {
                places.extend((place as u32).to_le_bytes());
                sockets.push(listener.clone());
            }
        }
        let options = &source.options;
        let chain = ground.chain.as_ref().and_then(Chain::forgetting);
        let memory = ground.memory.clone();
        let fields = vec![
            source.path.as_os_str().as_bytes().to_vec(),
            options.prefix.as_os_str().as_bytes().to_vec(),
            optional(options.global.as_deref().map(str::as_bytes)),
            optional(options.error_log.as_deref().map(|path| path.as_os_str().as_bytes())),
            places,
            ground.config.files.encode(),
            chain.map(|chain| chain.bytes().to_vec()).unwrap_or_default(),
            memory.as_ref().map(|memory| memory.mark().to_vec()).unwrap_or_default(),
            number.to_le_bytes().to_vec(),
        ];
        Self { kind, fields, logs: ground.logs.handles(), sockets, memory }
    }

    /// How many bytes its words have.
    pub(super) fn length(&self) -> usize {
        self.fields.iter().map(Vec::len).sum()
    }

    /// Sends it; where the other end does not listen, that takes as long as the channel is patient.
    pub(super) fn send(&self, channel: &Channel) -> io::Result<()> {
        let fields: Vec<&[u8]> = self.fields.iter().map(Vec::as_slice).collect();
        let logs = self.logs.iter().map(AsFd::as_fd);
        let mut files: Vec<BorrowedFd<'_>> =
            logs.chain(self.sockets.iter().map(AsFd::as_fd)).collect();
        files.extend(self.memory.iter().flat_map(|memory| memory.files()));
        channel.send(self.kind, &fields, &files)
    }
}

/// A field that says whether it is there.
fn optional(field: Option<&[u8]>) -> Vec<u8> {
    field.map_or(vec![0], |field| [&[1], field].concat())
}

/// Takes what [`Parcel::of_ground`] has, without the number: the configuration is read from the bytes that came with it.
pub(super) fn receive(message: Message) -> Result<Ground> {
    if !message.whole {
        bail!(LOST);
    }
    let incomplete = "the master's message is incomplete";
    let [path, prefix, global, error_log, places, files, chain, mark] =
        <[Vec<u8>; 8]>::try_from(message.fields).map_err(|_| anyhow!(incomplete))?;
    let said = |field: Vec<u8>| match field.split_first() {
        Some((1, field)) => Some(field.to_vec()),
        _ => None,
    };
    let options = Options {
        prefix: path_of(prefix),
        global: said(global).and_then(|global| String::from_utf8(global).ok()),
        error_log: said(error_log).map(path_of),
        files: Arc::new(Files::decode(&files).context(incomplete)?),
        without_files: false,
    };
    let loaded = load(&path_of(path), &options);
    let messages = loaded.messages();
    let config = loaded.config.ok_or_else(|| anyhow!("{}", messages.trim_end()))?;
    let mut handles = message.files.into_iter();
    let logs = handles.by_ref().take(config.http.files.len()).map(File::from).collect();
    let logs = LogFiles::opened(&config.http.files, logs).with_syslogs(&config.http.syslogs);
    let logs = Arc::new(logs);
    let mut listeners = Listeners::new();
    for (place, handle) in places.chunks_exact(4).zip(handles.by_ref()) {
        let place = place.try_into().map(u32::from_le_bytes).context(incomplete)?;
        let socket = config.http.sockets.get(place as usize).context(incomplete)?;
        listeners.insert(socket.address.clone(), Listener::of(&socket.address, handle));
    }
    let (listeners, chain) = (Arc::new(listeners), Chain::of(&chain));
    let memory = (!mark.is_empty()).then(|| Arc::new(Memory::of(Some(&mark), handles)));
    Ok(Ground { config, logs, listeners, chain, memory })
}

/// The logs of [`Parcel::of_logs`], without the number.
pub(super) fn logs(message: Message) -> HashMap<PathBuf, Arc<File>> {
    let files = message.files.into_iter().map(File::from).map(Arc::new);
    message.fields.into_iter().map(path_of).zip(files).collect()
}

fn path_of(field: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(field))
}

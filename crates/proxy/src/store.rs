//! `proxy_store`: a whole answer is kept as a file, while it is sent.
//!
//! nginx: `ngx_http_upstream_store`.

use std::fs::{DirBuilder, FileTimes, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;
use tempfile::NamedTempFile;
use tidegate_config::http::dav::DavAccess;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::pass::Protocol;
use tidegate_http::exchange::Exchange;
use tidegate_http::log::Teller;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::buffering::Supply;
use crate::fault::System;

/// An answer that is to be kept.
pub(crate) struct Store {
    place: Place,
    /// How long the answer says it is.
    length: Option<u64>,
    teller: Teller,
}

/// Where, and how.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    access: DavAccess,
    modified: Option<SystemTime>,
}

/// What could not be done, of what, and why.
type Unkept = (&'static str, PathBuf, io::Error);

impl Store {
    /// What is to become of an answer of this status and length; `None` where it is not kept.
    pub(crate) fn of(
        ex: &mut Exchange<'_>,
        protocol: Protocol,
        (status, length): (u16, Option<u64>),
    ) -> Option<Self> {
        let settings = match protocol {
            Protocol::Http => &ex.location.proxy_store,
            Protocol::Uwsgi => &ex.location.uwsgi_store,
            Protocol::Fastcgi => &ex.location.fastcgi_store,
            Protocol::Scgi => &ex.location.scgi_store,
            Protocol::Grpc => return None,
        };
        let path = settings.path.as_ref()?;
        if status != 200 || ex.method != Method::GET {
            return None;
        }
        let path = ex.render(path);
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(&path));
        let modified = ex.upstream_headers.get("Last-Modified");
        let modified = modified
            .and_then(|text| httpdate::parse_http_date(std::str::from_utf8(text).ok()?).ok());
        let place = Place { path, access: settings.access, modified };
        Some(Self { place, length, teller: ex.teller() })
    }

    /// Keeps an answer that is all there.
    pub(crate) async fn keep(self, bytes: Bytes) {
        let place = self.place;
        let kept = spawn_blocking(move || {
            let file = append(place.begin()?, &place, &bytes)?;
            place.settle(file)
        });
        tell(&self.teller, kept.await.map_err(lost).flatten());
    }

    /// Keeps an answer while it is read.
    pub(crate) fn along<S: Supply>(self, supply: Box<S>) -> Keeping<S> {
        Keeping { supply, store: self, state: State::Idle(None), kept: 0 }
    }
}

/// An answer that is kept while it is read.
pub(crate) struct Keeping<S> {
    supply: Box<S>,
    store: Store,
    state: State,
    kept: u64,
}

/// Where the file is.
enum State {
    /// Here, once it was begun.
    Idle(Option<NamedTempFile>),
    Writing(JoinHandle<Result<NamedTempFile, Unkept>>),
    Ending(JoinHandle<Result<(), Unkept>>),
    /// There, or given up.
    Over,
}

impl<S: Supply> Supply for Keeping<S> {
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match &mut self.state {
                State::Writing(task) => {
                    let file = ready!(Pin::new(task).poll(cx)).map_err(lost).flatten();
                    self.state = match file {
                        Ok(file) => State::Idle(Some(file)),
                        failed => {
                            tell(&self.store.teller, failed.map(drop));
                            State::Over
                        }
                    };
                }
                State::Ending(task) => {
                    let ended = ready!(Pin::new(task).poll(cx)).map_err(lost).flatten();
                    tell(&self.store.teller, ended);
                    self.state = State::Over;
                }
                State::Idle(_) | State::Over => {
                    let item = ready!(self.supply.poll_bytes(cx));
                    if !self.keep(item.as_ref()) {
                        return Poll::Ready(item);
                    }
                }
            }
        }
    }

    fn tell(&mut self, text: &str) {
        self.supply.tell(text);
    }
}

impl<S> Keeping<S> {
    /// Keeps what was read. Whether that is all of it, and has to be put in its place.
    fn keep(&mut self, item: Option<&io::Result<Bytes>>) -> bool {
        let State::Idle(file) = std::mem::replace(&mut self.state, State::Over) else {
            return false;
        };
        let place = self.store.place.clone();
        match item {
            Some(Ok(bytes)) => {
                self.kept += bytes.len() as u64;
                let bytes = bytes.clone();
                self.state = State::Writing(spawn_blocking(move || {
                    let file = file.map_or_else(|| place.begin(), Ok)?;
                    append(file, &place, &bytes)
                }));
                false
            }
            None if self.store.length.is_none_or(|length| length == self.kept) => {
                self.state = State::Ending(spawn_blocking(move || {
                    place.settle(file.map_or_else(|| place.begin(), Ok)?)
                }));
                true
            }
            // What is not whole is not kept: the file goes.
            _ => false,
        }
    }
}

impl Place {
    /// Makes a file beside the place, and the folders on the way.
    fn begin(&self) -> Result<NamedTempFile, Unkept> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let made = DirBuilder::new().recursive(true).mode(self.access.folder()).create(folder);
        made.map_err(|error| ("mkdir", folder.to_owned(), error))?;
        let file = tempfile::Builder::new().prefix(".").tempfile_in(folder);
        file.map_err(|error| ("open", folder.to_owned(), error))
    }

    /// Puts the file in its place.
    fn settle(&self, file: NamedTempFile) -> Result<(), Unkept> {
        let unkept = |call, error| (call, self.path.clone(), error);
        let rights = Permissions::from_mode(self.access.file);
        file.as_file().set_permissions(rights).map_err(|error| unkept("chmod", error))?;
        if let Some(modified) = self.modified {
            let times = FileTimes::new().set_modified(modified).set_accessed(modified);
            file.as_file().set_times(times).map_err(|error| unkept("utimes", error))?;
        }
        file.persist(&self.path).map_err(|error| unkept("rename", error.error)).map(drop)
    }
}

fn append(mut file: NamedTempFile, place: &Place, bytes: &[u8]) -> Result<NamedTempFile, Unkept> {
    let written = file.write_all(bytes);
    written.map_err(|error| ("write", place.path.clone(), error)).map(|()| file)
}

fn lost(error: tokio::task::JoinError) -> Unkept {
    ("write", PathBuf::new(), io::Error::other(error))
}

fn tell(teller: &Teller, kept: Result<(), Unkept>) {
    if let Err((call, path, error)) = kept {
        let (path, error) = (path.display(), System(&error));
        let text = format!("{call}() \"{path}\" failed ({error}) while storing an answer");
        teller.tell(Level::Crit, &text);
    }
}

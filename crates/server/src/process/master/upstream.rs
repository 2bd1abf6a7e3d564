//! `tidegate upstream`: which servers a group has, and changes to them while requests go on.
//!
//! A change is another configuration, made of the bytes that the one that holds was read from and of
//! other lines for one group. So it is judged as one, and requests go on as over a reload.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use nix::unistd::{Gid, Uid, fchown};
use tempfile::NamedTempFile;
use tidegate_config::block::Upstream;
use tidegate_config::diagnostic::suggest;
use tidegate_config::http::error_log::Level;
use tidegate_config::http::upstream::server::{Change, lines};
use tidegate_config::{Options, load};

use super::{Master, Place, State};
use crate::process::EMERG;
use crate::process::admin::Answer;
use crate::process::child::answer::LEFT_OUT;
use crate::process::ground::Ground;
use crate::tls::Chain;

impl Master {
    /// Tells of groups, or changes one: a name, and what is to be done.
    pub(super) async fn upstream(&mut self, words: &[String]) -> Answer {
        match words {
            [] => Ok(self.standing(None).await),
            [name] => {
                let upstream = self.group(name)?;
                let kept = told(upstream);
                let (name, servers) = (upstream.name.clone(), lines(&upstream.servers.servers));
                let servers =
                    servers.lines().fold(String::new(), |text, line| text + "  " + line + "\n");
                let standing = self.standing(Some(&name)).await;
                Ok(format!("servers, {kept}:\n{servers}{standing}"))
            }
            [name, change @ ..] => {
                let change = Change::parse(change)?;
                let done = self.change(name, &change).await;
                done.map_err(|fault| format!("{fault:#}\nnothing has changed"))
            }
        }
    }

    /// How the servers of a group are, or those of all.
    async fn standing(&mut self, group: Option<&str>) -> String {
        let all = self.numbers().await.map(|numbers| numbers.upstreams).unwrap_or_default();
        match group {
            Some(group) => of_group(&all, group),
            None => all,
        }
    }

    /// A group that the configuration which holds defines.
    fn group(&self, name: &str) -> Result<&Upstream, String> {
        let groups = &self.parts.ground.config.http.upstreams;
        let mut defined = groups.iter().filter(|group| group.defined);
        let found = defined.clone().find(|group| group.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| match suggest(name, defined.by_ref().map(|group| &*group.name)) {
            Some(near) => format!("there is no upstream \"{name}\"; did you mean `{near}`?"),
            None => format!("there is no upstream \"{name}\""),
        })
    }

    async fn change(&mut self, name: &str, change: &Change) -> Result<String> {
        if self.state != State::Running || matches!(self.parts.place, Place::Nowhere(_)) {
            return Err(anyhow!("nobody serves at the moment"));
        }
        let upstream = self.group(name).map_err(anyhow::Error::msg)?;
        let name = upstream.name.clone();
        let servers = change.apply(&upstream.servers.servers).map_err(anyhow::Error::msg)?;
        let (lines, kept) = (lines(&servers), told(upstream));
        let ground = self.with_servers(&name, lines.clone())?;
        let state = upstream.servers.state.as_ref();
        let written = state.map(|state| write(&state.path, &lines)).transpose()?;
        self.prepare(&ground).await?;
        if let Some((file, path)) = written {
            let failed = || format!("rename() to \"{}\" failed", path.display());
            let persisted = file.persist(&path).map_err(|error| error.error).with_context(failed);
            persisted.inspect_err(|_| self.parts.place.forget(&self.log))?;
        }
        self.parts.ground = ground;
        let text = format!("upstream {name}: {change}, {kept}");
        self.log.tell(Level::Notice, &text);
        // Whoever has died meanwhile is followed by somebody who begins with it.
        if let Err(error) = self.parts.place.commit().await {
            self.log.tell(Level::Alert, &format!("{error:#}"));
        }
        Ok(text)
    }

    /// What holds, with other servers of a group.
    fn with_servers(&self, name: &str, lines: String) -> Result<Ground> {
        let (source, ground) = (&self.parts.source, &self.parts.ground);
        let files = Arc::new(ground.config.files.with_servers(name, lines));
        let loaded = load(&source.path, &Options { files, ..source.options.clone() });
        let messages = loaded.messages();
        let fault = messages.lines().find_map(|line| line.strip_prefix(EMERG));
        let config = loaded.config.ok_or_else(|| anyhow!("{}", fault.unwrap_or_default()))?;
        let (logs, listeners) = (Arc::clone(&ground.logs), Arc::clone(&ground.listeners));
        let chain = ground.chain.as_ref().and_then(Chain::forgetting);
        Ok(Ground { config, logs, listeners, chain, memory: None })
    }
}

/// What is told of one group: its own lines; where those are left out, the line that says so.
fn of_group(all: &str, name: &str) -> String {
    let head = format!("upstream {name}:");
    let own = all.lines().skip_while(|line| *line != head);
    let own = own.enumerate().take_while(|(at, line)| *at == 0 || line.starts_with(' '));
    let own = own.fold(String::new(), |text, (_, line)| text + line + "\n");
    let last = all.lines().next_back().filter(|line| line.trim_start().starts_with(LEFT_OUT));
    match last {
        Some(last) if own.is_empty() => format!("{last}\n"),
        _ => own,
    }
}

/// For how long a change of a group lasts.
fn told(upstream: &Upstream) -> String {
    match &upstream.servers.state {
        Some(state) => format!("kept in \"{}\"", state.path.display()),
        None => "until the next reload: it has no `state`".to_owned(),
    }
}

/// Writes a file beside the one whose place it is to take: whole, or not at all. Whose that one is, and
/// who may read it, stays.
fn write(path: &Path, lines: &str) -> Result<(NamedTempFile, PathBuf)> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let failed = || format!("\"{}\" cannot be written", path.display());
    let folder = path.parent().unwrap_or(Path::new("/"));
    let written = || -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix(".state").tempfile_in(folder)?;
        file.write_all(lines.as_bytes())?;
        let before = fs::metadata(&path).ok();
        let mode = before.as_ref().map_or(0o644, |before| before.mode() & 0o777);
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
        if let Some(before) = before {
            // Only root may give it away.
            let _ = fchown(
                file.as_file(),
                Some(Uid::from_raw(before.uid())),
                Some(Gid::from_raw(before.gid())),
            );
        }
        file.as_file().sync_all()?;
        Ok(file)
    };
    Ok((written().with_context(failed)?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_group_says_what_is_left_out() {
        let all = "upstream one:\n  a up\n  b up\nupstream two:\n  c up\n";
        assert_eq!(of_group(all, "one"), "upstream one:\n  a up\n  b up\n");
        assert_eq!(of_group(all, "three"), "");
        let left = format!("  {LEFT_OUT} 9\n");
        let cut = format!("{all}{left}");
        assert_eq!(of_group(&cut, "one"), "upstream one:\n  a up\n  b up\n");
        assert_eq!(of_group(&cut, "two"), format!("upstream two:\n  c up\n{left}"));
        assert_eq!(of_group(&cut, "three"), left);
    }
}

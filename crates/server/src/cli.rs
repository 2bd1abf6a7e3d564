//! The command line, nginx's own; what stands behind a word of ours is in files of their own.

mod codes;
pub(crate) mod command;
mod completions;
mod explain;
mod fmt;
mod help;
mod lint;
mod options;
pub(crate) mod output;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use lexopt::prelude::{Long, Short, Value, ValueExt};
use tidegate_config::diagnostic::suggest;

pub(crate) use options::help;

use crate::process::{Command, Request};

/// What `-V` says behind the version: nginx's lines, which certbot's plugin and others look for.
pub(crate) const BUILD: &str = "\
nginx version: nginx/1.31.3 (compatible)
built with rustls: TLS SNI support enabled
configure arguments: --prefix=/etc/nginx --conf-path=/etc/nginx/nginx.conf \
--with-http_ssl_module --with-http_v2_module --with-http_realip_module \
--with-http_gzip_static_module --with-http_auth_request_module --with-http_stub_status_module";

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cli {
    /// What is to be done.
    pub(crate) action: Action,
    /// `-q`: only faults are told.
    pub(crate) quiet: bool,
    /// `-p`
    pub(crate) prefix: Option<PathBuf>,
    /// `-c`
    pub(crate) conf: Option<PathBuf>,
    /// `-e`
    pub(crate) error_log: Option<PathBuf>,
    /// `-g`
    pub(crate) global: Option<String>,
    /// `-h`, `-v`, `-V`: what is printed first, or alone.
    pub(crate) shown: Option<Shown>,
    /// `--without-files`: with `-t`, files that are not there are no faults.
    pub(crate) without_files: bool,
    /// `--templates`
    pub(crate) templates: Option<PathBuf>,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Action {
    /// Serve.
    #[default]
    Run,
    /// `-t`
    Test,
    /// `-T`
    Dump,
    /// `-s`
    Signal(Command),
    /// A running server is asked over its socket.
    Ask(Request),
}

/// What is printed before anything is done; without `-t`, nothing is done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// `-h`
    Help,
    /// `-v`
    Version,
    /// `-V`
    VersionAndBuild,
}

/// A fault that is told in nginx's form: behind a level, or bare where the command line is at fault.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Told {
    /// The level: `error`.
    pub(crate) level: Option<&'static str>,
    /// The words.
    pub(crate) text: String,
}

impl Told {
    /// A fault of the command line.
    fn usage(text: String) -> Error {
        Self { level: None, text }.into()
    }
}

impl Cli {
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self> {
        Self::parse(lexopt::Parser::from_env())
    }

    fn parse(mut parser: lexopt::Parser) -> Result<Self> {
        let mut cli = Self::default();
        while let Some(word) = parser.next().map_err(in_nginx_words)? {
            match word {
                Short('h' | '?') | Long("help") => cli.shown = Some(Shown::Help),
                Short('v') | Long("version") => {
                    cli.shown = cli.shown.or(Some(Shown::Version));
                }
                Short('V') => cli.shown = Some(Shown::VersionAndBuild),
                Long("without-files") => cli.without_files = true,
                Short('t') => cli.action = Action::Test,
                Short('T') => cli.action = Action::Dump,
                Short('q') => cli.quiet = true,
                Short('p') => cli.prefix = Some(parser.value().map_err(in_nginx_words)?.into()),
                Short('c') => cli.conf = Some(parser.value().map_err(in_nginx_words)?.into()),
                Short('e') => cli.error_log = Some(parser.value().map_err(in_nginx_words)?.into()),
                Short('g') => cli.global = Some(parser.value().map_err(in_nginx_words)?.string()?),
                Long("templates") => {
                    cli.templates = Some(parser.value().map_err(in_nginx_words)?.into());
                }
                Short('s') => {
                    let word = parser.value().map_err(in_nginx_words)?.string()?;
                    match Command::of(&word) {
                        Some(command) => cli.action = Action::Signal(command),
                        None => {
                            return Err(Told::usage(format!("invalid option: \"-s {word}\"")));
                        }
                    }
                }
                Value(word) if let Action::Ask(Request::Upstream(words)) = &mut cli.action => {
                    words.push(word.string()?);
                }
                Value(word) if let Some(request) = word.to_str().and_then(Request::of) => {
                    cli.action = Action::Ask(request);
                }
                other => return Err(in_nginx_words(other.unexpected())),
            }
        }
        if cli.without_files && !matches!(cli.action, Action::Test | Action::Dump) {
            return Err(Told::usage("--without-files goes with -t or -T".to_owned()));
        }
        Ok(cli)
    }

    /// The main configuration file, absolute.
    pub(crate) fn conf(&self) -> PathBuf {
        let prefix = self.prefix.as_deref();
        if let Some(conf) = &self.conf {
            // nginx takes it from the prefix; a file that is only in this folder is meant, too.
            let under = prefix.map(|prefix| prefix.join(conf)).filter(|path| path.exists());
            return absolute(&under.unwrap_or_else(|| conf.clone()));
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        if let Some(prefix) = prefix {
            folders.push(prefix.to_path_buf());
        } else {
            let program = env::current_exe().ok();
            folders.extend(program.as_deref().and_then(Path::parent).map(Path::to_path_buf));
            folders.extend([".", "/etc/nginx", "/usr/local/nginx"].map(PathBuf::from));
        }
        let files = folders
            .iter()
            .flat_map(|folder| [folder.join("conf/nginx.conf"), folder.join("nginx.conf")]);
        let found = files.clone().find(|path| path.exists());
        let first = files.into_iter().next();
        absolute(&found.or(first).unwrap_or_else(|| PathBuf::from("nginx.conf")))
    }

    /// Where relative paths begin, absolute.
    pub(crate) fn prefix(&self, conf: &Path) -> PathBuf {
        if let Some(prefix) = &self.prefix {
            return absolute(prefix);
        }
        let folder = conf.parent().unwrap_or(Path::new("/"));
        let above =
            folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == "conf"));
        above.unwrap_or(folder).to_path_buf()
    }
}

fn absolute(path: &Path) -> PathBuf {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    // `-p .` must not leave a `/./` in paths.
    full.components().collect()
}

/// What is wrong with an option, as nginx says it.
fn in_nginx_words(error: lexopt::Error) -> Error {
    match error {
        lexopt::Error::UnexpectedOption(option) => {
            Told::usage(format!("invalid option: \"{}\"", option.trim_start_matches('-')))
        }
        lexopt::Error::UnexpectedArgument(word) => {
            let word = word.to_string_lossy();
            let near = suggest(&word, options::COMMANDS.iter().map(|command| command.name));
            Told::usage(match near {
                Some(near) => {
                    format!("invalid option: \"{word}\"; did you mean `tidegate {near}`?")
                }
                None => {
                    format!("invalid option: \"{word}\"; `tidegate -h` lists options and commands")
                }
            })
        }
        lexopt::Error::MissingValue { option: Some(option) } => {
            let what = match option.as_str() {
                "-c" | "-e" => "file name",
                "-p" => "directory name",
                _ => "parameter",
            };
            Told::usage(format!("option \"{option}\" requires {what}"))
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cli(words: &[&str]) -> Result<Cli> {
        Cli::parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn words_may_be_glued_as_nginx_has_them() {
        let cli = cli(&["-tq", "-p/srv", "-c", "site.conf", "-g", "daemon off;"]).unwrap();
        assert!(cli.quiet && cli.action == Action::Test);
        assert_eq!(cli.prefix.as_deref(), Some(Path::new("/srv")));
        assert_eq!(cli.global.as_deref(), Some("daemon off;"));
    }

    #[test]
    fn an_unknown_word_is_told() {
        assert_eq!(cli(&["-x"]).unwrap_err().to_string(), "invalid option: \"x\"");
        assert_eq!(cli(&["-p"]).unwrap_err().to_string(), "option \"-p\" requires directory name");
        assert!(cli(&["--without-files"]).is_err());
        let error = cli(&["-s", "halt"]).unwrap_err().to_string();
        assert_eq!(error, "invalid option: \"-s halt\"");
    }

    #[test]
    fn a_prefix_is_searched_for_its_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().to_str().unwrap();
        let cli = cli(&["-p", text]).unwrap();
        assert_eq!(cli.conf(), folder.path().join("conf/nginx.conf"));
        std::fs::write(folder.path().join("nginx.conf"), "").unwrap();
        assert_eq!(cli.conf(), folder.path().join("nginx.conf"));
        assert_eq!(cli.prefix(&cli.conf()), folder.path());
    }

    #[test]
    fn without_a_prefix_it_is_the_folder_above_conf() {
        let cli = cli(&[]).unwrap();
        assert_eq!(cli.prefix(Path::new("/srv/conf/nginx.conf")), Path::new("/srv"));
        assert_eq!(cli.prefix(Path::new("/etc/nginx/nginx.conf")), Path::new("/etc/nginx"));
    }
}

//! `--templates`: configurations are made of templates and the environment before they are read,
//! as nginx's container image does.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// How deeply folders of templates may be nested.
const DEPTH: u32 = 16;

/// Makes a file of every `*.template` in a folder, with each `$NAME` and `${NAME}` of the
/// environment replaced; other variables are nginx's and stay. The files go to `conf.d` beside the
/// folder. `NGINX_ENVSUBST_OUTPUT_DIR` and `NGINX_ENVSUBST_TEMPLATE_SUFFIX` say otherwise.
pub(crate) fn fill(folder: &Path) -> Result<()> {
    let said = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let suffix = said("NGINX_ENVSUBST_TEMPLATE_SUFFIX")
        .map_or_else(|| ".template".to_owned(), |value| value.to_string_lossy().into_owned());
    let output = said("NGINX_ENVSUBST_OUTPUT_DIR").map(PathBuf::from);
    let output = output.unwrap_or_else(|| folder.parent().unwrap_or(folder).join("conf.d"));
    let value = |name: &str| env::var(name).ok();
    fill_folder(folder, &output, &suffix, (&value, DEPTH))
}

type Values<'a> = (&'a dyn Fn(&str) -> Option<String>, u32);

fn fill_folder(from: &Path, to: &Path, suffix: &str, (value, depth): Values<'_>) -> Result<()> {
    let failed = |path: &Path| format!("the templates in \"{}\" cannot be read", path.display());
    for entry in fs::read_dir(from).with_context(|| failed(from))? {
        let entry = entry.with_context(|| failed(from))?;
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && depth > 0 {
            fill_folder(&path, &to.join(&name), suffix, (value, depth - 1))?;
        }
        let name = name.to_string_lossy();
        let Some(name) = name.strip_suffix(suffix).filter(|_| path.is_file()) else { continue };
        let text = fs::read_to_string(&path)
            .with_context(|| format!("the template \"{}\" cannot be read", path.display()))?;
        let made = to.join(name);
        fs::create_dir_all(to)
            .and_then(|()| fs::write(&made, substituted(&text, value)))
            .with_context(|| format!("\"{}\" cannot be written", made.display()))?;
    }
    Ok(())
}

/// The text with the variables that have a value replaced (envsubst).
fn substituted(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{');
        let from = braced.unwrap_or(after);
        let length = from
            .bytes()
            .enumerate()
            .take_while(|(at, byte)| {
                byte.is_ascii_alphabetic() || *byte == b'_' || *at > 0 && byte.is_ascii_digit()
            })
            .count();
        let (name, behind) = from.split_at(length);
        let behind = if braced.is_some() { behind.strip_prefix('}') } else { Some(behind) };
        if let Some((behind, value)) = behind.zip(value(name).filter(|_| !name.is_empty())) {
            out.push_str(&value);
            rest = behind;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        (name == "HOST").then(|| "example.com".to_owned())
    }

    #[test]
    fn only_what_has_a_value_is_replaced() {
        for (text, made) in [
            ("server_name $HOST;", "server_name example.com;"),
            ("a${HOST}b $host ${uri} $", "aexample.comb $host ${uri} $"),
            ("${HOST", "${HOST"),
            ("$HOSTS $$HOST $1 ${}", "$HOSTS $example.com $1 ${}"),
        ] {
            assert_eq!(substituted(text, &value), made, "{text}");
        }
    }

    #[test]
    fn folders_keep_their_shape() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("templates"), folder.path().join("conf.d"));
        fs::create_dir_all(from.join("inner")).unwrap();
        fs::write(from.join("a.conf.template"), "$HOST").unwrap();
        fs::write(from.join("inner/b.conf.template"), "${HOST}").unwrap();
        fs::write(from.join("other.conf"), "$HOST").unwrap();
        fill_folder(&from, &to, ".template", (&value, DEPTH)).unwrap();
        assert_eq!(fs::read_to_string(to.join("a.conf")).unwrap(), "example.com");
        assert_eq!(fs::read_to_string(to.join("inner/b.conf")).unwrap(), "example.com");
        assert!(!to.join("other.conf").exists());
        assert!(fill_folder(&folder.path().join("none"), &to, ".template", (&value, 1)).is_err());
    }
}

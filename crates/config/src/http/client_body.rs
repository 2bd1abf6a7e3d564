//! `client_max_body_size`, `client_body_*`: what a client sends after its head.

use std::time::Duration;

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::value::Offset;
use crate::value::choice::choice;
use crate::value::path::TempPath;
use crate::value::size::Size;

/// What a client sends after its head.
#[derive(Clone, Debug, Directives)]
pub struct ClientBody {
    /// The largest body that is taken, in bytes; 413 beyond it; 0 is without bound.
    #[directive("client_max_body_size", default = "1m")]
    pub max_size: Offset,
    /// How much of a body is held in memory before it goes to a file.
    #[directive("client_body_buffer_size", default = "16k")]
    pub buffer_size: Size,
    /// How long a client may be silent within a body; 408 after it.
    #[directive("client_body_timeout", default = "60s")]
    pub timeout: Duration,
    /// The folder of bodies that are too large for memory.
    #[directive("client_body_temp_path", default = "client_body_temp", parse = temp_path, args(1, 4))]
    pub temp_path: TempPath,
    /// Whether every body goes to a file.
    #[directive("client_body_in_file_only", default = "off")]
    pub in_file_only: InFileOnly,
    /// Whether a body is held in one piece of memory; one that fits there always is.
    #[directive("client_body_in_single_buffer", default = "off")]
    pub in_single_buffer: bool,
}

choice! {
    /// Whether every body goes to a file.
    pub enum InFileOnly {
        /// Only large ones.
        Off = "off",
        /// All, and the files stay.
        On = "on",
        /// All, and the files go when they are done with.
        Clean = "clean",
    }
}

fn temp_path(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<TempPath, Fault> {
    let TempPath { folder, levels } = leveled_path(args, cx)?;
    let folder = cx.names.folder(folder, &levels).map_err(|fault| fault.at(args.first().span))?;
    Ok(TempPath { folder, levels })
}

/// A folder and up to three lengths of folder names in it (nginx: `ngx_conf_set_path_slot`).
pub(crate) fn leveled_path(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<TempPath, Fault> {
    let mut levels = Vec::new();
    for word in args.from(1) {
        // As many characters of a name, of which there are ten.
        let level = word.text.parse().ok().filter(|level| (1..=10).contains(level));
        let fault = || {
            let hint = "lengths of folders' names, three of them at most: 1 2";
            Fault::phrase("invalid value").at(word.span).hint(hint)
        };
        levels.push(level.ok_or_else(fault)?);
    }
    Ok(TempPath { folder: cx.under_prefix(&args.first().text), levels })
}

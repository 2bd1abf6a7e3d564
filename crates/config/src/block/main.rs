//! Outside all blocks: the process.

mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidegate_config_derive::{Block, Directives};

use crate::diagnostic::{Diagnostic, Severity};
use crate::directive::absent::{self, Loading};
use crate::directive::{Arguments, Cx, Fault};
use crate::http::error_log::MainErrorLog;
use crate::value::{Offset, number};
pub use worker::{Affinity, Priority};

impl Process {
    /// Whether each worker has a mask of its own (nginx: `ngx_core_module_init_conf`).
    pub(crate) fn check(&self, cx: &mut Cx<'_>) {
        let masks = self.cpu_affinity.as_ref().filter(|affinity| !affinity.auto);
        let WorkerProcesses::Number(workers) = self.worker_processes else { return };
        let masks = masks.map_or(0, |affinity| affinity.masks.len());
        if masks > 1 && u32::try_from(masks) != Ok(workers) {
            let text = "the number of \"worker_processes\" is not equal to the number of \
                        \"worker_cpu_affinity\" masks, using last mask for remaining worker processes";
            let hint = "say as many masks as workers, or one, or `auto`";
            cx.diagnostics.push(Diagnostic::warn(text).hint(hint));
        }
    }
}

/// What concerns the process.
#[derive(Clone, Debug, Block)]
pub struct Main {
    /// The process.
    pub process: Arc<Process>,
    /// Where its faults are told.
    pub error_log: Arc<MainErrorLog>,
}

/// The process.
#[derive(Clone, Debug, Directives)]
pub struct Process {
    /// Whether it goes to the background.
    #[directive("daemon", only(Main), default = "on")]
    pub daemon: bool,
    /// Whether workers are processes of their own.
    #[directive(
        "master_process",
        only(Main),
        default = "on",
        differs = "workers are threads of one process, beside a master if root starts it"
    )]
    pub master_process: bool,
    /// The file that holds the process's number.
    #[directive("pid", only(Main), default = "logs/nginx.pid", parse = path, args(1))]
    pub pid: PathBuf,
    /// The user, and the group, that it becomes after its sockets are open.
    #[directive("user", only(Main), args(1, 2))]
    pub user: Option<Vec<String>>,
    /// The number of workers; `auto` is the number of processors.
    #[directive("worker_processes", only(Main), default = "1", parse = WorkerProcesses::parse, args(1))]
    pub worker_processes: WorkerProcesses,
    /// How many files may be open.
    #[directive("worker_rlimit_nofile", only(Main))]
    pub rlimit_nofile: Option<u32>,
    /// How large a core file may get.
    #[directive("worker_rlimit_core", only(Main))]
    pub rlimit_core: Option<Offset>,
    /// How much may be in memory. While there is more, idle connections end and new requests are
    /// answered 503; what is being served goes on. Measured ten times a second, without what files
    /// have; the workers' buffers are bounded by their own directives.
    #[directive("worker_memory_limit", only(Main))]
    pub memory_limit: Option<Offset>,
    /// For how long a worker that stops waits for its connections.
    #[directive("worker_shutdown_timeout", only(Main))]
    pub shutdown_timeout: Option<Duration>,
    /// The priority of workers.
    #[directive("worker_priority", only(Main))]
    pub priority: Option<Priority>,
    /// The processors that workers run on.
    #[directive("worker_cpu_affinity", only(Main))]
    pub cpu_affinity: Option<Affinity>,
    /// The folder that the process works in.
    #[directive("working_directory", only(Main))]
    pub working_directory: Option<String>,
    /// Variables of the environment that the worker process keeps (`NAME`) or gets (`NAME=value`); where one
    /// process does all, it keeps the others, too.
    #[directive("env", only(Main), repeat)]
    pub env: Vec<String>,
    /// A part that is loaded.
    #[directive(
        "load_module",
        only(Main),
        repeat,
        parse = load_module,
        args(1),
        differs = "no file is loaded: it says whether the module is built in, and if not what to do instead"
    )]
    pub load_module: Vec<String>,
    /// The file that workers lock.
    #[directive(
        "lock_file",
        only(Main),
        args(1),
        ignored = "workers lock no file, nor do nginx's on Linux"
    )]
    pub lock_file: Option<Vec<String>>,
    /// How exact times are.
    #[directive("timer_resolution", only(Main), args(1), ignored = "times are always exact")]
    pub timer_resolution: Option<Vec<String>>,
    /// What is done at inner faults.
    #[directive("debug_points", only(Main), args(1), ignored = "there are no such points")]
    pub debug_points: Option<Vec<String>>,
    /// Whether regular expressions are compiled.
    #[directive(
        "pcre_jit",
        only(Main),
        default = "off",
        ignored = "regular expressions are always compiled"
    )]
    pub pcre_jit: bool,
    /// The device that encrypts.
    #[directive("ssl_engine", only(Main), args(1), ignored = "no device is used")]
    pub ssl_engine: Option<Vec<String>>,
    /// A pool of threads.
    #[directive(
        "thread_pool",
        only(Main),
        repeat,
        args(2, 3),
        ignored = "one pool serves all files"
    )]
    pub thread_pool: Vec<Vec<String>>,
}

/// The number of workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerProcesses {
    /// As many as processors.
    Auto,
    /// This many.
    Number(u32),
}

impl WorkerProcesses {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if word.text == "auto" {
            return Ok(Self::Auto);
        }
        let number = number::parse(&word.text).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| *number > 0);
        number.map(Self::Number).ok_or_else(|| {
            Fault::phrase("invalid value").at(word.span).hint("`auto`, or a number of workers")
        })
    }
}

/// Says whether a module is built in; what one that is not would do is refused where it is said.
fn load_module(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<String, Fault> {
    let word = args.first();
    let name = word.text.rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix(".so").unwrap_or(name);
    let (severity, text, hint) = match absent::loading(name) {
        Loading::BuiltIn => {
            let text = format!("module \"{name}\" is built into tidegate, nothing is loaded");
            (Severity::Notice, text, "the line may stay, for nginx, or go")
        }
        Loading::Absent(module) => {
            (Severity::Warn, format!("module \"{name}\" not built into tidegate"), module.instead)
        }
        Loading::Unknown => {
            let text = format!("module \"{name}\" is not known, and not built into tidegate");
            (Severity::Warn, text, "its directives, where there are any, are unknown ones")
        }
    };
    cx.diagnostics.push(Diagnostic::new(severity, text).at(word.span).hint(hint));
    Ok(word.text.clone())
}

fn path(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<PathBuf, Fault> {
    Ok(cx.under_prefix(&args.first().text))
}

//! Exit codes of every command, for the manual page; the README has the same table.

/// A command, and what it ends with 0, 1 and 2 for; nothing where it never does.
pub(super) type Row = (&'static str, [&'static str; 3]);

/// What has no row of its own: an option or a command that is not known.
pub(super) const CODES: [Row; 15] = [
    (
        "a start",
        [
            "it was told to stop or quit, or serves in the background",
            "it is refused: an option, the configuration, a log, a socket, the pid file",
            "",
        ],
    ),
    ("-t, -T", ["the configuration could be served by", "it could not", ""]),
    (
        "-s",
        [
            "the signal is sent; with `reload`, the new configuration holds",
            "it is refused, and the old one holds on; or no server runs",
            "",
        ],
    ),
    ("status", ["the server has answered", "no server runs", ""]),
    ("log", ["the server has answered", "no server runs", ""]),
    (
        "reload",
        [
            "the new configuration holds",
            "it is refused, and the old one holds on; or no server runs",
            "",
        ],
    ),
    (
        "upgrade",
        [
            "the new program serves",
            "it does not come up, and the old one goes on; or no server runs",
            "",
        ],
    ),
    ("quit", ["the server ends with its last connection", "no server runs", ""]),
    (
        "upstream",
        ["it is told or done", "it is refused, and nothing has changed; or no server runs", ""],
    ),
    ("lint", ["nothing is found", "something is found", "the configuration is refused"]),
    (
        "fmt",
        [
            "it is done",
            "with `--check`, a file has another form",
            "a file cannot be read or is no configuration",
        ],
    ),
    (
        "explain",
        ["it is explained", "", "the configuration or the URL is refused, or nobody listens there"],
    ),
    ("help", ["it is told", "", "nobody knows of it"]),
    ("completions", ["they are told", "", "they are for bash, zsh or fish alone"]),
    ("man", ["it is told", "", ""]),
];

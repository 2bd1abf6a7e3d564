//! A person's session in a terminal: start, `-t`, a mistake, its mend, reload, status, quit, and Ctrl-C.

use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::harness::config::free_port;
use crate::harness::{Client, eventually, process};

/// A shell on a terminal of its own (`script` makes it).
struct Terminal {
    shell: Child,
    keys: RefCell<ChildStdin>,
    screen: PathBuf,
    folder: tempfile::TempDir,
}

impl Terminal {
    /// `None`, told, where there is no `script`.
    fn open() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let screen = folder.path().join("screen");
        let shell = Command::new("script")
            .args(["-q", "-f", "-c", "sh -i", "screen"])
            .current_dir(folder.path())
            .env("SERVER", process::binary())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut shell) = shell else {
            eprintln!("skipped: `script` is not installed");
            return None;
        };
        let keys = RefCell::new(shell.stdin.take().unwrap());
        Some(Self { shell, keys, screen, folder })
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.screen).unwrap_or_default()).into_owned()
    }

    /// Presses keys.
    fn press(&self, keys: &str) {
        let mut stdin = self.keys.borrow_mut();
        stdin.write_all(keys.as_bytes()).and_then(|()| stdin.flush()).unwrap();
    }

    /// Types a command, and waits for its end; its status, and what it has shown.
    async fn types(&self, command: &str) -> (String, String) {
        let before = self.shown().len();
        self.press(&format!("{command}; echo \"status=$? .\"\n"));
        let shown = || {
            let all = self.shown();
            let text = all.get(before..).unwrap_or_default();
            // What is typed is shown as well.
            let (text, status) = text.rsplit_once("status=")?;
            let status = status.strip_suffix(" .").or(status.split_once(" .").map(|(s, _)| s))?;
            (!status.starts_with('$')).then(|| (status.to_owned(), text.to_owned()))
        };
        eventually(&format!("`{command}` ends"), || async { shown().is_some() }).await;
        shown().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---------- screen\n{}", self.shown());
            // One may be in front; what is typed at once would be lost with it.
            self.press("\x03");
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        self.press("$SERVER -p . -c nginx.conf -s stop; exit\n");
        let _ = self.shell.wait();
    }
}

#[tokio::test]
async fn a_session_from_start_to_quit() {
    if !process::is_ours() {
        return;
    }
    let Some(terminal) = Terminal::open() else { return };
    let port = free_port();
    let client = Client::of_port(port);
    let conf = format!(
        "user root; pid t.pid; error_log error.log notice; events {{}}
         http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 200 word0; }} }}"
    );
    std::fs::write(terminal.folder.path().join("nginx.conf"), conf).unwrap();
    let prompt = || terminal.shown().trim_end().ends_with(['#', '$']);
    eventually("the shell is there", || async { prompt() }).await;
    terminal.types("t() { \"$SERVER\" -p . -c nginx.conf \"$@\"; }").await;
    let is = |(status, shown): (String, String), wanted: &str, words: &str| {
        assert!(status == wanted && shown.contains(words), "{status}: {shown}");
    };
    is(terminal.types("t status").await, "1", "No server runs");
    is(terminal.types("t -t").await, "0", "test is successful");
    let greeting =
        format!("tidegate serves on http://127.0.0.1:{port}/; `tidegate -s quit` ends it");
    is(terminal.types("t").await, "0", &greeting);
    client.get("/").await.is(200).says("word0");
    is(terminal.types("t status").await, "0", "running for");
    is(terminal.types("t").await, "1", "which runs");
    // A mistake, which -t and reload tell, and which changes nothing.
    terminal.types("sed -i 's/return 200 word0;/retrun 200 word1;/' nginx.conf").await;
    is(terminal.types("t -t").await, "1", "unknown directive \"retrun\"");
    is(terminal.types("t -s reload").await, "1", "unknown directive \"retrun\"");
    is(terminal.types("t reload").await, "1", "retrun");
    client.get("/").await.says("word0");
    terminal.types("sed -i 's/retrun/return/' nginx.conf").await;
    is(terminal.types("t -t -q").await, "0", "");
    is(terminal.types("t -s reload").await, "0", "");
    client.get("/").await.says("word1");
    is(terminal.types("t status").await, "0", "reloaded 1 times");
    is(terminal.types("t quit").await, "0", "it ends with its last connection");
    eventually("it ends", || async { !terminal.folder.path().join("t.pid").exists() }).await;
    is(terminal.types("t -s stop").await, "1", "No server runs");
    // In front, it lasts until Ctrl-C.
    terminal.press("t -g 'daemon off;'\n");
    eventually("it serves", || async { client.is_open().await }).await;
    client.get("/").await.says("word1");
    eventually("how it ends", || async { terminal.shown().contains("/; Ctrl-C ends it") }).await;
    terminal.press("\x03");
    eventually("it ends", || async { !client.is_open().await }).await;
    is(terminal.types("cat t.pid").await, "1", "No such file");
}

//! env: what cannot be set in a process that serves by itself is told, and it serves.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::harness::config::free_port;
use crate::harness::{Client, eventually, process};

/// A server that does all in one process, and ends with this.
struct Alone {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Alone {
    fn new() -> Self {
        let port = free_port();
        let server = Self { folder: tempfile::tempdir().unwrap(), port, child: None };
        server.says("env SET=one; env SET=two;");
        server
    }

    /// Writes a configuration with these statements of `env`.
    fn says(&self, env: &str) {
        let port = self.port;
        let conf = format!(
            "daemon off; master_process off; pid t.pid; error_log error.log notice; {env}
             events {{}} http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 200 here; }} }}"
        );
        std::fs::write(self.path("nginx.conf"), conf).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it by a script of which it takes the place.
    async fn start(&mut self, script: &str, input: Stdio) {
        let output = File::create(self.path("output")).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(process::binary()).current_dir(self.folder.path());
        command.env_remove("SET").stdin(input).stdout(output.try_clone().unwrap()).stderr(output);
        self.child = Some(command.spawn().unwrap());
        let socket = self.path("t.pid.sock");
        eventually("it serves", || process::answers(&socket)).await;
        Client::of_port(self.port).get("/").await.is(200).says("here");
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("error.log")).unwrap()
    }

    /// What it is started with.
    fn environment(&self) -> Vec<String> {
        environment(self.pid().cast_signed())
    }

    /// Has another program take its place, and waits until that serves: its number.
    async fn upgrade(&self) -> i32 {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), Signal::USR2).unwrap();
        eventually("two programs serve", || async {
            self.log().contains("new binary process") && self.log().contains(" serves")
        })
        .await;
        std::fs::read_to_string(self.path("t.pid")).unwrap().trim().parse().unwrap()
    }
}

/// What a process is started with.
fn environment(pid: i32) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    text.split('\0').map(str::to_owned).collect()
}

impl Drop for Alone {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        // A program that has taken its place.
        for successor in process::children(child.id().cast_signed()) {
            let _ = kill_process(Pid::from_raw(successor).unwrap(), Signal::KILL);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_process_begins_anew_once_for_a_variable_that_the_system_takes_from_it() {
    if !process::is_ours() {
        return;
    }
    let mut server = Alone::new();
    server.start("exec \"$0\" -p . -c nginx.conf", Stdio::null()).await;
    let mark = format!("TIDEGATE_BEGUN_ANEW={}", server.pid());
    let environment = server.environment();
    assert!(environment.contains(&"SET=two".to_owned()), "{environment:?}");
    assert!(environment.contains(&mark), "{environment:?}");
    assert!(!server.log().contains("does not hold"), "{}", server.log());
    drop(server);
    // As one finds itself that has begun anew, in vain.
    let mut server = Alone::new();
    let script = "TIDEGATE_BEGUN_ANEW=$$ exec \"$0\" -p . -c nginx.conf";
    server.start(script, Stdio::null()).await;
    let log = server.log();
    let told = log.lines().filter(|line| line.contains("[alert]")).collect::<Vec<_>>();
    assert!(told.len() == 1 && told[0].contains("\"SET\" of \"env\" does not hold"), "{log}");
    assert!(!log.contains("two"), "a value may be secret: {log}");
    drop(server);
    // The mark of another process is none.
    let mut server = Alone::new();
    let script = "TIDEGATE_BEGUN_ANEW=1$$ exec \"$0\" -p . -c nginx.conf";
    server.start(script, Stdio::null()).await;
    assert!(server.environment().contains(&"SET=two".to_owned()));
}

#[tokio::test]
async fn a_configuration_that_comes_through_a_pipe_is_read_once() {
    if !process::is_ours() {
        return;
    }
    let mut server = Alone::new();
    let conf = std::fs::read(server.path("nginx.conf")).unwrap();
    let (read, mut write) = std::io::pipe().unwrap();
    write.write_all(&conf).unwrap();
    drop(write);
    server.start("exec \"$0\" -p . -c /dev/stdin", Stdio::from(read)).await;
    let log = server.log();
    assert!(log.contains("\"SET\" of \"env\" does not hold"), "{log}");
    assert!(log.contains("unlike \"/dev/stdin\""), "{log}");
}

#[tokio::test]
async fn what_is_taken_out_of_it_is_gone_after_an_upgrade() {
    if !process::is_ours() {
        return;
    }
    let mut server = Alone::new();
    // Whoever gives up root's rights could not give the pid file another name.
    let user = if geteuid().is_root() { "user root;" } else { "" };
    server.says(&format!("{user} env SET=one; env HELD=two; env STAYS=three;"));
    let script = "HELD=before STAYS=before exec \"$0\" -p . -c nginx.conf";
    server.start(script, Stdio::null()).await;
    let environment_of_first = server.environment();
    for said in ["SET=one", "HELD=two", "STAYS=three"] {
        assert!(environment_of_first.contains(&said.to_owned()), "{environment_of_first:?}");
    }
    server.says(&format!("{user} env STAYS=four;"));
    let environment = environment(server.upgrade().await);
    let of = |name: &str| {
        let name = format!("{name}=");
        environment.iter().find_map(|one| one.strip_prefix(&name)).unwrap_or("")
    };
    assert_eq!((of("SET"), of("HELD"), of("STAYS")), ("", "before", "four"), "{environment:?}");
    assert!(!environment.contains(&"SET=".to_owned()), "{environment:?}");
    assert!(!server.log().contains("does not hold"), "{}", server.log());
}

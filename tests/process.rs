//! The process: it goes to the background, gives up root's rights, and keeps to its limits.

mod background;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use background::Background;
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::config::free_port;
use crate::harness::{Client, DEADLINE, eventually, process};

/// A line of `/proc/PID/…` that begins with a word.
fn line(pid: &str, file: &str, word: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    text.lines().find(|line| line.starts_with(word)).unwrap().to_owned()
}

fn ask(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn run(folder: &Path, words: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.env("KEPT", "1").env("LEFT", "1").env_remove("TZ");
    assert!(command.arg("-p").arg(folder).args(words).status().unwrap().success());
}

#[test]
fn it_goes_to_the_background_as_another_user_with_its_limit_of_files() {
    if !process::is_ours() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let conf = format!(
        "daemon on; user nobody; pid t.pid; worker_processes 2; worker_rlimit_nofile 777;
         worker_priority 5; worker_rlimit_core 1m; working_directory /proc; env KEPT; env SET=2;
         worker_cpu_affinity auto;
         error_log error.log; events {{ worker_connections 64; }}
         http {{ access_log access.log; server {{ listen 127.0.0.1:{port}; return 200 here; }} }}"
    );
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();

    // The one in front comes back when the other listens.
    run(folder.path(), &[]);
    assert!(ask(port).ends_with("here"));
    let pid = std::fs::read_to_string(folder.path().join("t.pid")).unwrap().trim().to_owned();
    let uid = line(&pid, "status", "Uid:");
    assert!(uid.contains("\t0"), "the master keeps root's rights: {uid}");
    let pid = process::children(pid.parse().unwrap()).remove(0).to_string();
    let uid = line(&pid, "status", "Uid:");
    assert!(!uid.contains("\t0"), "{uid}");
    assert_eq!(line(&pid, "status", "CapPrm:"), "CapPrm:\t0000000000000000");
    assert_eq!(line(&pid, "status", "NoNewPrivs:"), "NoNewPrivs:\t1");
    // Two that serve, one that takes orders, one that listens to the master.
    assert_eq!(line(&pid, "status", "Threads:"), "Threads:\t4");
    assert!(line(&pid, "limits", "Max open files").contains(" 777 "));

    assert!(line(&pid, "limits", "Max core file size").contains(" 1048576 "));
    let stat = line(&pid, "stat", &pid);
    assert_eq!(stat.rsplit(") ").next().unwrap().split(' ').nth(16), Some("5"), "{stat}");
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), Path::new("/proc"));
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    let kept: Vec<&str> = environment.split('\0').filter(|one| !one.contains("TIDEGATE")).collect();
    assert_eq!(kept, ["KEPT=1", "SET=2", ""]);

    run(folder.path(), &["-s", "stop"]);
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < deadline, "it still listens");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_worker_has_all_groups_of_its_user_and_no_right_beside() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("unshared"), "").unwrap();
    let mut apart = Command::new("unshare");
    apart.args(["--mount", "mount", "--bind"]).arg(path("unshared")).arg("/etc/group");
    let can = apart.output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: `unshare --mount` takes root's rights");
        return;
    }
    let port = free_port();
    let conf = format!(
        "user nobody main; pid t.pid; error_log error.log; events {{}}
         http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 200 here; }} }}"
    );
    std::fs::write(path("nginx.conf"), conf).unwrap();
    let groups =
        "root:x:0:\nmain:x:4321:\none:x:4322:nobody\nother:x:4323:root\ntwo:x:4324:nobody\n";
    std::fs::write(path("group"), groups).unwrap();
    let script = "mount --bind group /etc/group && exec \"$0\" -p . -c nginx.conf";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(process::binary());
    assert!(command.current_dir(folder.path()).status().unwrap().success());
    assert!(ask(port).ends_with("here"));
    let master = std::fs::read_to_string(path("t.pid")).unwrap().trim().to_owned();
    let worker = process::children(master.parse().unwrap()).remove(0).to_string();
    let said = |word: &str| {
        let line = line(&worker, "status", word);
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(said("Gid:"), ["4321"; 4]);
    assert_eq!(said("Groups:"), ["4321", "4322", "4324"]);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(said(set), ["0000000000000000"], "{set}");
    }
    assert_eq!(said("NoNewPrivs:"), ["1"]);
    assert!(!said("Uid:").contains(&"0".to_owned()));
    kill_process(Pid::from_raw(master.parse().unwrap()).unwrap(), Signal::TERM).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while path("t.pid").exists() {
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test]
async fn who_is_not_root_serves_with_what_is_granted() {
    if !process::is_ours() || !rustix::process::geteuid().is_root() {
        eprintln!("skipped: another user is tried by root");
        return;
    }
    let port = free_port();
    let server = Background { folder: tempfile::tempdir().unwrap(), port };
    let folder = server.folder.path();
    let path = |name: &str| folder.join(name);
    // Where it was built may be closed to others.
    std::fs::copy(process::binary(), path("tidegate")).unwrap();
    std::os::unix::fs::chown(folder, Some(65534), Some(65534)).unwrap();
    let conf = |said: &str| {
        let conf = format!(
            "user daemon; worker_priority -20; pid t.pid; error_log error.log; events {{}} {said}
             http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 200 here; }} }}"
        );
        std::fs::write(path("nginx.conf"), conf).unwrap();
    };
    conf("");
    let run = |words: &[&str]| {
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let mut command = Command::new("setpriv");
        command.args(nobody).arg(path("tidegate")).args(["-p", ".", "-c", "nginx.conf"]);
        let output = command.args(words).current_dir(folder).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    for words in [&["-t"][..], &[]] {
        let (done, text) = run(words);
        assert!(
            done && text.contains("makes sense only if the master process runs with"),
            "{text}"
        );
    }
    let words = "setpriority(-20) failed (13: Permission denied)";
    let log = || std::fs::read_to_string(path("error.log")).unwrap();
    let told = || log().lines().any(|line| line.contains("[alert]") && line.contains(words));
    eventually("the priority is told", || async { told() }).await;
    let (done, text) = run(&["status"]);
    assert!(done && text.contains("serves itself"), "{text}");
    let pid = std::fs::read_to_string(path("t.pid")).unwrap().trim().to_owned();
    assert!(line(&pid, "status", "Uid:").contains("65534"));
    std::fs::write(path("secret.conf"), "").unwrap();
    let secret = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path("secret.conf"), secret).unwrap();
    let client = Client::of_port(port);
    for (said, good) in [("include secret.conf;", false), ("env A;", true)] {
        conf(said);
        let (done, text) = run(&["-s", "reload"]);
        assert!(done == good && text.contains("13: Permission denied") != good, "{text}");
        client.get("/").await.is(200).says("here");
    }
    for words in [&["upgrade"][..], &["-s", "quit"]] {
        client.get("/").await.is(200).says("here");
        let (done, text) = run(words);
        assert!(done, "{text}");
    }
    eventually("it ends", || async { !path("t.pid").exists() }).await;
}

//! The command line.

use std::process::{Command, Stdio};

use crate::harness::{Tidegate, process};

const CONF: &str = "server { listen 127.0.0.1:8080; location / { return 200 ok; } }";

#[tokio::test]
async fn a_configuration_can_be_tested() {
    let (accepted, text) = Tidegate::start(CONF).check(&["-t"]);
    assert!(accepted, "{text}");
    assert!(
        text.contains("nginx: the configuration file PREFIX/nginx.conf syntax is ok"),
        "{text}"
    );
    assert!(
        text.contains("nginx: configuration file PREFIX/nginx.conf test is successful"),
        "{text}"
    );
    let (accepted, text) = Tidegate::start(CONF).check(&["-t", "-q"]);
    assert!(accepted && text.is_empty(), "{text}");
    let (accepted, text) = Tidegate::start("server { nonsense; }").check(&["-t"]);
    assert!(!accepted);
    assert!(text.contains("unknown directive \"nonsense\" in PREFIX/nginx.conf:"), "{text}");
    assert!(text.contains("nginx: configuration file PREFIX/nginx.conf test failed"), "{text}");
}

#[tokio::test]
async fn a_configuration_can_be_shown() {
    let start = Tidegate::start("include more.conf;").with_prefix_file("more.conf", CONF);
    let (accepted, text) = start.check(&["-T"]);
    assert!(accepted, "{text}");
    assert!(text.contains("# configuration file PREFIX/nginx.conf:\n"), "{text}");
    assert!(text.contains("# configuration file PREFIX/more.conf:\nserver { listen"), "{text}");
}

#[tokio::test]
async fn a_reader_may_leave_before_the_end() {
    if !process::is_ours() {
        return;
    }
    for words in [&["man"][..], &["help", "--names"], &["completions", "bash"]] {
        let mut command = Command::new(process::binary());
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.is_empty(), "{words:?}: {told}");
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(process::binary()).arg("man").stdout(full).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("No space left"), "{output:?}");
}

#[tokio::test]
async fn versions_and_help_are_printed() {
    let (accepted, text) = Tidegate::start(CONF).check(&["-v"]);
    assert!(accepted && text.contains(" version: "), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-V"]);
    assert!(accepted && text.contains(" version: "), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-h"]);
    assert!(accepted && text.contains("-t ") && text.contains("-c filename"), "{text}");
}

#[tokio::test]
async fn wrong_options_are_refused() {
    let (accepted, text) = Tidegate::start(CONF).check(&["-x"]);
    assert!(!accepted && text.contains("invalid option: \"x\""), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-g"]);
    assert!(!accepted && text.contains("option \"-g\" requires parameter"), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-p"]);
    assert!(!accepted && text.contains("nginx: option \"-p\" requires directory name"), "{text}");
}

#[tokio::test]
async fn directives_can_be_given_beside_the_file() {
    let (accepted, text) = Tidegate::start(CONF).check(&["-t", "-g", "worker_processes 2;"]);
    assert!(accepted, "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-t", "-g", "nonsense 2;"]);
    assert!(!accepted && text.contains("unknown directive \"nonsense\""), "{text}");
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let first = Tidegate::start(CONF).await;
    let mut second = Tidegate::start(CONF).with_port(8080, first.port(8080)).launch();
    second.ends().await;
    let said = second.read("logs/output");
    assert!(said.contains("bind() to 127.0.0.1:"), "{said}");
    assert!(said.contains(" failed (98: Address"), "{said}");
    assert_eq!(said.matches("[notice] try again to bind() after 500ms").count(), 4, "{said}");
    assert!(said.contains("[emerg] still could not bind()"), "{said}");
    second.logs("[emerg]").await;
    second.logs("still could not bind()").await;
    first.get("/").await.is(200);
}

#[tokio::test]
async fn a_test_opens_what_a_start_would() {
    let conf = |log: &str| {
        format!(
            "access_log {log}; server {{ listen 127.0.0.1:8080; listen unix:s.sock; return 200 ok; }}"
        )
    };
    let (accepted, text) = Tidegate::start(&conf("nowhere/access.log")).check(&["-t"]);
    assert!(!accepted);
    assert!(text.contains("nginx.conf syntax is ok"), "{text}");
    let fault = "open() \"PREFIX/nowhere/access.log\" failed (2: No such file or directory)";
    assert!(text.contains(fault), "{text}");
    assert!(text.contains("nginx.conf test failed"), "{text}");
    // Nothing of it stays, and a server that runs is not in the way.
    let server = Tidegate::start(&conf("logs/access.log")).await;
    server.get("/").await.is(200);
    let before = server.read("nginx.pid");
    let output = server.command(&["-t"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.read("nginx.pid"), before);
    assert!(server.folder().join("s.sock").exists());
    server.get("/").await.is(200);
    let (accepted, text) = Tidegate::start("server { listen 192.0.2.1:8080; }").check(&["-t"]);
    let fault = "bind() to 192.0.2.1:8080 failed (99: Cannot assign requested address)";
    assert!(!accepted && text.contains(fault), "{text}");
}

#[tokio::test]
async fn who_cannot_be_told_is_named() {
    let mut server = Tidegate::start(CONF).await;
    server.get("/").await.is(200);
    let said = |server: &Tidegate| {
        let output = server.command(&["-s", "stop"]);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    // A server that was killed leaves its number behind; one that starts takes the file over.
    server.signal(rustix::process::Signal::KILL);
    server.ends().await;
    let stale = server.pid();
    let text = said(&server);
    assert!(text.contains(&format!("kill({stale}, 15) failed (3: No such process)")), "{text}");
    let pid = server.folder().join("nginx.pid");
    std::fs::write(&pid, "x\n").unwrap();
    let text = said(&server);
    assert!(text.contains("invalid PID number \"x\" in "), "{text}");
    std::fs::remove_file(&pid).unwrap();
    let text = said(&server);
    assert!(text.contains("nginx.pid\" failed (2: No such file or directory)"), "{text}");
}

#[tokio::test]
async fn a_second_server_does_not_take_the_pid_file_of_the_first() {
    if !process::is_ours() {
        return;
    }
    let first = Tidegate::start(CONF).await;
    first.get("/").await.is(200);
    let output = first.command(&[]);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&format!("is the pid file of process {}", first.pid())), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    first.logs("is the pid file of process ").await;
    assert_eq!(first.read("nginx.pid").trim(), first.pid().to_string());
    first.get("/").await.is(200);
}

#[tokio::test]
async fn a_server_is_asked_whatever_has_become_of_its_configuration() {
    if !process::is_ours() {
        return;
    }
    let mut server = Tidegate::start(CONF).await;
    server.put_conf("server { nonsense; }");
    let said = |words: &[&str]| {
        let output = server.command(words);
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    for word in ["reload", "upgrade"] {
        let (done, text) = said(&[word]);
        assert!(!done && text.contains("unknown directive \"nonsense\""), "{text}");
    }
    let (done, text) = said(&["status"]);
    assert!(done && text.contains("running for"), "{text}");
    let (done, text) = said(&["quit"]);
    assert!(done, "{text}");
    server.ends().await;
    server.logs("asked to quit, shutting down").await;
    let (done, text) = said_of_nobody(&server);
    assert!(!done && text.contains("nobody answers beside"), "{text}");
}

fn said_of_nobody(server: &Tidegate) -> (bool, String) {
    let output = server.command(&["status"]);
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn an_error_log_that_cannot_be_written_is_told() {
    if !process::is_ours() {
        return;
    }
    let (accepted, text) = Tidegate::start(CONF).check(&["-t", "-e", "nowhere/error.log"]);
    assert!(accepted, "{text}");
    assert!(text.starts_with("nginx: [alert] could not open error log file: open() \""), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-t", "-q", "-e", "stderr"]);
    assert!(accepted && text.is_empty(), "{text}");
}

#[tokio::test]
async fn versions_go_before_a_test_and_nobody_to_tell_is_an_error() {
    let (accepted, text) = Tidegate::start("server { nonsense; }").check(&["-vt"]);
    assert!(!accepted && text.contains(" version: "), "{text}");
    assert!(text.contains("unknown directive \"nonsense\""), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-s", "stop"]);
    assert!(!accepted, "{text}");
    assert!(text.contains("[error]") && text.contains(" failed (2: No such file"), "{text}");
    let (accepted, text) = Tidegate::start(CONF).check(&["-s", "halt"]);
    assert!(!accepted && text.contains("nginx: invalid option: \"-s halt\""), "{text}");
}

/// Names what only another machine has.
const ELSEWHERE: &str = "include sites/known.conf; include sites/*.conf;
    access_log /nowhere/access.log;
    server { listen 127.0.0.1:8080 ssl; auth_basic a; auth_basic_user_file users;
    ssl_certificate here/not.pem; ssl_certificate_key here/not.key; return 204; }";

#[tokio::test]
async fn a_configuration_can_be_tested_without_its_files() {
    if !process::is_ours() {
        return;
    }
    let (accepted, text) = Tidegate::start(ELSEWHERE).check(&["-t", "--without-files"]);
    assert!(accepted, "{text}");
    for piece in [
        "sites/known.conf\" failed",
        "certificate \"PREFIX/here/not.pem\"",
        "the folder \"/nowhere\"",
    ] {
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(piece)).collect();
        assert!(matches!(lines[..], [line] if line.contains("[notice]")), "{piece}: {text}");
    }
    let faulty = ELSEWHERE.replace("return 204", "gzip maybe; return 204");
    let (accepted, text) = Tidegate::start(&faulty).check(&["-t", "--without-files"]);
    assert!(!accepted && text.contains("invalid value \"maybe\""), "{text}");
    let (accepted, text) = Tidegate::start(ELSEWHERE).check(&["-t"]);
    assert!(!accepted && text.contains("[emerg] open() "), "{text}");
}

#[tokio::test]
async fn what_is_missing_is_told_once_with_its_mend() {
    if !process::is_ours() {
        return;
    }
    for (conf, message, mend) in [
        (
            "server { listen 127.0.0.1:8080 ssl; ssl_certificate no.pem; ssl_certificate_key no.key; }",
            "cannot load certificate \"PREFIX/no.pem\"",
            "is it spelled right?",
        ),
        (
            "access_log /nowhere/access.log; server { listen 127.0.0.1:8080; }",
            "open() \"/nowhere/access.log\" failed (2: No such file or directory)",
            "mkdir -p /nowhere makes its folder",
        ),
    ] {
        let (accepted, text) = Tidegate::start(conf).check(&["-t"]);
        assert!(!accepted, "{text}");
        assert_eq!(text.matches("[emerg]").count(), 1, "{text}");
        assert!(text.contains(message) && text.contains(mend), "{text}");
    }
    if rustix::process::geteuid().is_root() {
        let conf = format!("user nobody-at-all; events {{}} http {{ {CONF} }}");
        let (accepted, text) = Tidegate::start(&conf).check(&["-t"]);
        assert!(!accepted && text.contains("getpwnam(\"nobody-at-all\") failed"), "{text}");
        assert!(text.contains("hint: useradd --system nobody-at-all"), "{text}");
    } else {
        eprintln!("skipped: `user` is for root");
    }
}

#[tokio::test]
async fn a_file_to_lock_is_named_in_vain_as_for_nginx() {
    let conf = "lock_file nowhere/lock; events { accept_mutex on; }
         http { access_log off; server { listen 127.0.0.1:8080; return 200 here; } }";
    if process::is_ours() {
        let (accepted, text) = Tidegate::start(conf).check(&["-t"]);
        assert!(accepted && text.contains("workers lock no file"), "{text}");
    }
    let nginx = crate::oracle::nginx::oracle().map(|oracle| oracle.binary.clone());
    for binary in [Some(process::binary()), nginx].into_iter().flatten() {
        let server = Tidegate::start(conf).with_binary(&binary).await;
        server.get("/").await.is(200).says("here");
        assert!(!server.folder().join("nowhere").exists(), "{}", binary.display());
    }
}

//! Sessions of TLS are resumed whoever serves by then: by their tickets after a worker process has
//! died, and in every form after another one has taken its place, and after an upgrade.

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::harness::{Tidegate, eventually, process, tls};

/// Where a session is kept, and how its version is asked for.
const VERSIONS: [(&str, &str); 2] = [("s3", ""), ("s2", "-tls1_2")];

/// Sessions that the server remembers itself, on another port.
const REMEMBERED: [(&str, &str); 2] = [("r3", ""), ("r2", "-tls1_2")];

fn conf(user: &str) -> String {
    format!(
        "{user} error_log logs/error.log info; events {{}} http {{ access_log off;
         server {{ listen 127.0.0.1:8080; return 200 here; }}
         server {{ listen 127.0.0.1:8443 ssl; ssl_certificate cert.pem;
             ssl_certificate_key key.pem; return 200 \"reused=$ssl_session_reused\"; }}
         server {{ listen 127.0.0.1:8444 ssl; ssl_certificate cert.pem; ssl_session_tickets off;
             ssl_session_cache shared:one:1m; ssl_certificate_key key.pem;
             return 200 \"reused=$ssl_session_reused\"; }} }}"
    )
}

async fn over_tls(server: &Tidegate, options: &str) -> String {
    at(server.port(8443), server, options).await
}

async fn at(port: u16, server: &Tidegate, options: &str) -> String {
    let words = format!("s_client -connect 127.0.0.1:{port} -quiet -no_ign_eof {options}");
    tls::openssl(server.folder(), &words, "GET / HTTP/1.0\r\n\r\n").await
}

/// Sessions of both versions are known.
async fn both_are_resumed(server: &Tidegate) {
    for (session, version) in VERSIONS {
        let again = over_tls(server, &format!("-sess_in {session} {version}")).await;
        assert!(again.contains("reused=r"), "{session}: {again}");
    }
}

/// Sessions begin that the server remembers.
async fn are_remembered(server: &Tidegate) {
    for (session, version) in REMEMBERED {
        let options = format!("-sess_out {session} {version}");
        let first = at(server.port(8444), server, &options).await;
        assert!(first.contains("reused=."), "{first}");
    }
}

/// They are known still; each begins another.
async fn remembered_ones_are_resumed(server: &Tidegate) {
    for (session, version) in REMEMBERED {
        let options = format!("-sess_in {session} -sess_out {session} {version}");
        let again = at(server.port(8444), server, &options).await;
        assert!(again.contains("reused=r"), "{session}: {again}");
    }
}

#[tokio::test]
async fn tickets_are_known_after_a_crash_a_new_worker_process_and_an_upgrade() {
    if !process::is_ours() {
        return;
    }
    let is_root = geteuid().is_root();
    let user = |name: &str| if is_root { format!("user {name};") } else { String::new() };
    let mut server = Tidegate::start(&conf(&user("nobody"))).with_certificate(&["localhost"]).await;
    for (session, version) in VERSIONS {
        let first = over_tls(&server, &format!("-sess_out {session} {version}")).await;
        assert!(first.contains("reused=."), "{first}");
    }
    if is_root {
        let pid = server.pid();
        let worker = || process::children(pid).first().copied();
        let before = worker();
        kill_process(Pid::from_raw(before.unwrap()).unwrap(), Signal::KILL).unwrap();
        eventually("another", || async { worker().is_some() && worker() != before }).await;
        both_are_resumed(&server).await;
        are_remembered(&server).await;
        remembered_ones_are_resumed(&server).await;
        server.put_conf(&conf(&user("daemon")));
        assert!(server.command(&["reload"]).status.success());
        server.logs("another worker process serves").await;
        both_are_resumed(&server).await;
        remembered_ones_are_resumed(&server).await;
    } else {
        are_remembered(&server).await;
    }
    let output = server.command(&["upgrade"]);
    assert!(output.status.success(), "{output:?}");
    server.ends().await;
    both_are_resumed(&server).await;
    remembered_ones_are_resumed(&server).await;
    assert!(server.command(&["quit"]).status.success());
    eventually("it ends", || async { !server.is_open().await }).await;
}

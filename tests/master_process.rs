//! master_process: one process does it all where it is off.

use std::os::unix::fs::PermissionsExt;

use rustix::process::geteuid;

use crate::harness::{Tidegate, process};

#[tokio::test]
async fn one_process_is_all_where_no_master_is_wanted() {
    if !process::is_ours() || !geteuid().is_root() {
        eprintln!("skipped: only root has two processes");
        return;
    }
    let conf = |word: &str| {
        format!(
            "master_process off; user nobody; error_log logs/error.log info; events {{}}
             http {{ access_log off; server {{ listen 127.0.0.1:8080; return 200 {word}; }} }}"
        )
    };
    let mut server = Tidegate::start(&conf("one")).await;
    server.get("/").await.says("one");
    assert!(process::children(server.pid()).is_empty());
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let uid = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
    assert!(!uid.contains("\t0"), "root's rights are given up: {uid}");
    // From now on the configuration is read by another user.
    let rights = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(server.folder(), rights).unwrap();
    server.put_conf(&conf("two"));
    let output = server.command(&["reload"]);
    assert!(output.status.success(), "{output:?}");
    server.get("/").await.says("two");
    assert!(server.command(&["quit"]).status.success());
    server.ends().await;
}

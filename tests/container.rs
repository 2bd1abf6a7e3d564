//! In a container: as its first process, by templates, and by the image's recipe.

use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::config::free_port;
use crate::harness::{Client, eventually, process};

#[tokio::test]
async fn the_first_process_of_a_container_buries_orphans() {
    if !process::is_ours() {
        return;
    }
    let apart = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    let can = Command::new("unshare").args(apart).arg("true").output();
    if !can.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: `unshare --pid` takes root's rights");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let conf = format!(
        "daemon off; user root; pid t.pid; error_log error.log info; events {{}}
         http {{ access_log off; server {{ listen 127.0.0.1:{port}; return 200 here; }} }}"
    );
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
    // Whose parent ends at once is left to the first process.
    let script = "(sleep 1000 &); exec \"$0\" -p . -c nginx.conf";
    let mut child = Command::new("unshare")
        .args(apart)
        .args(["sh", "-c", script])
        .arg(process::binary())
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    let client = Client::of_port(port);
    eventually("it serves", || async { client.is_open().await }).await;
    client.get("/").await.is(200).says("here");
    let first = process::children(Pid::from_child(&child).as_raw_pid())[0];
    let is_sleep = |pid: &i32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n")
    };
    let orphan = process::children(first).into_iter().find(is_sleep).expect("an orphan");
    kill_process(Pid::from_raw(orphan).unwrap(), Signal::KILL).unwrap();
    eventually("it is buried", || async { !process::children(first).contains(&orphan) }).await;
    client.get("/").await.is(200).says("here");
    let told = || std::fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
    let first = Pid::from_raw(first).unwrap();
    kill_process(first, Signal::USR2).unwrap();
    eventually("it stays", || async { told().contains("cannot give its place away") }).await;
    kill_process(first, Signal::QUIT).unwrap();
    assert!(child.wait().unwrap().success());
}

/// The words of an instruction of the image's recipe, each time it is there.
fn said<'a>(recipe: &'a str, instruction: &str) -> Vec<&'a str> {
    recipe.lines().filter_map(|line| line.strip_prefix(instruction)?.strip_prefix(' ')).collect()
}

#[tokio::test]
async fn the_image_serves_what_templates_say_and_ends_when_told() {
    if !process::is_ours() {
        return;
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let recipe = std::fs::read_to_string(project.join("conf/Dockerfile")).unwrap();
    // The image, in a folder.
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    for name in said(&recipe, "RUN mkdir -p")[0].split(' ') {
        std::fs::create_dir_all(folder.path().join(&name[1..])).unwrap();
    }
    for words in said(&recipe, "COPY").into_iter().filter(|words| words.contains("/etc/")) {
        let (from, to) = words.rsplit_once(' ').unwrap();
        let script = format!("cp {from} {}{to}", folder.path().display());
        let copied = Command::new("sh").args(["-c", &script]).current_dir(&project).status();
        assert!(copied.unwrap().success(), "{script}");
    }
    let inside = |path: &str| path.replace("/etc/", &format!("{}/etc/", folder.path().display()));
    let conf = folder.path().join("etc/nginx/nginx.conf");
    let text = std::fs::read_to_string(&conf).unwrap();
    assert!(text.contains(" /run/tidegate.pid;"));
    let text = text.replace("/run/", &format!("{}/", folder.path().display()));
    std::fs::write(&conf, text).unwrap();
    let template = "server { listen 127.0.0.1:$PORT; return 200 $uri; }";
    let templates = folder.path().join("etc/nginx/templates");
    std::fs::write(templates.join("site.conf.template"), template).unwrap();

    let words: Vec<String> = serde_json::from_str(said(&recipe, "CMD")[0]).unwrap();
    assert_eq!(words[0], "tidegate");
    let child = Command::new(process::binary())
        .args(words[1..].iter().map(|word| inside(word)))
        .env("PORT", port.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    let client = Client::of_port(port);
    eventually("it serves", || async { client.is_open().await }).await;
    client.get("/here").await.is(200).says("/here");
    assert_eq!(said(&recipe, "STOPSIGNAL"), ["SIGQUIT"]);
    kill_process(pid, Signal::QUIT).unwrap();
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, told) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(out.contains("\"GET /here HTTP/1.1\" 200 "), "{out}");
    assert!(told.contains("[notice]") && told.contains("signal 3 (SIGQUIT) received"), "{told}");
}

#[test]
fn the_image_is_made_of_what_is_there() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(project.join(path)).unwrap();
    let (recipe, manifest) = (read("conf/Dockerfile"), read("Cargo.toml"));
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \""));
    let version = version.unwrap().trim_end_matches('"');
    assert!(said(&recipe, "FROM")[0].starts_with(&format!("rust:{version}-")), "of this Rust");
    let build = said(&recipe, "RUN cargo")[0];
    assert_eq!(build, "build --release --locked --package tidegate");
    let binary = "COPY --from=build /src/target/release/tidegate /usr/sbin/tidegate";
    assert!(recipe.lines().any(|line| line == binary));
    assert!(read("crates/server/Cargo.toml").contains("name = \"tidegate\""));
}

#[test]
fn a_configuration_is_made_of_templates() {
    if !process::is_ours() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("templates")).unwrap();
    let template = "server { listen 127.0.0.1:${PORT}; location / { return 200 $uri; } }";
    std::fs::write(folder.path().join("templates/site.conf.template"), template).unwrap();
    let conf =
        "pid t.pid; error_log stderr; events {} http { access_log off; include conf.d/*.conf; }";
    std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
    let output = Command::new(process::binary())
        .args(["-T", "-p", ".", "--templates", "templates"])
        .current_dir(folder.path())
        .env("PORT", "8000")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("listen 127.0.0.1:8000; location / { return 200 $uri; }"), "{text}");
}

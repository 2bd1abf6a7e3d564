//! PHP-FPM: a site as frameworks have it, all that is no file going to `index.php`.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::net::UnixStream;

use crate::harness::{Tidegate, eventually};

/// PHP-FPM on a unix socket, for as long as the value lives.
struct Fpm {
    folder: TempDir,
    child: Child,
}

impl Fpm {
    async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().display();
        let conf = format!(
            "[global]\nerror_log = {path}/fpm.log\ndaemonize = no\n\
             [www]\nlisten = {path}/php.sock\nlisten.mode = 0666\npm = static\npm.max_children = 1\n\
             php_admin_flag[log_errors] = on\nphp_admin_flag[display_errors] = off\n\
             php_admin_value[upload_max_filesize] = 20M\nphp_admin_value[post_max_size] = 20M\n{}",
            if rustix::process::geteuid().is_root() { "user = root\ngroup = root\n" } else { "" },
        );
        fs::write(folder.path().join("fpm.conf"), conf).expect("a configuration");
        let output = File::create(folder.path().join("output")).expect("a log");
        let child = Command::new(binary())
            .args(["--nodaemonize", "--allow-to-run-as-root", "--no-php-ini", "--fpm-config"])
            .arg(folder.path().join("fpm.conf"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .expect("PHP-FPM starts");
        let fpm = Self { folder, child };
        eventually("PHP-FPM listens", || async {
            UnixStream::connect(fpm.folder.path().join("php.sock")).await.is_ok()
        })
        .await;
        fpm
    }

    fn socket(&self) -> String {
        format!("unix:{}/php.sock", self.folder.path().display())
    }
}

impl Drop for Fpm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["output", "fpm.log"] {
                let log = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
                eprintln!("---------- {name}\n{log}");
            }
        }
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Debian's name of it has its version.
fn binary() -> PathBuf {
    let entries = fs::read_dir("/usr/sbin").into_iter().flatten().flatten();
    let mut found = entries.map(|entry| entry.path()).filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("php-fpm"))
    });
    found.next().expect("no PHP-FPM: run tests/setup.sh")
}

/// The folder that is served: the scripts as they are, and some files.
fn site() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/apps/php/public");
    folder.canonicalize().expect("the folder is there")
}

#[tokio::test]
async fn a_site_with_a_front_controller() {
    let fpm = Fpm::start().await;
    let conf = format!(
        r#"server {{
            listen 127.0.0.1:8080;
            client_max_body_size 20m;
            client_body_buffer_size 16k;
            root {root};
            index index.php;
            location / {{ try_files $uri $uri/ /index.php?$query_string; }}
            location ~ \.php$ {{
                fastcgi_pass {socket};
                fastcgi_index index.php;
                include fastcgi.conf;
            }}
            location ~ ^(.+\.php)(/.*)$ {{
                fastcgi_split_path_info ^(.+\.php)(/.*)$;
                include fastcgi_params;
                fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
                fastcgi_param PATH_INFO $fastcgi_path_info;
                fastcgi_keep_conn on;
                fastcgi_pass {socket};
            }}
            location /private/ {{ internal; alias html/; }}
        }}"#,
        root = site().display(),
        socket = fpm.socket(),
    );
    let server = Tidegate::start(&conf).with_file("file.txt", "a private file").await;

    let page = server.get("/blog/2024?tag=a&tag2=b").await;
    page.is(200)
        .has("Content-Type", "application/json")
        .mentions(r#""uri":"/blog/2024?tag=a&tag2=b""#);
    page.mentions(r#""script":"/index.php""#).mentions(r#""query":{"tag":"a","tag2":"b"}"#);
    page.mentions(r#""filename":"index.php""#).mentions(r#""host":"localhost""#);
    server.get("/").await.is(200).mentions(r#""uri":"/""#);
    let form = "Content-Type: application/x-www-form-urlencoded";
    let page = server.ask(&format!("POST /form | {form} || name=Ann&city=Ulm")).await;
    page.is(200).mentions(r#""form":{"name":"Ann","city":"Ulm"}"#).mentions(r#""length":17"#);
    let chunked = "POST /c | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n";
    server.ask(chunked).await.is(200).mentions(r#""length":3"#);

    server.get("/redirect").await.is(302).has("Location", "/target");
    server.get("/missing").await.is(404).says("no such page");
    let cookies = server.get("/cookies").await;
    assert_eq!(cookies.is(200).fields("Set-Cookie"), ["first=1", "second=2; path=/; HttpOnly"]);
    server.get("/download").await.is(200).says("a private file");
    let large = server.get("/large").await;
    assert_eq!(large.is(200).text().lines().count(), 20_000);
    server.ask("HEAD /large").await.is(200).says("");

    server.get("/warn").await.is(200).says("warned");
    server.logs("FastCGI sent in stderr: \"PHP message: something is odd\"").await;
    server.get("/fatal").await.is(500);
    server.logs("Call to undefined function nothing_of_this_name()").await;

    let first = server.get("/info.php/a/b").await;
    first.is(200).mentions("/info.php /a/b ");
    // The only child is asked again on the connection it was asked on.
    server.get("/info.php/a/b").await.is(200).says(&first.body);
    server.get("/info.php").await.is(200).mentions("/info.php none ");
    server.get("/none.php").await.is(404).mentions("File not found");
    server.logs("Primary script unknown").await;

    let content = "0123456789".repeat(200_000);
    let body = format!(
        "--x\\r\\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\\r\\n\\r\\n{content}\\r\\n--x--\\r\\n"
    );
    let upload = format!("POST /upload | Content-Type: multipart/form-data; boundary=x || {body}");
    // The notation's line ends count two bytes each in the length it tells.
    let upload = upload.replace("\\r\\n", "\n");
    server.ask(&upload).await.is(200).mentions("\"size\":2000000");
}

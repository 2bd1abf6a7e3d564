//! A browser as a client: a page with its parts, media by ranges, a WebSocket, over HTTP/1 and over HTTP/2.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Backend, DEADLINE, Tidegate};

/// A browser that has opened a page; it ends with this.
struct Browser(Child);

impl Browser {
    /// `None`, told, where there is none.
    fn open(url: &str, folder: &Path) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
        command.args(["--ignore-certificate-errors", "--no-first-run", "--disable-extensions"]);
        command.args([
            "--autoplay-policy=no-user-gesture-required",
            "--disable-background-networking",
        ]);
        command.arg(format!("--user-data-dir={}", folder.join("profile").display())).arg(url);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        match command.spawn() {
            Ok(child) => Some(Self(child)),
            Err(error) => {
                eprintln!("skipped: no chromium ({error})");
                None
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.0.id() as i32) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// Within the page of HTTP/1 stands the one of HTTP/2. Each tells what it has seen.
const SCRIPT: &str = "(async () => {
    const said = [];
    const ask = async (path, init) => {
        const answer = await fetch(path, init);
        const text = await answer.text();
        said.push(path + ' ' + answer.status + ' ' + text.length + ' ' + answer.headers.get('content-encoding'));
    };
    await ask('/long.txt', {cache: 'no-store'});
    await ask('/long.txt', {headers: {Range: 'bytes=10-19'}, cache: 'no-store'});
    await ask('/missing');
    await ask('/post', {method: 'POST', body: 'x'.repeat(100000)});
    await ask('/long.txt', {cache: 'no-cache'});
    await ask('/long.txt', {cache: 'no-cache'});
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(number => ask('/many?' + number)));
    await new Promise(done => {
        const sound = new Audio('/sound.wav');
        sound.onloadedmetadata = () => { said.push('sound ' + sound.duration); done(); };
        sound.onerror = () => { said.push('sound fails'); done(); };
        sound.load();
    });
    await new Promise(done => {
        const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
        socket.onmessage = event => {
            said.push('socket ' + event.data);
            if (event.data == 'hello') { socket.send('again'); } else { socket.close(); done(); }
        };
        socket.onerror = () => { said.push('socket fails'); done(); };
    });
    const color = getComputedStyle(document.body).color;
    const entry = performance.getEntriesByName(location.origin + '/many?1')[0];
    said.push('page ' + color + ' ' + document.images[0].naturalWidth + ' ' + entry.nextHopProtocol);
    await fetch('/report', {method: 'POST', body: said.join('\\n')});
    if (parent === window) {
        const frame = document.createElement('iframe');
        frame.src = await (await fetch('/other')).text();
        document.body.append(frame);
    }
})();";

/// What the pages have told.
fn reports(backend: &Backend) -> Vec<String> {
    backend.received().into_iter().filter(|text| text.starts_with("POST /report")).collect()
}

/// A second of silence, and more: 60 s of 8 bits at 8 kHz.
fn sound() -> Vec<u8> {
    let length = 480_000_u32;
    let mut wave = b"RIFF".to_vec();
    wave.extend((length + 36).to_le_bytes());
    wave.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data");
    wave.extend(length.to_le_bytes());
    wave.resize(44 + length as usize, 0x80);
    wave
}

/// An application that speaks WebSocket: it greets, and sends back what it is sent.
async fn socket(mut stream: TcpStream) {
    let mut room = [0; 4096];
    let length = stream.read(&mut room).await.unwrap_or(0);
    let head = String::from_utf8_lossy(&room[..length]).into_owned();
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.to_owned())
    });
    let hash = Sha1::digest(key.unwrap_or_default() + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let switch = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        base64(&hash)
    );
    let _ = stream.write_all(&[switch.as_bytes(), b"\x81\x05hello"].concat()).await;
    let mut frame = [0; 11];
    if stream.read_exact(&mut frame).await.is_ok() {
        let text = (0..5).map(|at| frame[6 + at] ^ frame[2 + at % 4]);
        let _ =
            stream.write_all(&[b"\x81\x05".as_slice(), &text.collect::<Vec<_>>()].concat()).await;
    }
    let _ = stream.read(&mut room).await;
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = bytes.chunks(3).flat_map(|chunk| {
        let three = chunk.iter().fold(0, |all, &byte| all << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        let letter = move |at: usize| char::from(LETTERS[(three >> (18 - 6 * at)) as usize & 63]);
        (0..4).map(move |at| if at <= chunk.len() { letter(at) } else { '=' })
    });
    letters.collect()
}

#[tokio::test]
async fn a_page_and_its_parts() {
    let backend = Backend::http(|_| "HTTP/1.1 204 No Content\r\n\r\n".to_owned()).await;
    let sockets = Backend::raw(socket).await;
    let server = Tidegate::start(
        "gzip on; gzip_types text/plain text/css application/javascript;
         server {
            listen 127.0.0.1:8080; listen 127.0.0.1:8443 ssl; http2 on;
            ssl_certificate cert.pem; ssl_certificate_key key.pem;
            location = /gif { empty_gif; }
            location = /post { return 200 $request_length; }
            location = /many { return 200 many; }
            location = /report { proxy_pass http://127.0.0.1:8090; }
            location = /other { return 200 https://127.0.0.1:8443/; }
            location = /socket {
                proxy_pass http://127.0.0.1:8091; proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
            }
        }",
    )
    .with_port(8090, backend.port())
    .with_port(8091, sockets.port())
    .with_certificate(&["localhost"])
    .with_file(
        "index.html",
        "<!doctype html><link rel=stylesheet href=/style.css><body><img src=/gif>
         <script src=/script.js defer></script>",
    )
    .with_file("style.css", "body { color: rgb(1, 2, 3) }".repeat(20))
    .with_file("script.js", SCRIPT)
    .with_file("long.txt", "0123456789".repeat(500))
    .with_file("sound.wav", sound())
    .await;
    let url = format!("http://127.0.0.1:{}/", server.port(8080));
    let Some(_browser) = Browser::open(&url, server.folder()) else { return };
    let mut told = Vec::new();
    let end = Instant::now() + 4 * DEADLINE;
    while told.len() < 2 {
        assert!(Instant::now() < end, "the browser has told {told:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        told.extend(reports(&backend));
    }
    for (report, protocol) in told.iter().zip(["http/1.1", "h2"]) {
        for said in [
            &format!("page rgb(1, 2, 3) 1 {protocol}"),
            "/long.txt 200 5000 gzip",
            "/long.txt 206 10 null",
            "/missing 404",
            "/post 200",
            "/many?8 200 4 null",
            "sound 60\n",
            "socket hello\nsocket again",
        ] {
            assert!(report.contains(said), "{said} in\n{report}");
        }
    }
    let log = server.read("logs/access.log");
    for said in ["\" 304 ", "\"GET /sound.wav HTTP/1.1\" 206 ", "\"GET /sound.wav HTTP/2.0\" 206 "]
    {
        assert!(log.contains(said), "{said} in\n{log}");
    }
}

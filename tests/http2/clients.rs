//! Clients that people have, over TLS and in the clear: curl, h2load, Python's httpx, h2 and wsproto.

use crate::harness::program::{printed, python};
use crate::harness::{Backend, Tidegate};

const CONF: &str = r#"
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    keepalive_requests 100000;
    server {
        listen 127.0.0.1:8080; listen 127.0.0.1:8443 ssl; http2 on; server_name a.test;
        location / { return 200 "$server_protocol [$ssl_protocol] $ssl_session_reused\n"; }
        location /up { proxy_pass http://127.0.0.1:8090; client_max_body_size 5m; }
        location /files/ { alias html/; }
        location /socket {
            proxy_pass http://127.0.0.1:8091;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
        }
    }"#;

/// A server, and what clients have to know of it.
struct Clients {
    server: Tidegate,
    /// The file of the certificate to be trusted.
    certificate: String,
    _backend: Backend,
}

impl Clients {
    async fn start() -> Self {
        let backend = Backend::http(crate::harness::backend::ok).await;
        let server = Tidegate::start(CONF)
            .with_port(8090, backend.port())
            .with_certificate(&["a.test", "localhost"])
            .with_file("large", "x".repeat(2_000_000))
            .await;
        let certificate = server.folder().join("cert.pem").display().to_string();
        Self { server, certificate, _backend: backend }
    }

    /// In the clear, and over TLS.
    fn urls(&self) -> [String; 2] {
        let port = |named| self.server.port(named);
        [format!("http://localhost:{}", port(8080)), format!("https://localhost:{}", port(8443))]
    }
}

/// What a program of Python prints; `None` where what it needs is not installed.
async fn program(code: &str, arguments: &[&str]) -> Option<String> {
    let text = printed(&python("python"), &[&["-c", code], arguments].concat()).await?;
    if text.trim() == "missing" {
        eprintln!("skipped: a package is not installed (run tests/setup.sh)");
        return None;
    }
    Some(text)
}

#[tokio::test]
async fn curl_gets_and_posts_over_either_protocol() {
    let clients = Clients::start().await;
    let body = format!("@{}", clients.server.folder().join("html/large").display());
    let [plain, encrypted] = &clients.urls();
    for (url, option, said, number) in [
        (plain, "--http1.1", "HTTP/1.1 [] \n", "1.1"),
        (plain, "--http2-prior-knowledge", "HTTP/2.0 [] \n", "2"),
        // A client of HTTP/1 that offers to change stays with HTTP/1, as nginx has it.
        (plain, "--http2", "HTTP/1.1 [] \n", "1.1"),
        (encrypted, "--http1.1", "HTTP/1.1 [TLSv1.3] .\n", "1.1"),
        (encrypted, "--http2", "HTTP/2.0 [TLSv1.3] .\n", "2"),
    ] {
        let usual = ["-sS", option, "--cacert", &clients.certificate];
        let ask = async |more: &[&str]| printed("curl", &[&usual, more].concat()).await;
        let Some(text) = ask(&[&format!("{url}/")]).await else { return };
        assert_eq!(text, said, "{option}");
        let older = ask(&["--tls-max", "1.2", &format!("{url}/")]).await.unwrap_or_default();
        assert_eq!(older, said.replace("1.3", "1.2"), "{option}");
        let sent = ask(&["--data-binary", &body, &format!("{url}/up")]).await.unwrap_or_default();
        assert!(sent.starts_with("POST /up ") && sent.len() > 2_000_000, "{sent:.200}");
        let format = "%{http_version} %{size_download} %{ssl_verify_result}";
        let file = format!("{url}/files/large");
        let got = ask(&["-o", "/dev/null", "-w", format, &file]).await.unwrap_or_default();
        assert_eq!(got, format!("{number} 2000000 0"), "{option}");
    }
}

#[tokio::test]
async fn h2load_finds_no_failure() {
    let clients = Clients::start().await;
    let [plain, encrypted] = &clients.urls();
    for (url, path, count, number, more) in [
        (plain, "/", "3000", "4", "-m100"),
        (plain, "/up", "500", "4", "-m100"),
        (plain, "/files/large", "40", "4", "-m100"),
        (encrypted, "/", "2000", "4", "-m100"),
        (encrypted, "/files/large", "20", "4", "-m10"),
        (encrypted, "/", "100", "100", "--h1"),
    ] {
        let arguments = ["-n", count, "-c", number, more, &format!("{url}{path}")];
        let Some(text) = printed("h2load", &arguments).await else { return };
        let good = format!("{count} succeeded, 0 failed, 0 errored, 0 timeout");
        assert!(text.contains(&good), "{text}");
    }
}

#[tokio::test]
async fn httpx_asks_many_at_once_and_trusts_by_the_file() {
    let clients = Clients::start().await;
    let code = "
import asyncio, ssl, sys
try:
    import httpx, h2
except ImportError:
    sys.exit(print('missing'))
async def main():
    trust = ssl.create_default_context(cafile=sys.argv[2])
    async with httpx.AsyncClient(http1=False, http2=True, verify=trust, base_url=sys.argv[1]) as client:
        answers = await asyncio.gather(*[client.get(f'/{n}', cookies={'a': '1', 'b': '2'}) for n in range(50)])
        print(sum(a.status_code == 200 and a.http_version == 'HTTP/2' for a in answers))
        answer = await client.post('/up', content=b'x' * 300000)
        print(answer.status_code, answer.text.count('x') >= 300000)
asyncio.run(main())
";
    for url in clients.urls() {
        let Some(text) = program(code, &[&url, &clients.certificate]).await else { return };
        assert_eq!(text, "50\n200 True\n");
    }
}

#[tokio::test]
async fn a_websocket_goes_through_both_ways_by_python() {
    let code = "
import asyncio, ssl, sys
from urllib.parse import urlsplit
try:
    import h2.config, h2.connection, h2.events, h2.settings, websockets.asyncio.server as ws
    from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode
except ImportError:
    sys.exit(print('missing'))

async def echo(socket):
    async for message in socket:
        await socket.send(message)

async def main():
    backend = await ws.serve(echo, '127.0.0.1', int(sys.argv[3]), max_size=None)
    url = urlsplit(sys.argv[1])
    trust = None
    if url.scheme == 'https':
        trust = ssl.create_default_context(cafile=sys.argv[2])
        trust.set_alpn_protocols(['h2'])
    reader, writer = await asyncio.open_connection(url.hostname, url.port, ssl=trust)
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    data, said, opened, ended = bytearray(), [], asyncio.Event(), asyncio.Event()
    frames = FrameProtocol(client=True, extensions=[])
    allowed = asyncio.Event()

    async def read():
        while bytes_ := await reader.read(65536):
            for event in client.receive_data(bytes_):
                if isinstance(event, h2.events.RemoteSettingsChanged):
                    if client.remote_settings.enable_connect_protocol: allowed.set()
                elif isinstance(event, h2.events.ResponseReceived):
                    said.append(dict(event.headers)[b':status'].decode()); opened.set()
                elif isinstance(event, h2.events.DataReceived):
                    client.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    frames.receive_bytes(event.data)
                    for frame in frames.received_frames():
                        if frame.opcode == Opcode.CLOSE: said.append(f'close {int(frame.payload[0])}')
                        elif frame.opcode == Opcode.PONG: said.append('pong')
                        else:
                            data.extend(frame.payload if isinstance(frame.payload, (bytes, bytearray)) else frame.payload.encode())
                            if frame.message_finished: said.append(f'{frame.opcode.name} {len(data)}'); data.clear()
                elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)): ended.set()
            writer.write(client.data_to_send())
    task = asyncio.create_task(read())
    writer.write(client.data_to_send())
    await asyncio.wait_for(allowed.wait(), 5)
    client.send_headers(1, [(':method', 'CONNECT'), (':protocol', 'websocket'), (':scheme', url.scheme), (':path', '/socket'),
        (':authority', url.netloc), ('sec-websocket-version', '13'), ('origin', 'http://a.test')])
    writer.write(client.data_to_send())
    await asyncio.wait_for(opened.wait(), 5)

    async def send(payload):
        while payload:
            room = min(client.local_flow_control_window(1), client.max_outbound_frame_size, len(payload))
            if not room:
                await asyncio.sleep(0.001); continue
            client.send_data(1, payload[:room]); payload = payload[room:]
            writer.write(client.data_to_send())
    await send(frames.send_data('hello', True))
    while len(said) < 2: await asyncio.sleep(0.005)
    await send(frames.ping(b'there?'))
    await send(frames.send_data(b'x' * 500_000, True))
    while len(said) < 4: await asyncio.sleep(0.005)
    await send(frames.close(CloseReason.NORMAL_CLOSURE))
    await asyncio.wait_for(ended.wait(), 5)
    print(*said, sep=', ')
    task.cancel(); writer.close(); backend.close()
asyncio.run(asyncio.wait_for(main(), 20))
";
    let clients = Clients::start().await;
    let port = clients.server.port(8091).to_string();
    for url in clients.urls() {
        let arguments = [url.as_str(), &clients.certificate, &port];
        let Some(text) = program(code, &arguments).await else { return };
        assert_eq!(text, "200, TEXT 5, pong, BINARY 500000, close 1000\n", "{url}");
    }
}

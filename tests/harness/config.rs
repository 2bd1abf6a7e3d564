//! A test's configuration made ready to run: free ports, a frame, and a place for the logs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as Name, UnixDatagram};
use std::sync::Mutex;

use socket2::{Domain, Socket, Type};

/// Which free port stands for which of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Ports {
    real: BTreeMap<u16, u16>,
}

impl Ports {
    /// Lets a port of the configuration stand for this one.
    pub fn set(&mut self, named: u16, real: u16) {
        self.real.insert(named, real);
    }

    /// The real port behind one of the configuration.
    pub fn real(&mut self, named: u16) -> u16 {
        *self.real.entry(named).or_insert_with(free_port)
    }

    /// The text with every `:8xxx` and `listen 8xxx` replaced by its real port.
    pub fn put_into(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('8') {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            let digits = from.bytes().take_while(u8::is_ascii_digit).count();
            let is_port = digits == 4 && (out.ends_with(':') || out.ends_with("listen "));
            match from[..digits].parse() {
                Ok(named) if is_port => out.push_str(&self.real(named).to_string()),
                _ => out.push_str(&from[..digits]),
            }
            rest = &from[digits..];
        }
        out + rest
    }

    /// The text with every real port replaced by the name it has in the configuration: a whole number
    /// where a port can stand, for a length or a count may be the same.
    pub fn take_out_of(&self, text: &str) -> String {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
        let named = |word: &str| {
            let number: u16 = word.parse().ok()?;
            self.real.iter().find(|(_, real)| **real == number).map(|(named, _)| named.to_string())
        };
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| is_word(&byte)) {
            let (before, from) = rest.split_at(at);
            let (word, behind) = from.split_at(from.bytes().take_while(is_word).count());
            out.push_str(before);
            let may_be =
                out.is_empty() || out.ends_with([':', '=', '|', '"']) || out.ends_with("port ");
            let name = named(word).filter(|_| may_be);
            out.push_str(&name.unwrap_or_else(|| word.to_owned()));
            rest = behind;
        }
        out + rest
    }
}

/// A port nobody listens on, below those the system gives to clients, and that no other test is given,
/// of this process or another.
pub fn free_port() -> u16 {
    static OURS: Mutex<(Vec<UnixDatagram>, Range<u16>)> = Mutex::new((Vec::new(), 0..0));
    let mut ours = OURS.lock().expect("no panic before");
    loop {
        let Some(port) = ours.1.next() else {
            let (held, ports) = block();
            ours.0.push(held);
            ours.1 = ports;
            continue;
        };
        // Bound and not listened on, so that nobody who waits for a server finds us.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("a socket");
        if socket.bind(&SocketAddr::from(([0, 0, 0, 0], port)).into()).is_ok() {
            return port;
        }
    }
}

/// Ports that no other process of tests has, for as long as the socket of their name lives.
fn block() -> (UnixDatagram, Range<u16>) {
    let first = std::process::id() as u16 % BLOCKS;
    // No round number, which may be a length.
    let mut blocks = (0..BLOCKS).map(|step| 20_001 + (first + step) % BLOCKS * BLOCK);
    let held = |start: u16| {
        let name = Name::from_abstract_name(format!("tidegate-tests-{start}")).ok()?;
        Some((UnixDatagram::bind_addr(&name).ok()?, start..start + BLOCK - 1))
    };
    blocks.find_map(held).expect("ports that no other tests have")
}

/// How many ports a process of tests takes at a time, and how often there are as many.
const BLOCK: u16 = 200;
const BLOCKS: u16 = 60;

/// The ports of the configuration's `listen` statements, as written.
pub fn listening(text: &str) -> Vec<u16> {
    let statements = text.split([';', '{', '}']).map(str::trim_start);
    let addresses = statements.filter_map(|s| s.strip_prefix("listen ")?.split_whitespace().next());
    let mut ports: Vec<u16> =
        addresses.filter_map(|address| address.rsplit(':').next()?.parse().ok()).collect();
    ports.dedup();
    ports
}

/// The unix sockets of the configuration's `listen` statements.
pub fn sockets(text: &str) -> Vec<String> {
    let statements = text.split([';', '{', '}']).map(str::trim_start);
    let addresses =
        statements.filter_map(|s| s.strip_prefix("listen unix:")?.split_whitespace().next());
    addresses.map(str::to_owned).collect()
}

/// Puts bare blocks into `events {} http { … }`, and says where a test keeps pid and logs. Where the
/// server is tidegate, dead backends are told of at once, unless the test says otherwise.
pub fn framed(text: &str, is_ours: bool) -> String {
    let said = |word: &str| {
        text.split([';', '{', '}', '\n'])
            .any(|statement| statement.split_whitespace().next() == Some(word))
    };
    let mut out = String::new();
    let mut main = |word: &str, statement: &str| {
        if !said(word) {
            out.push_str(statement);
            out.push('\n');
        }
    };
    main("daemon", "daemon off;");
    main("pid", "pid nginx.pid;");
    main("events", "events { worker_connections 512; }");
    if rustix::process::geteuid().is_root() {
        main("user", "user root;");
    }
    if said("http") {
        return out + text;
    }
    main("error_log", "error_log logs/error.log info;");
    // Debian's nginx has a folder for them that root's alone is.
    let needs_folder = !is_ours && !rustix::process::geteuid().is_root();
    let bodies = if needs_folder && !said("client_body_temp_path") {
        "client_body_temp_path bodies;\n"
    } else {
        ""
    };
    let access_log = if said("access_log") { "" } else { "access_log logs/access.log;\n" };
    let wait = if is_ours && !said("upstream_wait") { "upstream_wait off;\n" } else { "" };
    format!("{out}http {{\n{access_log}{bodies}{wait}{text}\n}}\n")
}

#[test]
fn a_port_is_named_where_one_can_stand_and_nowhere_else() {
    let mut ports = Ports::default();
    ports.set(8080, 30_000);
    let text = "http://a:30000/ port 30000, SERVER_PORT=30000|30000 Content-Length: 30000 1:130000";
    let named = "http://a:8080/ port 8080, SERVER_PORT=8080|8080 Content-Length: 30000 1:130000";
    assert_eq!(ports.take_out_of(text), named);
}

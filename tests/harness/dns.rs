//! A name server of a few lines: what it answers can be changed while it runs.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// What a name has.
#[derive(Clone, Debug)]
pub enum Record {
    /// An address.
    Address(IpAddr),
    /// A service: priority, weight, port, host.
    Service(u16, u16, u16, &'static str),
}

/// Names, what they have, and for how many seconds.
type Zone = HashMap<String, (u32, Vec<Record>)>;

/// A name server that runs for as long as the value lives.
#[derive(Debug)]
pub struct Dns {
    port: u16,
    zone: Arc<Mutex<Zone>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Dns {
    /// One that knows nothing yet.
    pub async fn start() -> Self {
        Self::start_on("127.0.0.1:0").await.expect("a port")
    }

    /// The same on this address; `None` where nobody may listen there.
    pub async fn start_on(address: &str) -> Option<Self> {
        let socket = UdpSocket::bind(address).await.ok()?;
        let port = socket.local_addr().expect("an address").port();
        let (zone, asked) = (Arc::new(Mutex::new(Zone::new())), Arc::new(AtomicUsize::new(0)));
        let (known, count) = (zone.clone(), asked.clone());
        let task = tokio::spawn(async move {
            let mut packet = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                count.fetch_add(1, Ordering::Relaxed);
                let answer = answer(&packet[..length], &known.lock().expect("no panic before"));
                send(&socket, &answer, from).await;
            }
        });
        Some(Self { port, zone, asked, task })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many questions have come.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// From now on a name has this, for so many seconds.
    pub fn set(&self, name: &str, seconds: u32, records: &[Record]) {
        let mut zone = self.zone.lock().expect("no panic before");
        zone.insert(name.to_owned(), (seconds, records.to_vec()));
    }

    /// The same for addresses.
    pub fn addresses(&self, name: &str, seconds: u32, addresses: &[&str]) {
        let address = |text: &&str| Record::Address(text.parse().expect("an address"));
        self.set(name, seconds, &addresses.iter().map(address).collect::<Vec<_>>());
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn send(socket: &UdpSocket, answer: &[u8], to: SocketAddr) {
    let _ = socket.send_to(answer, to).await;
}

/// The answer to a question (RFC 1035): its records of the type asked for, or that there is no
/// such name.
fn answer(question: &[u8], zone: &Zone) -> Vec<u8> {
    let (name, end) = name_at(question, 12);
    let kind = u16::from_be_bytes([question[end], question[end + 1]]);
    let known = zone.get(&name.to_ascii_lowercase());
    let (seconds, records) = known.cloned().unwrap_or_default();
    let data: Vec<Vec<u8>> = records.iter().filter_map(|record| data(record, kind)).collect();
    let mut out = question[..2].to_vec();
    out.extend([0x81, if known.is_some() { 0x80 } else { 0x83 }]);
    out.extend([0, 1]);
    out.extend((data.len() as u16).to_be_bytes());
    out.extend([0, 0, 0, 0]);
    out.extend(&question[12..end + 4]);
    for data in data {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1]);
        out.extend(seconds.to_be_bytes());
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}

fn data(record: &Record, kind: u16) -> Option<Vec<u8>> {
    match (record, kind) {
        (Record::Address(IpAddr::V4(address)), 1) => Some(address.octets().to_vec()),
        (Record::Address(IpAddr::V6(address)), 28) => Some(address.octets().to_vec()),
        (Record::Service(priority, weight, port, host), 33) => {
            let numbers = [priority, weight, port].map(|number| number.to_be_bytes());
            let mut data = numbers.concat();
            for label in host.split('.') {
                data.push(label.len() as u8);
                data.extend(label.bytes());
            }
            data.push(0);
            Some(data)
        }
        _ => None,
    }
}

/// The name that begins here, and where it ends.
fn name_at(packet: &[u8], mut at: usize) -> (String, usize) {
    let mut labels = Vec::new();
    while packet[at] != 0 {
        let length = usize::from(packet[at]);
        labels.push(String::from_utf8_lossy(&packet[at + 1..=at + length]).into_owned());
        at += length + 1;
    }
    (labels.join("."), at + 1)
}

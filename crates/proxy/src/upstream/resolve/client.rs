//! A client of name servers, one for each worker and each set of servers.
//!
//! Its sockets belong to the event loop of the worker; what it finds is shared by all.

use std::cell::RefCell;
use std::fs::File;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, ResolverBuilder};
use tidegate_config::http::resolver::NameServers;
use tidegate_http::log::words::words;
use tidegate_http::shortage::is_shortage;

use super::Reason;
use super::sockets::Sockets;

/// A client of some name servers.
pub(super) struct Client {
    resolver: Resolver<Sockets>,
    sockets: Sockets,
    ipv4: bool,
    ipv6: bool,
    made: Instant,
}

/// What an SRV record says.
pub(super) struct Service {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    pub(super) target: String,
}

thread_local! {
    static CLIENTS: RefCell<Vec<(Option<NameServers>, Rc<Client>)>> = const { RefCell::new(Vec::new()) };
}

/// How many sets of name servers a worker remembers.
const SETS: usize = 16;

/// After so long the system's files are read again.
const SYSTEM: Duration = Duration::from_secs(10);

/// How long one name server may be silent before it is asked again, or another one.
const PATIENCE: Duration = Duration::from_secs(2);

/// The worker's client of these servers, else of the system's.
pub(super) fn of(servers: Option<&NameServers>) -> Result<Rc<Client>, Reason> {
    CLIENTS.with_borrow_mut(|clients| {
        clients.retain(|(of, client)| of.is_some() || client.made.elapsed() < SYSTEM);
        let known = clients.iter().find(|(of, _)| of.as_ref() == servers);
        if let Some((_, client)) = known {
            return Ok(client.clone());
        }
        let client = Rc::new(Client::new(servers)?);
        if clients.len() >= SETS {
            clients.remove(0);
        }
        clients.push((servers.cloned(), client.clone()));
        Ok(client)
    })
}

impl Client {
    fn new(servers: Option<&NameServers>) -> Result<Self, Reason> {
        let sockets = Sockets::default();
        let mut builder = match servers {
            None => of_the_system(&sockets).map_err(|error| reason(&error))?,
            Some(known) => {
                let each = known.servers.iter().map(|server| {
                    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                    let connections = connections.map(|mut connection| {
                        connection.port = server.port();
                        connection
                    });
                    NameServerConfig::new(server.ip(), true, connections.into())
                });
                let config = ResolverConfig::from_parts(None, Vec::new(), each.collect());
                Resolver::builder_with_config(config, sockets.clone())
            }
        };
        let options = builder.options_mut();
        // Answers are remembered for all workers, not here.
        options.cache_size = 0;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        if servers.is_some() {
            options.timeout = PATIENCE;
            options.use_hosts_file = ResolveHosts::Never;
        }
        let (ipv4, ipv6) = servers.map_or((true, true), |known| (known.ipv4, known.ipv6));
        if !ipv6 {
            options.ip_strategy = LookupIpStrategy::Ipv4Only;
        } else if !ipv4 {
            options.ip_strategy = LookupIpStrategy::Ipv6Only;
        }
        let resolver = builder.build().map_err(|error| reason(&error))?;
        Ok(Self { resolver, sockets, ipv4, ipv6, made: Instant::now() })
    }

    /// The addresses of a host, those of IPv4 first, and until when they are believed.
    pub(super) async fn addresses(&self, host: &str) -> Result<(Vec<IpAddr>, Instant), Reason> {
        let lacked = self.sockets.lacked();
        let found = self.resolver.lookup_ip(host).await;
        let found = found.map_err(|error| self.reason(&error, lacked))?;
        let wanted = |address: &IpAddr| if address.is_ipv4() { self.ipv4 } else { self.ipv6 };
        let mut addresses: Vec<IpAddr> = found.iter().filter(wanted).collect();
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            return Err(not_found());
        }
        Ok((addresses, found.valid_until()))
    }

    /// The SRV records of a name.
    pub(super) async fn services(&self, name: &str) -> Result<(Vec<Service>, Instant), Reason> {
        let lacked = self.sockets.lacked();
        let found = self.resolver.srv_lookup(name).await;
        let found = found.map_err(|error| self.reason(&error, lacked))?;
        let services = found.answers().iter().filter_map(|record| match &record.data {
            RData::SRV(service) => Some(Service {
                priority: service.priority,
                weight: service.weight,
                port: service.port,
                target: service.target.to_utf8(),
            }),
            _ => None,
        });
        let services: Vec<_> = services.collect();
        if services.is_empty() { Err(not_found()) } else { Ok((services, found.valid_until())) }
    }

    /// Why a question was in vain. That there was no socket is not among what the library says: it
    /// has heard of no connection, then.
    fn reason(&self, error: &NetError, lacked: u32) -> Reason {
        match error {
            NetError::NoConnections | NetError::Io(_) if self.sockets.lacked() != lacked => {
                Reason::Shortage(self.sockets.what_lacks())
            }
            error => reason(error),
        }
    }
}

/// Who is asked where nobody is named: those of `/etc/resolv.conf`. Without name servers `/etc/hosts`
/// is still there. What cannot be read for want of a descriptor is not taken for missing.
fn of_the_system(sockets: &Sockets) -> Result<ResolverBuilder<Sockets>, NetError> {
    if let Err(error) = File::open("/etc/hosts")
        && is_shortage(&error)
    {
        return Err(error.into());
    }
    Resolver::builder(sockets.clone()).or_else(|error| match error {
        NetError::Io(error) if is_shortage(&error) => Err(NetError::Io(error)),
        _ => {
            let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
            Ok(Resolver::builder_with_config(nobody, sockets.clone()))
        }
    })
}

/// Why a name has no address, as nginx says it (`ngx_resolver_strerror`).
fn reason(error: &NetError) -> Reason {
    Reason::Said(match error {
        NetError::Io(error) if is_shortage(error) => return Reason::Shortage(words(error)),
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => return not_found(),
            ResponseCode::FormErr => "1: Format error".to_owned(),
            ResponseCode::ServFail => "2: Server failure".to_owned(),
            ResponseCode::NotImp => "4: Unimplemented".to_owned(),
            ResponseCode::Refused => "5: Operation refused".to_owned(),
            code => format!("Unknown error: {code}"),
        },
        NetError::Timeout => "110: Operation timed out".to_owned(),
        error => error.to_string(),
    })
}

fn not_found() -> Reason {
    Reason::Said("3: Host not found".to_owned())
}

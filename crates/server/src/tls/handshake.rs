//! The handshake with a client, from its first byte to the first of a request.

use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use rustls::server::{Accepted, AcceptedAlert, Acceptor};
use rustls::{Error, HandshakeKind, ServerConfig, ServerConnection};
use tidegate_http::client::Connection;
use tidegate_http::tls::session::Session;
use tidegate_http::tls::signed::{self, Signed};
use tokio::time::timeout;

use super::Answers;
use super::broken::{self, Broken};
use super::overheard::Overheard;
use super::resolver::Certificates;
use super::turns::Weight;
use crate::connection::{Encrypted, Raw, Stream};
use crate::runtime::Worker;

/// The first byte of a TLS record that carries a handshake; and the bit that `SSLv2` begins with.
const HANDSHAKE: u8 = 0x16;
const SSL2: u8 = 0x80;

/// Alerts that we send ourselves (RFC 8446, section 6).
const INTERNAL_ERROR: u8 = 80;
const UNRECOGNIZED_NAME: u8 = 112;

/// How a handshake is answered.
struct Chosen {
    config: Arc<ServerConfig>,
    session: Session,
    weight: Weight,
    answers: Arc<Answers>,
}

/// A handshake that has come to something.
struct Shaken {
    tls: ServerConnection,
    session: Session,
}

/// Shakes hands with a client. One that speaks plain HTTP comes back as it is, to be told so. One
/// with whom it comes to nothing has been told, and so has the log.
pub(crate) async fn accept(
    worker: &Worker,
    connection: &mut Connection,
    socket: Stream,
) -> Option<Stream> {
    let patience = patience(worker, connection)?;
    let server = Cell::new(None);
    let broken = match timeout(patience, shake(worker, connection, &socket, &server)).await {
        Ok(Ok(None)) => return Some(socket),
        Ok(Ok(Some(Shaken { tls, session }))) => {
            let session = Arc::new(session);
            connection.tls = Some(Arc::clone(&session));
            return Some(Stream::Tls(Box::new(Encrypted::new(socket, tls, session))));
        }
        Ok(Err(broken)) => broken,
        Err(_) => Broken::TimedOut,
    };
    broken::tell(worker, connection, server.get(), &broken);
    None
}

/// `client_header_timeout`, as in nginx.
fn patience(worker: &Worker, connection: &Connection) -> Option<Duration> {
    let generation = worker.generation();
    let socket = generation.socket(connection)?;
    let server = generation.http.servers.get(socket.default)?;
    Some(server.settings.client_header.timeout)
}

/// `None` where plain HTTP is spoken. `server` is set to the one that is asked for, once it is.
async fn shake(
    worker: &Worker,
    connection: &mut Connection,
    socket: &Stream,
    server: &Cell<Option<usize>>,
) -> Result<Option<Shaken>, Broken> {
    let speaks_tls = tokio::select! {
        speaks = speaks_tls(socket) => speaks?,
        () = worker.dismissal() => return Err(Broken::Dismissed),
    };
    if !speaks_tls {
        return Ok(None);
    }
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        read(socket, |raw| acceptor.read_tls(raw)).await?;
        match acceptor.accept() {
            Ok(None) => {}
            Ok(Some(accepted)) => break accepted,
            Err((error, alert)) => return Err(refused(socket, error, alert)),
        }
    };
    let Chosen { config, mut session, weight, answers } =
        match choose(worker, connection, &accepted, server) {
            Ok(chosen) => chosen,
            Err(broken) => {
                let number = match broken {
                    Broken::Rejected => UNRECOGNIZED_NAME,
                    _ => INTERNAL_ERROR,
                };
                let alert = [0x15, 3, 3, 0, 2, 2, number];
                let _ = socket.try_write_vectored(&[IoSlice::new(&alert)]);
                return Err(broken);
            }
        };
    let work = || signed::during(Signed::default(), || accepted.into_connection(config));
    let (answer, mut signed) = worker.turns.take(weight, work).await.ok_or_else(unsigned)?;
    let tls = answer.map_err(|(error, alert)| refused(socket, error, alert))?;
    let mut tls = Box::new(tls);
    let mut number = None;
    loop {
        let (processed, by);
        let ahead = ahead(&tls, weight, &session);
        (tls, processed, by) = process(worker, ahead, (tls, signed)).await?;
        signed = signed.and(by);
        if let Err(error) = processed {
            // What is wrong is told the client, as far as it fits.
            let _ = tls.write_tls(&mut Raw(socket));
            return Err(Broken::Tls(error));
        }
        flush(&mut tls, &mut Overheard { socket, number: &mut number }).await?;
        if !tls.is_handshaking() || tls.early_data().is_some() {
            session.settle(&tls, signed, number.unwrap_or_default());
            let session = judged(worker, &answers, session).await?;
            return Ok(Some(Shaken { tls: *tls, session }));
        }
        read(socket, |raw| tls.read_tls(raw)).await?;
    }
}

/// What is still ahead in a handshake that has begun, where it has to have its turn: our signature,
/// where the client was asked for another hello; the check of the client's.
fn ahead(tls: &ServerConnection, weight: Weight, session: &Session) -> Option<Weight> {
    if tls.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest) {
        return Some(weight);
    }
    session.judge.is_some().then_some(Weight::Light)
}

/// Goes on with what has come.
async fn process(
    worker: &Worker,
    weight: Option<Weight>,
    (mut tls, so_far): (Box<ServerConnection>, Signed),
) -> Result<(Box<ServerConnection>, Result<(), Error>, Signed), Broken> {
    let work = move || {
        let (processed, signed) = signed::during(so_far, || tls.process_new_packets().map(drop));
        (tls, processed, signed)
    };
    match weight {
        Some(weight) => worker.turns.take(weight, work).await.ok_or_else(unsigned),
        None => Ok(work()),
    }
}

/// Has the client's certificate judged, and, where that is to be, asked about.
async fn judged(
    worker: &Worker,
    answers: &Answers,
    mut session: Session,
) -> Result<Session, Broken> {
    let Some(judge) = session.judge.clone() else { return Ok(session) };
    let work = move || {
        session.distrust = session.judged_by(&judge);
        session
    };
    let mut session = worker.turns.take(Weight::Light, work).await.ok_or_else(unsigned)?;
    if let Some(standing) = answers.standing.as_ref().filter(|_| session.distrust.is_none()) {
        let generation = worker.generation();
        session.revoked = standing.fault(&session.peer, &answers.trust, &generation).await;
    }
    Ok(session)
}

fn unsigned() -> Broken {
    Broken::Io(io::Error::other("the signing thread broke"))
}

async fn speaks_tls(socket: &Stream) -> Result<bool, Broken> {
    loop {
        socket.readable().await?;
        let mut first = [0];
        match socket.try_peek(&mut first) {
            Ok(0) => return Err(Broken::Left),
            Ok(_) => return Ok(first == [HANDSHAKE] || first.iter().any(|byte| byte & SSL2 != 0)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The answers of the server that the client asks for, as nginx finds it by its name; of the
/// socket's where there is none.
fn choose(
    worker: &Worker,
    connection: &mut Connection,
    accepted: &Accepted,
    which: &Cell<Option<usize>>,
) -> Result<Chosen, Broken> {
    let generation = worker.generation();
    let socket = generation.socket(connection).ok_or(Broken::Rejected)?;
    let mut session = Session::offered(&accepted.client_hello());
    let name = session.server_name.as_deref();
    let found = name.and_then(|name| Some(socket.names.find(name.as_bytes())?.server));
    session.is_known_name = found.is_some();
    let number = found.unwrap_or(socket.default);
    which.set(Some(number));
    let server = generation.http.servers.get(number).ok_or(Broken::Rejected)?;
    let answers = generation.tls.answers(number).ok_or(Broken::Rejected)?;
    let config = answers.config(&generation.http, socket, number);
    if server.settings.ssl.verify_client.asks() {
        session.judge = Some(Arc::clone(&answers.trust));
    }
    let Some(named) = &answers.named else {
        answers.certificates.refresh(&generation);
        let (config, answers) = (Arc::clone(config), Arc::clone(answers));
        return Ok(Chosen { config, session, weight: answers.weight, answers });
    };
    // Variables speak of the handshake, too.
    connection.tls = Some(Arc::new(session));
    let certificates = named.certificates(&generation, connection, server);
    let session = connection.tls.take().and_then(Arc::into_inner).unwrap_or_default();
    let certificates = certificates.map_err(Broken::Unnamed)?;
    let certificates = Certificates::new(certificates);
    certificates.refresh(&generation);
    let weight = certificates.weight();
    let mut config = ServerConfig::clone(config);
    config.cert_resolver = Arc::new(certificates);
    Ok(Chosen { config: Arc::new(config), session, weight, answers: Arc::clone(answers) })
}

async fn read(
    socket: &Stream,
    mut take: impl FnMut(&mut dyn io::Read) -> io::Result<usize>,
) -> Result<(), Broken> {
    loop {
        match take(&mut Raw(socket)) {
            Ok(0) => return Err(Broken::Closed),
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => socket.readable().await?,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn flush(tls: &mut ServerConnection, out: &mut Overheard<'_>) -> Result<(), Broken> {
    while tls.wants_write() {
        match tls.write_tls(out) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => out.socket.writable().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn refused(socket: &Stream, error: Error, mut alert: AcceptedAlert) -> Broken {
    // A few bytes at the start of a connection: where they do not fit, nobody reads.
    let _ = alert.write(&mut Raw(socket));
    Broken::Tls(error)
}

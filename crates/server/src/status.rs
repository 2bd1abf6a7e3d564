//! `stub_status`: how many connections there are.

use tidegate_http::body::Body;
use tidegate_http::exchange::Exchange;
use tidegate_http::response::Response;
use tidegate_http::stop::Stop;
use tidegate_http::subrequest::Connections;

use crate::runtime::Generation;

/// Answers as nginx's `stub_status` does.
pub(crate) fn respond(ex: &Exchange<'_>, generation: &Generation) -> Result<Response, Stop> {
    if !matches!(ex.method.as_str(), "GET" | "HEAD") {
        return Err(Stop::Status(405));
    }
    let (accepted, active, requests) = generation.counters.read();
    let Connections { reading, writing, waiting, .. } = generation.counters.connections();
    let taken = accepted + generation.counters.turned_away();
    let text = format!(
        "Active connections: {active} \nserver accepts handled requests\n {taken} {accepted} \
         {requests} \nReading: {reading} Writing: {writing} Waiting: {waiting} \n"
    );
    Ok(Response::new(200).with_type("text/plain").with_body(Body::Bytes(text.into())))
}

//! What happens to an answer on its way to the client, in nginx's order.

mod addition;
mod charset;
pub mod compression;
mod gunzip;
pub mod gzip;
mod headers;
pub mod headers_more;
mod kept;
mod not_modified;
mod range;
pub mod slice;
mod ssi;
mod sub;
mod transform;
pub mod userid;

use crate::error_page;
use crate::exchange::Exchange;
use crate::response::Response;
use crate::stop::Stop;

/// Passes an answer through all filters. It may turn out that another is to be given: 412 or 416,
/// which `error_page` may take over, and whose page passes the filters in its turn.
pub fn apply(ex: &mut Exchange<'_>, mut response: Box<Response>) -> Result<Box<Response>, Stop> {
    error_page::apply_status(ex, &mut response);
    kept::apply(ex, &mut response);
    slice::apply(ex, &mut response)?;
    not_modified::apply(ex, &mut response)?;
    response = headers_more::apply(ex, response);
    response = headers::apply(ex, response);
    apply_to_body(ex, &mut response)?;
    Ok(response)
}

fn apply_to_body(ex: &mut Exchange<'_>, response: &mut Response) -> Result<(), Stop> {
    userid::apply(ex, response);
    gunzip::apply(ex, response);
    addition::apply(ex, response);
    sub::apply(ex, response);
    charset::apply(ex, response);
    ssi::apply(ex, response);
    if let Some(page) = &ex.page {
        page.charset.replace(charset::own(response));
    }
    compression::apply(ex, response);
    range::apply(ex, response)
}

/// Passes the answer to a subrequest through those filters that change its body for the page it
/// becomes a part of (nginx: those that do not end with `r != r->main`).
pub fn apply_within(ex: &mut Exchange<'_>, response: &mut Response) {
    gunzip::apply(ex, response);
    sub::apply(ex, response);
    charset::apply(ex, response);
    ssi::apply(ex, response);
}

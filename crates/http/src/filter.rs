//! What happens to an answer on its way to the client, in nginx's order.

mod addition;
mod charset;
pub mod compression;
mod gunzip;
pub mod gzip;
mod headers;
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
pub fn apply(ex: &mut Exchange<'_>, mut response: Response) -> Result<Response, Stop> {
    error_page::apply_status(ex, &mut response);
    kept::apply(ex, &mut response);
    slice::apply(ex, &mut response)?;
    not_modified::apply(ex, &mut response)?;
    headers::apply(ex, &mut response);
    userid::apply(ex, &mut response);
    gunzip::apply(ex, &mut response);
    addition::apply(ex, &mut response);
    sub::apply(ex, &mut response);
    charset::apply(ex, &mut response);
    ssi::apply(ex, &mut response);
    if let Some(page) = &ex.page {
        page.charset.replace(charset::own(&response));
    }
    compression::apply(ex, &mut response);
    range::apply(ex, &mut response)?;
    Ok(response)
}

/// Passes the answer to a subrequest through those filters that change its body for the page it
/// becomes a part of (nginx: those that do not end with `r != r->main`).
pub fn apply_within(ex: &mut Exchange<'_>, mut response: Response) -> Response {
    gunzip::apply(ex, &mut response);
    sub::apply(ex, &mut response);
    charset::apply(ex, &mut response);
    ssi::apply(ex, &mut response);
    response
}

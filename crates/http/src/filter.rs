//! What happens to an answer on its way to the client, in nginx's order.

mod charset;
pub mod gzip;
mod headers;
mod kept;
mod not_modified;
mod range;

use crate::error_page;
use crate::exchange::Exchange;
use crate::response::Response;
use crate::stop::Stop;

/// Passes an answer through all filters. It may turn out that another is to be given: 412 or 416,
/// which `error_page` may take over, and whose page passes the filters in its turn.
pub fn apply(ex: &mut Exchange<'_>, mut response: Response) -> Result<Response, Stop> {
    error_page::apply_status(ex, &mut response);
    kept::apply(ex, &mut response);
    not_modified::apply(ex, &mut response)?;
    headers::apply(ex, &mut response);
    charset::apply(ex, &mut response);
    gzip::apply(ex, &mut response);
    range::apply(ex, &mut response)?;
    Ok(response)
}

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

/// Passes an answer through all filters.
pub fn apply(ex: &mut Exchange<'_>, mut response: Response) -> Response {
    error_page::apply_status(ex, &mut response);
    kept::apply(ex, &mut response);
    not_modified::apply(ex, &mut response);
    headers::apply(ex, &mut response);
    charset::apply(ex, &mut response);
    gzip::apply(ex, &mut response);
    range::apply(ex, &mut response);
    response
}

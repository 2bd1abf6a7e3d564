//! Where tidegate differs from nginx, and means to.
//!
//! What never agrees is made equal before the comparison (`normal.rs`): the name in `Server` and
//! on error pages is ours; `Date` is the clock's; boundaries of `multipart/byteranges` are any 20
//! digits; chunk sizes, and how a compressed body is cut, say nothing, the body does.

/// Requests that are answered otherwise on purpose: the test, the request, and the reason.
///
/// A line whose request agrees after all is a failure, so that the list stays true.
pub const DELIBERATE: &[(&str, &str, &str)] = &[];

/// Tests whose feature is still to come.
pub const PENDING: &[&str] = &[];

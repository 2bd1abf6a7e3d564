//! Where tidegate differs from nginx, and means to.
//!
//! What never agrees is made equal before the comparison (`normal.rs`): the name in `Server` and
//! on error pages is ours; `Date` is the clock's; boundaries of `multipart/byteranges` are any 20
//! digits; chunk sizes, and how a compressed body is cut, say nothing, the body does.

/// Requests that are answered otherwise on purpose: the test, the request, and the reason.
///
/// A line whose request agrees after all is a failure, so that the list stays true.
pub const DELIBERATE: &[(&str, &str, &str)] = &[
    (
        "headers::added_fields",
        "/server",
        "two fields named Server are no answer; the added one stays",
    ),
    (
        "types::charsets",
        "/variable",
        "nginx drops the connection where a variable in charset has no value; no charset is named",
    ),
    ("not_modified::conditions", "/a.txt | If-Match: \"x\"", AFTER_412),
    ("not_modified::conditions", "/a.txt | If-Unmodified-Since: rubbish", AFTER_412),
    ("not_modified::conditions", "/missing | If-None-Match: *", AFTER_412),
];

/// What nginx does after a 412, while it says that the connection lives on.
const AFTER_412: &str = "nginx drops the connection that it has just answered 412 on";

/// Tests whose feature is still to come.
pub const PENDING: &[&str] = &[];

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
    (
        "headers_more::fields_of_answers",
        "/prefix/none",
        "a prefix that no field has is no field's name; nginx adds a field called Z*",
    ),
    (
        "proxy::response_fields",
        "/100",
        "an interim answer of the upstream is left out; nginx takes it for the answer",
    ),
    (
        "upstream::the_next_is_asked_where_told",
        "/failing?again",
        "the last server is never ejected, and the ejected are asked before a 502",
    ),
    (
        "cgi::requests_over_uwsgi",
        "/ | X_Under: 1 | Proxy: evil | X-Empty:",
        "a client's Proxy field must not become HTTP_PROXY",
    ),
    ("fastcgi::requests", CHUNKED_STD, UNCHUNKED),
    ("fastcgi::requests", CHUNKED_STREAM, UNCHUNKED),
    (
        "cgi::requests_over_scgi",
        "/ | X_Under: 1 | Proxy: evil | X-Empty:",
        "a client's Proxy field must not become HTTP_PROXY",
    ),
    ("cgi::requests_over_scgi", CHUNKED, UNCHUNKED),
    ("cgi::requests_over_scgi", CHUNKED_STREAM, UNCHUNKED),
    ("grpc::requests", "POST /set | X-A: theirs | X-B: theirs | TE: trailers || abc", AUTHORITY),
    ("grpc::requests", "POST /v2/set || abc", AUTHORITY),
    (
        "grpc::answers",
        "/refused",
        "a request that is refused unseen over an idle connection is sent again over a new one",
    ),
    (
        "ssl::servers_are_chosen_by_the_name_that_is_asked_for",
        "@8443 ~A.Test / | Host: A.TEST:1",
        "names are asked for in lower case, so that files named by $ssl_server_name have one spelling",
    ),
    ("cgi::requests_over_uwsgi", CHUNKED, UNCHUNKED),
    ("cgi::requests_over_uwsgi", CHUNKED_STREAM, UNCHUNKED),
];

const AUTHORITY: &str = "a host that is set stands where HTTP/2 has hosts; nginx leaves that away";
const CHUNKED: &str = "POST / | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n";
const CHUNKED_STD: &str = "POST /std | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n";
const CHUNKED_STREAM: &str =
    "POST /streamed | Transfer-Encoding: chunked || 3\\r\\nabc\\r\\n0\\r\\n\\r\\n";
const UNCHUNKED: &str = "the application gets the body with its length, and is told nothing else";

/// Tests whose feature is still to come.
pub const PENDING: &[&str] = &[];

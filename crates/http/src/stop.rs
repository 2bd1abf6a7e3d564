//! Why the phases of a request end.

use bytes::Bytes;

use crate::client::ClientError;
use crate::response::Response;

/// Why the phases of a request end early. It travels by `?`, and the pipeline acts on it.
#[derive(Debug)]
pub enum Stop {
    /// The request ends with this status; `error_page` may take over, else nginx's page is sent.
    Status(u16),
    /// The request ends with this answer as it is.
    Response(Box<Response>),
    /// An answer whose status `error_page` may take over; else it is sent as it is (a redirect, a
    /// 401 with its challenge).
    Special(Box<Response>),
    /// The request goes on with another URI (nginx: `ngx_http_internal_redirect`).
    Redirect {
        /// The new path, decoded.
        uri: Bytes,
        /// The new query.
        args: Option<Bytes>,
    },
    /// The request goes on in a named location, `@` included (nginx: `ngx_http_named_location`).
    Named(String),
    /// The connection is closed without an answer (nginx: 444).
    Close,
    /// The client has left, or does not send what it promised: nobody is answered, and this status
    /// is logged.
    Unanswered(u16),
}

impl Stop {
    /// The status that the request ends with, where `error_page` may take over.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(*status),
            Self::Special(response) => Some(response.status),
            _ => None,
        }
    }
}

impl From<ClientError> for Stop {
    /// Who is silent or gone gets no answer (nginx: `ngx_http_finalize_request` with 408).
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Closed | ClientError::TimedOut => Self::Unanswered(error.status()),
            ClientError::Invalid | ClientError::TooLarge => Self::Status(error.status()),
        }
    }
}

//! range: parts of an answer.

pub mod multipart;
pub mod request;

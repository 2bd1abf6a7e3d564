//! gzip: smaller answers for those who take them.

pub mod accept;
pub mod encode;
pub mod kept;

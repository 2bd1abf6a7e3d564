//! The deployments of five tutorials as people copy them: what is wrong with each is said, and
//! mended they run.

mod diagnosed;
mod mended;

pub use diagnosed::shared;

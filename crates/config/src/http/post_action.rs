//! `post_action`: what is asked after an answer.

use tidegate_config_derive::Directives;

/// What is asked after an answer.
#[derive(Clone, Debug, Directives)]
pub struct PostAction {
    /// The URI, or `@name`, that a request goes on with after its answer; nobody gets what it
    /// answers.
    #[directive("post_action", also(LocationIf), args(1))]
    pub uri: Option<String>,
}

//! `early_hints`: answers with status 103 that are sent on.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault, Join};
use crate::value::Value;
use crate::value::template::Template;

/// Answers with status 103 that are sent on.
#[derive(Clone, Debug, Directives)]
pub struct EarlyHints {
    /// An upstream's answers with status 103 go to the client where one of these is neither empty
    /// nor `0`.
    #[directive("early_hints", joins)]
    pub conditions: Conditions,
}

/// Texts that hold where they are neither empty nor `0`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions(pub Vec<Template>);

impl Join for Conditions {
    fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Value for Conditions {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let texts = args.words.iter().map(|word| Template::compile(word, cx));
        texts.collect::<Result<_, _>>().map(Self)
    }
}

//! `disable_symlinks`: links that are not followed.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault};
use crate::syntax::Word;
use crate::value::Value;
use crate::value::template::Template;

/// Links that are not followed.
#[derive(Clone, Debug, Directives)]
pub struct DisableSymlinks {
    /// Refuses files that a symbolic link leads to: `on` any link, `if_not_owner` one whose owner is
    /// not that of what it leads to; `from=` is the part of the path that may hold links.
    #[directive("disable_symlinks", default = "off")]
    pub rule: SymlinkRule,
}

/// Which links are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymlinkRule {
    /// Which are not.
    pub disable: Disable,
    /// The beginning of paths that is not looked at.
    pub from: Option<Template>,
}

/// Which links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disable {
    /// All are.
    Off,
    /// None is.
    On,
    /// Those of other owners than what they lead to.
    IfNotOwner,
}

impl Value for SymlinkRule {
    const ARITY: Arity = Arity::between(1, 2);

    fn parse(args: &Arguments<'_>, cx: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut rule = Self { disable: Disable::Off, from: None };
        let mut said = false;
        let from = |word: &Word| word.text.starts_with("from=");
        if let [one, two] = args.words
            && from(one) == from(two)
        {
            let text = format!("duplicate parameters \"{} {}\"", one.text, two.text);
            return Err(Fault::sentence(text)
                .at(two.span)
                .hint("off, on or if_not_owner, and from="));
        }
        for word in args.words {
            match word.text.as_str() {
                "off" => rule.disable = Disable::Off,
                "on" => rule.disable = Disable::On,
                "if_not_owner" => rule.disable = Disable::IfNotOwner,
                text => {
                    let Some(from) = text.strip_prefix("from=") else {
                        return Err(Fault::invalid_parameter(word));
                    };
                    rule.from = Some(Template::compile_text(from, word, cx)?);
                    continue;
                }
            }
            said = true;
        }
        if !said {
            let name = &args.name.text;
            let text =
                format!("\"{name}\" must have \"off\", \"on\" or \"if_not_owner\" parameter");
            return Err(Fault::sentence(text));
        }
        if rule.from.is_some() && rule.disable == Disable::Off {
            let text = "\"from=\" cannot be used with \"off\" parameter";
            return Err(Fault::sentence(text).hint("take one of the two away"));
        }
        Ok(rule)
    }
}

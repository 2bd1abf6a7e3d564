//! `modern_browser`, `ancient_browser`: clients told apart by their names.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault, Join};
use crate::value::Value;

/// Clients told apart by their names.
#[derive(Clone, Debug, Directives)]
pub struct Browser {
    /// A browser that is modern from a version on; `unlisted` is all that nothing is said of.
    #[directive("modern_browser", repeat)]
    pub modern: Vec<ModernBrowser>,
    /// Words in the names of browsers that are not.
    #[directive("ancient_browser", repeat)]
    pub ancient: Vec<Vec<String>>,
    /// The value of `$modern_browser` for a modern browser.
    #[directive("modern_browser_value", default = "1", joins)]
    pub modern_value: BrowserValue,
    /// The value of `$ancient_browser` for any other.
    #[directive("ancient_browser_value", default = "1", joins)]
    pub ancient_value: BrowserValue,
}

/// The value of a variable; of several at a level the last one holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserValue(pub String);

impl Join for BrowserValue {
    fn join(self, other: Self) -> Self {
        other
    }
}

impl Value for BrowserValue {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        Ok(Self(args.first().text.clone()))
    }
}

/// One `modern_browser`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModernBrowser {
    /// `unlisted`
    Unlisted,
    /// A browser of the list, and its least version, whose parts count 1000000, 10000, 100 and 1.
    From(&'static KnownBrowser, u64),
}

/// A browser that has a name here.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownBrowser {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Where in `User-Agent` its word is looked for.
    pub skip: usize,
    /// Its word, which its version stands behind.
    pub word: &'static str,
}

/// The browsers, in the order they are looked for (nginx: `ngx_http_modern_browser_masks`).
pub static BROWSERS: [KnownBrowser; 5] = [
    KnownBrowser { name: "opera", skip: 0, word: "Opera " },
    KnownBrowser { name: "msie", skip: 25, word: "MSIE " },
    KnownBrowser { name: "gecko", skip: 13, word: "rv:" },
    KnownBrowser { name: "safari", skip: 13, word: "Safari/" },
    KnownBrowser { name: "konqueror", skip: 25, word: "Konqueror/" },
];

impl Value for ModernBrowser {
    const ARITY: Arity = Arity::between(1, 2);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        if args.words.len() == 1 {
            return if word.text == "unlisted" {
                Ok(Self::Unlisted)
            } else {
                Err(Fault::phrase("invalid number of arguments"))
            };
        }
        let Some(browser) = BROWSERS.iter().find(|known| known.name == word.text) else {
            let text = format!("unknown browser name \"{}\"", word.text);
            return Err(Fault::sentence(text).at(word.span));
        };
        let version = args.at(1);
        let invalid = || {
            Fault::sentence(format!("invalid browser version \"{}\"", version.text))
                .at(version.span)
        };
        let (mut number, mut scale) = (0_u64, 1_000_000_u64);
        for part in version.text.split('.') {
            let part: u64 = part.parse().map_err(|_| invalid())?;
            number = number.saturating_add(part.saturating_mul(scale));
            scale /= 100;
        }
        Ok(Self::From(browser, number))
    }
}

//! One word out of a few (nginx: `ngx_conf_set_enum_slot`).

/// Declares an enum whose variants are words of the configuration.
macro_rules! choice {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The words that are allowed.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// What this word says.
            pub fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl $crate::value::Value for $name {
            fn parse(
                args: &$crate::directive::Arguments<'_>,
                _: &mut $crate::directive::Cx<'_>,
            ) -> Result<Self, $crate::directive::Fault> {
                Self::of(&args.first().text).ok_or_else(|| {
                    $crate::directive::Fault::invalid_value(args.first())
                        .hint(format!("one of: {}", Self::WORDS.join(", ")))
                })
            }
        }
    };
}

pub(crate) use choice;

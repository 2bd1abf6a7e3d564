//! `dav_methods` and what belongs to them: files that clients may change.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault, Join};
use crate::value::Value;

/// Files that clients may change.
#[derive(Clone, Debug, Directives)]
pub struct Dav {
    /// The methods that change files: `PUT`, `DELETE`, `MKCOL`, `COPY`, `MOVE`.
    #[directive(
        "dav_methods",
        default = "off",
        joins,
        differs = "nothing is written where a symbolic link leads out of the root, the root itself is neither removed nor moved, and no link is copied"
    )]
    pub methods: DavMethods,
    /// Makes the folders that a file is put into.
    #[directive("create_full_put_path", default = "off")]
    pub create_path: bool,
    /// How many names a path must have at least to be deleted.
    #[directive("min_delete_depth", default = "0")]
    pub min_delete_depth: u32,
    /// Who may read and write what is made.
    #[directive("dav_access", default = "user:rw")]
    pub access: DavAccess,
}

/// The methods that change files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DavMethods(u8);

impl DavMethods {
    const WORDS: [&'static str; 5] = ["put", "delete", "mkcol", "copy", "move"];

    /// Whether this method, in capitals, is one of them.
    pub fn contains(self, method: &str) -> bool {
        let place = Self::WORDS.iter().position(|word| {
            word.eq_ignore_ascii_case(method)
                && method.bytes().all(|byte| byte.is_ascii_uppercase())
        });
        place.is_some_and(|place| self.0 & 1 << place != 0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Join for DavMethods {
    fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Value for DavMethods {
    const ARITY: Arity = Arity::at_least(1);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let mut methods = Self::default();
        for word in args.words {
            match Self::WORDS.iter().position(|known| known.eq_ignore_ascii_case(&word.text)) {
                Some(place) => methods.0 |= 1 << place,
                None if word.text == "off" => {}
                None => return Err(Fault::invalid_value(word)),
            }
        }
        Ok(methods)
    }
}

/// Who may read and write what is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DavAccess {
    /// The bits for a file (nginx: `ngx_conf_set_access_slot`).
    pub file: u32,
}

impl DavAccess {
    /// The bits for a folder: who may read may enter.
    pub fn folder(self) -> u32 {
        self.file | (self.file & 0o444) >> 2
    }
}

impl Value for DavAccess {
    const ARITY: Arity = Arity::between(1, 3);

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let (mut file, mut user) = (0, 0o600);
        for word in args.words {
            let (who, rights) = word.text.split_once(':').unwrap_or_default();
            let shift = match who {
                "user" => 6,
                "group" => 3,
                "all" => 0,
                _ => return Err(Fault::invalid_value(word)),
            };
            if shift == 6 {
                user = 0;
            }
            file |= match rights {
                "rw" => 6 << shift,
                "r" => 4 << shift,
                _ => return Err(Fault::invalid_value(word)),
            };
        }
        Ok(Self { file: file | user })
    }
}

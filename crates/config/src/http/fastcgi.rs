//! `fastcgi_*` directives that no other protocol has.

use bytes::Bytes;
use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Arity, Cx, Fault, Join};
use crate::http::uwsgi::Param;
use crate::value::Value;
use crate::value::regex::Regex;

/// How a request is forwarded over FastCGI.
#[derive(Clone, Debug, Directives)]
pub struct Fastcgi {
    /// A parameter of the application, and its value.
    #[directive("fastcgi_param", repeat, parse = Param::parse, args(2, 3))]
    pub params: Vec<Param>,
    /// What is put behind a URI that ends with a slash, for `$fastcgi_script_name`.
    #[directive("fastcgi_index", parse = text, args(1))]
    pub index: Bytes,
    /// How a URI is cut into `$fastcgi_script_name` and `$fastcgi_path_info`.
    #[directive("fastcgi_split_path_info", joins)]
    pub split_path_info: Option<Split>,
    /// Whether the application is told to keep its connections, for later requests.
    #[directive("fastcgi_keep_conn", default = "off")]
    pub keep_conn: bool,
    /// Text in the application's error stream that makes its answer invalid.
    #[directive("fastcgi_catch_stderr", repeat, parse = text, args(1))]
    pub catch_stderr: Vec<Bytes>,
    /// How much room a socket must have before it is written to.
    #[directive("fastcgi_send_lowat", args(1), ignored = "it has no effect on Linux")]
    pub send_lowat: Option<crate::value::size::Size>,
}

#[allow(clippy::unnecessary_wraps)] // as all that read an argument
fn text(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Bytes, Fault> {
    Ok(Bytes::copy_from_slice(args.first().text.as_bytes()))
}

/// An expression with two groups: the name of a script, and what stands behind it.
#[derive(Clone, Debug)]
pub struct Split {
    /// The expression.
    pub regex: Regex,
}

/// The last one holds (nginx: `ngx_http_fastcgi_split_path_info` asks for none before it).
impl Join for Option<Split> {
    fn join(self, other: Self) -> Self {
        other
    }
}

impl Value for Split {
    const ARITY: Arity = Arity::ONE;

    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let word = args.first();
        let regex = Regex::new(&word.text, false)
            .map_err(|error| Fault::sentence(error.to_string()).at(word.span))?;
        // The whole match is a group, too.
        if regex.groups() != 3 {
            let text = format!("pattern \"{}\" must have 2 captures", word.text);
            return Err(Fault::sentence(text)
                .at(word.span)
                .hint("the script's name and the path behind it: ^(.+\\.php)(/.*)$"));
        }
        Ok(Self { regex })
    }
}

//! `set_real_ip_from`: whom to believe about the client's address.

use tidegate_config_derive::Directives;

use crate::directive::{Arguments, Cx, Fault};
use crate::http::access::networks;
use crate::value::cidr::Cidr;

/// Whom to believe about the client's address.
#[derive(Clone, Debug, Directives)]
pub struct Realip {
    /// The addresses whose word is taken.
    #[directive("set_real_ip_from", joins, parse = networks, args(1))]
    pub from: Vec<Cidr>,
    /// Where the address is told.
    #[directive("real_ip_header", default = "X-Real-IP", parse = RealIpHeader::parse, args(1))]
    pub header: RealIpHeader,
    /// Whether trusted addresses at the end of the list are passed over.
    #[directive("real_ip_recursive", default = "off")]
    pub recursive: bool,
}

/// Where the client's address is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealIpHeader {
    /// In `X-Real-IP` or any other field with one address.
    Field(String),
    /// In `X-Forwarded-For`, a list.
    ForwardedFor,
    /// By the PROXY protocol.
    ProxyProtocol,
}

impl RealIpHeader {
    fn parse(args: &Arguments<'_>, _: &mut Cx<'_>) -> Result<Self, Fault> {
        let text = &args.first().text;
        Ok(if text.eq_ignore_ascii_case("X-Forwarded-For") {
            Self::ForwardedFor
        } else if text.eq_ignore_ascii_case("proxy_protocol") {
            Self::ProxyProtocol
        } else {
            Self::Field(text.clone())
        })
    }
}

//! `grpc_set_header`: the only directive that gRPC shares with no protocol but HTTP.

use tidegate_config_derive::Directives;

use crate::http::proxy::Field;

/// How a request is forwarded over gRPC.
#[derive(Clone, Debug, Directives)]
pub struct Grpc {
    /// Sets, changes or (with an empty value) removes a field of the forwarded request.
    #[directive("grpc_set_header", repeat, parse = Field::parse, args(2))]
    pub set_header: Vec<Field>,
}

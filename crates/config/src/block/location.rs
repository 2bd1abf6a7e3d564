//! `location`: all that can be said at http, server and location level, and in `if` and
//! `limit_except`.

mod check;
mod draft;
mod name;
mod tree;

use std::sync::Arc;

use tidegate_config_derive::Block;

pub(crate) use draft::LocationDraft;
pub use name::LocationName;
pub use tree::Locations;

use crate::http::access::Access;
use crate::http::addition::Addition;
use crate::http::auth_basic::AuthBasic;
use crate::http::auth_request::AuthRequest;
use crate::http::autoindex::Autoindex;
use crate::http::brotli::Brotli;
use crate::http::browser::Browser;
use crate::http::charset::Charset;
use crate::http::client_body::ClientBody;
use crate::http::dav::Dav;
use crate::http::disable_symlinks::DisableSymlinks;
use crate::http::early_hints::EarlyHints;
use crate::http::echo::Echo;
use crate::http::empty_gif::EmptyGif;
use crate::http::error_log::ErrorLog;
use crate::http::error_page::ErrorPages;
use crate::http::fastcgi::Fastcgi;
use crate::http::forward::Forward;
use crate::http::forward_ssl::ForwardSsl;
use crate::http::grpc::Grpc;
use crate::http::gunzip::Gunzip;
use crate::http::gzip::Gzip;
use crate::http::headers::Headers;
use crate::http::headers_more::HeadersMore;
use crate::http::health_check::HealthChecks;
use crate::http::http2::Http2Answer;
use crate::http::index::Index;
use crate::http::keepalive::Keepalive;
use crate::http::limit_conn::LimitConn;
use crate::http::limit_rate::LimitRate;
use crate::http::limit_req::LimitReq;
use crate::http::log::Log;
use crate::http::mirror::Mirror;
use crate::http::not_modified::NotModified;
use crate::http::open_file_cache::OpenFileCache;
use crate::http::pass::Passes;
use crate::http::post_action::PostAction;
use crate::http::proxy::Proxy;
use crate::http::proxy_cache::Cache;
use crate::http::random_index::RandomIndex;
use crate::http::realip::Realip;
use crate::http::redirect::Redirect;
use crate::http::referer::Referer;
use crate::http::resolver::Resolver;
use crate::http::rewrite::{Rewrite, RewriteLog};
use crate::http::root::{Files, Internal};
use crate::http::satisfy::Satisfy;
use crate::http::scgi::Scgi;
use crate::http::secure_link::SecureLink;
use crate::http::sendfile::Sendfile;
use crate::http::server_tokens::ServerTokens;
use crate::http::slice::Slice;
use crate::http::ssi::Ssi;
use crate::http::store::Store;
use crate::http::stub_status::StubStatus;
use crate::http::sub::Sub;
use crate::http::try_files::TryFiles;
use crate::http::types::{TypeMap, Types};
use crate::http::upstream_wait::UpstreamWait;
use crate::http::userid::UserId;
use crate::http::uwsgi::Uwsgi;
use crate::http::zstd::Zstd;

/// What holds for a request whose URI belongs here.
#[derive(Clone, Debug, Block)]
#[allow(missing_docs)]
pub struct Location {
    pub access: Arc<Access>,
    pub addition: Arc<Addition>,
    pub auth_basic: Arc<AuthBasic>,
    pub auth_request: Arc<AuthRequest>,
    pub autoindex: Arc<Autoindex>,
    pub brotli: Arc<Brotli>,
    pub charset: Arc<Charset>,
    pub client_body: Arc<ClientBody>,
    pub early_hints: Arc<EarlyHints>,
    pub echo: Arc<Echo>,
    pub error_log: Arc<ErrorLog>,
    pub error_page: Arc<ErrorPages>,
    pub fastcgi: Arc<Fastcgi>,
    pub grpc: Arc<Grpc>,
    pub gunzip: Arc<Gunzip>,
    pub gzip: Arc<Gzip>,
    pub headers: Arc<Headers>,
    pub health_check: Arc<HealthChecks>,
    pub headers_more: Arc<HeadersMore>,
    pub http2: Arc<Http2Answer>,
    pub index: Arc<Index>,
    pub internal: Arc<Internal>,
    pub keepalive: Arc<Keepalive>,
    pub limit_conn: Arc<LimitConn>,
    pub limit_rate: Arc<LimitRate>,
    pub limit_req: Arc<LimitReq>,
    pub log: Arc<Log>,
    pub not_modified: Arc<NotModified>,
    pub open_file_cache: Arc<OpenFileCache>,
    pub pass: Arc<Passes>,
    pub post_action: Arc<PostAction>,
    pub proxy: Arc<Proxy>,
    pub realip: Arc<Realip>,
    pub redirect: Arc<Redirect>,
    pub referer: Arc<Referer>,
    pub resolver: Arc<Resolver>,
    pub rewrite: Arc<Rewrite>,
    pub rewrite_log: Arc<RewriteLog>,
    pub root: Arc<Files>,
    pub satisfy: Arc<Satisfy>,
    pub scgi: Arc<Scgi>,
    pub secure_link: Arc<SecureLink>,
    pub sendfile: Arc<Sendfile>,
    pub server_tokens: Arc<ServerTokens>,
    pub ssi: Arc<Ssi>,
    pub stub_status: Arc<StubStatus>,
    pub sub: Arc<Sub>,
    pub try_files: Arc<TryFiles>,
    pub types: Arc<Types>,
    pub upstream_wait: Arc<UpstreamWait>,
    pub uwsgi: Arc<Uwsgi>,
    pub zstd: Arc<Zstd>,
    pub browser: Arc<Browser>,
    pub dav: Arc<Dav>,
    pub disable_symlinks: Arc<DisableSymlinks>,
    pub empty_gif: Arc<EmptyGif>,
    pub mirror: Arc<Mirror>,
    pub random_index: Arc<RandomIndex>,
    pub slice: Arc<Slice>,
    pub userid: Arc<UserId>,
    #[family("proxy")]
    pub proxy_forward: Arc<Forward>,
    #[family("uwsgi")]
    pub uwsgi_forward: Arc<Forward>,
    #[family("fastcgi")]
    pub fastcgi_forward: Arc<Forward>,
    #[family("scgi")]
    pub scgi_forward: Arc<Forward>,
    #[family("grpc")]
    pub grpc_forward: Arc<Forward>,
    #[family("proxy")]
    pub proxy_store: Arc<Store>,
    #[family("uwsgi")]
    pub uwsgi_store: Arc<Store>,
    #[family("fastcgi")]
    pub fastcgi_store: Arc<Store>,
    #[family("scgi")]
    pub scgi_store: Arc<Store>,
    #[family("proxy")]
    pub proxy_cache: Arc<Cache>,
    #[family("uwsgi")]
    pub uwsgi_cache: Arc<Cache>,
    #[family("fastcgi")]
    pub fastcgi_cache: Arc<Cache>,
    #[family("scgi")]
    pub scgi_cache: Arc<Cache>,
    #[family("proxy")]
    pub proxy_ssl: Arc<ForwardSsl>,
    #[family("uwsgi")]
    pub uwsgi_ssl: Arc<ForwardSsl>,
    #[family("grpc")]
    pub grpc_ssl: Arc<ForwardSsl>,
    /// Which URIs belong here.
    #[plain]
    pub name: LocationName,
    /// The locations within it.
    #[plain]
    pub locations: Locations,
    /// Its `if` blocks; a step names its own by place.
    #[plain]
    pub conditions: Vec<Location>,
    /// What holds for all but some methods.
    #[plain]
    pub limit_except: Option<Box<LimitExcept>>,
    /// The table of types; `None` where no level has a `types` block.
    #[plain]
    pub type_map: Option<Arc<TypeMap>>,
}

impl Location {
    /// Whether this holds for it or for any level within it.
    pub fn any(&self, holds: &dyn Fn(&Self) -> bool) -> bool {
        holds(self)
            || self.locations.all().iter().any(|inner| inner.any(holds))
            || self.conditions.iter().any(|inner| inner.any(holds))
            || self.limit_except.as_ref().is_some_and(|limit| limit.location.any(holds))
    }
}

/// A `limit_except` block.
#[derive(Clone, Debug)]
pub struct LimitExcept {
    /// The methods, in upper case, that it does not hold for. GET includes HEAD.
    pub methods: Vec<String>,
    /// What holds for all others.
    pub location: Location,
}

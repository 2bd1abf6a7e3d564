//! `geo`: a value by address.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use tidegate_config::http::geo::Geo;

use crate::client::Endpoint;
use crate::exchange::Exchange;
use crate::phase::realip::forwarded;

/// The value for the address that a request comes from, or names (nginx: `ngx_http_geo_addr`).
pub(super) fn look_up(ex: &mut Exchange<'_>, geo: &Geo) -> Bytes {
    let client = match &geo.source {
        // What is no address is looked up as one that nobody has.
        Some(source) => {
            let text = ex.render(source);
            let address = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
            Endpoint::Ip((address.unwrap_or(IpAddr::V4(Ipv4Addr::BROADCAST)), 0).into())
        }
        None => ex.remote.clone(),
    };
    let values: Vec<&[u8]> =
        ex.request.headers.all(b"X-Forwarded-For").map(AsRef::as_ref).collect();
    let told = forwarded(&client, &values, (&geo.proxies, geo.proxy_recursive));
    let address = match (told, &client) {
        (Some(address), _) => address.ip(),
        (None, Endpoint::Ip(address)) => address.ip(),
        (None, Endpoint::Unix(_)) => IpAddr::V4(Ipv4Addr::BROADCAST),
    };
    geo.networks.get(address).unwrap_or(&geo.default).clone()
}

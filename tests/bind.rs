//! *_bind: every protocol is spoken from the address that was said.

use std::sync::{Arc, Mutex};

use crate::harness::{Backend, Tidegate};

#[tokio::test]
async fn every_protocol_is_spoken_from_the_address_that_was_said() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = Arc::clone(&seen);
    let app = Backend::raw(move |stream| {
        let keep = Arc::clone(&keep);
        async move {
            let address = stream.peer_addr().expect("an address").ip().to_string();
            keep.lock().expect("no panic before").push(address);
        }
    })
    .await;
    let families = ["proxy", "uwsgi", "fastcgi", "scgi", "grpc"];
    let places = families.map(|family| {
        let scheme = if family == "proxy" { "http://" } else { "" };
        format!("location /{family} {{ {family}_pass {scheme}127.0.0.1:8090; {family}_bind $arg_from; }}")
    });
    let conf = format!("server {{ listen 127.0.0.1:8080; {} }}", places.concat());
    let server = Tidegate::start(&conf).with_port(8090, app.port()).await;
    for (number, family) in families.iter().enumerate() {
        let from = format!("127.0.1.{number}");
        server.get(&format!("/{family}?from={from}")).await.is(502);
        let mut seen = seen.lock().expect("no panic before");
        assert!(!seen.is_empty() && seen.drain(..).all(|seen| seen == from), "{family}");
    }
}

#[tokio::test]
async fn what_cannot_be_bound_is_refused() {
    for (words, fault) in [
        ("proxy_bind nowhere;", "invalid address \"nowhere\""),
        ("proxy_bind off transparent;", "invalid address \"off\""),
        ("uwsgi_bind 127.0.0.1 sometimes;", "invalid parameter \"sometimes\""),
        ("proxy_bind $remote_addr transparent;", "\"transparent\" is not supported"),
    ] {
        let (good, text) =
            Tidegate::start(&format!("{words} server {{ listen 127.0.0.1:8080; }}")).check(&["-t"]);
        assert!(!good && text.contains(fault), "{words}: {text}");
    }
}

//! What threads and processes that serve know of each other over a reload.

use std::time::Instant;

use tidegate_config::load;

use super::*;
use crate::listen::{Listeners, Purpose};

/// What a configuration without a socket stands on, and the folder it is in.
fn ground() -> (Ground, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nginx.conf");
    let conf = "error_log stderr emerg; events {} http { access_log off;
         limit_conn_zone $arg_k zone=clients:32k; }";
    std::fs::write(&path, conf).unwrap();
    let options = tidegate_config::Options { prefix: folder.path().into(), ..Default::default() };
    let loaded = load(&path, &options);
    let messages = loaded.messages();
    let config = loaded.config.expect(&messages);
    (Ground::first(config, &Listeners::new(), Purpose::Test).unwrap(), folder)
}

fn eventually(what: &str, so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_thread_that_leaves_is_not_one_of_those_that_a_reload_waits_for() {
    let (ground, _folder) = ground();
    for state in [State::Running, State::Leaving] {
        let first = build(&ground, None).unwrap();
        let (orders, receiver) = watch::channel(first.clone());
        let (post, given) = Post::new();
        let (own, counters) = (Arc::clone(&post), Arc::default());
        let start = Start { orders: receiver, post: own, given, counters, checks: false };
        let thread = std::thread::spawn(move || worker::run(start).unwrap());
        eventually("it serves", || first.heard.load(Ordering::Relaxed) == 1);
        post.leave();
        let next = Orders { state, ..build(&ground, Some(&first.shared)).unwrap() };
        let heard = Arc::clone(&next.heard);
        orders.send_replace(next);
        thread.join().unwrap();
        assert_eq!(heard.load(Ordering::Relaxed), 0, "{state:?}");
    }
}

#[test]
fn one_who_serves_no_more_is_no_neighbour_of_another_in_its_process() {
    let (mut ground, _folder) = ground();
    let first = Serving::build(&ground).unwrap();
    ground.memory = Some(Arc::new(first.memory()));
    let second = Serving::build(&ground).unwrap();
    let zone = |serving: &Serving| {
        let shared = Arc::clone(&serving.orders.borrow().shared);
        shared.zones.ledger().zone(["clients", "$arg_k"], 32768)
    };
    let held = zone(&first).hold(b"a", 1).unwrap();
    eventually("it is known", || zone(&second).hold(b"a", 1).is_err());
    // What it does not give back by itself goes with it.
    drop(first);
    eventually("it is forgotten", || zone(&second).hold(b"a", 1).is_ok());
    drop(held);
}

#[test]
fn what_was_built_and_is_not_to_hold_keeps_no_socket() {
    let (ground, _folder) = ground();
    let mut serving = Serving::build(&ground).unwrap();
    serving.commit().unwrap();
    let ends: [fn(&mut Serving); 2] = [Serving::forget, |serving| serving.order(State::Draining)];
    for end in ends {
        let (next, _folder) = self::ground();
        serving.prepare(&next).unwrap();
        assert_eq!(Arc::strong_count(&next.listeners), 2);
        end(&mut serving);
        assert_eq!(Arc::strong_count(&next.listeners), 1);
    }
    serving.end();
}

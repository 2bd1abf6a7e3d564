//! Which peers requests come to, and what becomes of those that fail.

use std::time::Duration;

use tidegate_config::value::template::Template;

use super::*;
use crate::upstream::peer::Settings;
use crate::upstream::peer::tests::{peers, weighing};

fn group(settings: &[Settings]) -> Balancer {
    Balancer { primary: peers(settings), ..Balancer::default() }
}

fn weights(weights: &[u32]) -> Balancer {
    by(Method::RoundRobin, weights)
}

fn by(method: Method, weights: &[u32]) -> Balancer {
    let names: Vec<_> = weights.iter().enumerate().map(|(n, w)| (format!("s{n}:80"), *w)).collect();
    let group = Balancer::new(method, names.iter().map(|(name, weight)| (name.as_str(), *weight)));
    Balancer { primary: weighing(weights), ..group }
}

fn pick(group: &mut Balancer, now: Instant) -> Option<u64> {
    group.pick(&mut Tried::default(), now).map(|(id, ..)| id)
}

/// A request that begins.
fn begun(group: &Balancer, key: Bytes) -> Tried {
    let mut tried = Tried::default();
    group.begin(&mut tried, key);
    tried
}

/// All that one request may ask, where each fails it.
fn way(group: &mut Balancer, key: &'static str) -> Vec<u64> {
    let (mut tried, now) = (begun(group, key.into()), Instant::now());
    let step = || {
        let id = group.pick(&mut tried, now)?.0;
        group.free(id, Outcome::Passed, now);
        Some(id)
    };
    std::iter::from_fn(step).collect()
}

fn hash(consistent: bool) -> Method {
    Method::Hash { key: Template::default(), consistent }
}

#[test]
fn every_method_asks_each_peer_once() {
    let random = |two| Method::Random { two, time: None };
    let methods =
        [Method::LeastConn, Method::IpHash, hash(false), hash(true), random(false), random(true)];
    for method in methods {
        let mut group = by(method.clone(), &[1, 2, 3]);
        let mut ids = way(&mut group, "/a");
        ids.sort_unstable();
        assert_eq!(ids, [0, 1, 2], "{method:?}");
    }
}

#[test]
fn a_key_asks_the_same_peer_and_an_empty_one_asks_in_turn() {
    for method in [hash(false), hash(true), Method::IpHash] {
        let mut group = by(method, &[1, 1, 1]);
        let ways = [(); 4].map(|()| way(&mut group, "/a")[0]);
        assert!(ways.iter().all(|first| *first == ways[0]), "{ways:?}");
    }
    let mut group = by(hash(false), &[1, 1]);
    let mut first = || {
        let mut tried = begun(&group, Bytes::new());
        let id = group.pick(&mut tried, Instant::now()).unwrap().0;
        group.free(id, Outcome::Answered, Instant::now());
        id
    };
    assert_eq!([first(), first(), first()], [0, 1, 0]);
}

#[test]
fn a_key_of_a_peer_that_is_down_asks_another() {
    for method in
        [hash(false), hash(true), Method::IpHash, Method::Random { two: true, time: None }]
    {
        let mut group = by(method, &[1, 1]);
        group.primary[0].settings.down = true;
        assert!([(); 8].iter().all(|()| way(&mut group, "/a") == [1]));
    }
}

#[test]
fn a_failed_peer_rests_and_is_tried_again() {
    let mut group = weights(&[1, 1]);
    let start = Instant::now();
    assert_eq!(pick(&mut group, start), Some(0));
    assert!(group.free(0, Outcome::Failed, start));
    for _ in 0..3 {
        assert_eq!(pick(&mut group, start + Duration::from_secs(9)), Some(1));
    }
    let later = start + Duration::from_secs(11);
    // Its weight has to grow back first.
    let picks: Vec<_> = (0..4).map(|_| pick(&mut group, later)).collect();
    assert!(picks.contains(&Some(0)), "{picks:?}");
    group.free(0, Outcome::Answered, later);
    assert_eq!(group.primary[0].fails, 0);
}

#[test]
fn one_request_asks_each_peer_once_and_then_the_backup() {
    let mut group = weights(&[1, 1]);
    group.backup = weights(&[1]).primary;
    group.backup[0].id = 9;
    assert_eq!(group.tries(), 3);
    let (mut tried, now) = (Tried::default(), Instant::now());
    let mut next = || {
        let id = group.pick(&mut tried, now)?.0;
        group.free(id, Outcome::Failed, now);
        Some(id)
    };
    assert_eq!([next(), next(), next(), next()], [Some(0), Some(1), Some(9), None]);
}

#[test]
fn the_last_that_is_left_stays_and_a_request_falls_back_on_the_ejected() {
    let mut group = weights(&[1, 1]);
    let now = Instant::now();
    assert_eq!(pick(&mut group, now), Some(0));
    assert!(group.free(0, Outcome::Failed, now));
    let mut tried = Tried::default();
    assert_eq!(group.pick(&mut tried, now).unwrap().0, 1);
    assert!(!group.free(1, Outcome::Failed, now));
    assert_eq!(group.pick(&mut tried, now).unwrap().0, 0);
    group.free(0, Outcome::Failed, now);
    assert!(group.pick(&mut tried, now).is_none());
    assert_eq!(pick(&mut group, now), Some(1));
}

#[test]
fn the_only_peer_is_never_ejected() {
    let mut group = weights(&[1]);
    let now = Instant::now();
    for _ in 0..3 {
        assert_eq!(pick(&mut group, now), Some(0));
        assert!(!group.free(0, Outcome::Failed, now));
    }
    group.primary[0].settings.down = true;
    assert_eq!(pick(&mut group, now), None);
}

#[test]
fn max_fails_zero_and_fail_timeout_zero_never_eject() {
    let never = Settings { max_fails: 0, ..Settings::default() };
    let at_once = Settings { fail_timeout: Duration::ZERO, ..Settings::default() };
    let mut group = group(&[never, at_once]);
    let mut now = Instant::now();
    for _ in 0..4 {
        let id = pick(&mut group, now).unwrap();
        group.free(id, Outcome::Failed, now);
        now += Duration::from_millis(1);
    }
    let (mut tried, mut ids) = (Tried::default(), Vec::new());
    while let Some((id, ..)) = group.pick(&mut tried, now) {
        ids.push(id);
    }
    ids.sort_unstable();
    assert_eq!(ids, [0, 1]);
}

#[test]
fn a_full_peer_is_passed_over() {
    let full = Settings { max_conns: 1, ..Settings::default() };
    let mut group = group(&[full.clone(), full]);
    let now = Instant::now();
    assert_eq!([pick(&mut group, now), pick(&mut group, now)], [Some(0), Some(1)]);
    assert_eq!(pick(&mut group, now), None);
    group.free(1, Outcome::Answered, now);
    assert_eq!(pick(&mut group, now), Some(1));
}

#[test]
fn one_that_is_back_gets_its_share_little_by_little() {
    let slow = Settings { slow_start: Duration::from_secs(10), ..Settings::default() };
    let mut group = group(&[slow, Settings::default()]);
    let start = Instant::now();
    let one = group.pick(&mut Tried::default(), start).unwrap().0;
    group.free(one, Outcome::Failed, start);
    let back = start + Duration::from_secs(11);
    let mut ask = |now: Instant, times: usize| {
        let picked = (0..times).filter_map(|_| {
            let id = pick(&mut group, now)?;
            group.free(id, Outcome::Answered, now);
            Some(id)
        });
        picked.filter(|id| *id == 0).count()
    };
    ask(back, 2);
    let growing = [1, 5, 20].map(|seconds| ask(back + Duration::from_secs(seconds), 40));
    assert!(growing[0] < 8 && (9..17).contains(&growing[1]) && growing[2] > 18, "{growing:?}");
}

#[test]
fn a_client_is_kept_with_its_peer_until_that_fails() {
    let routed =
        |route: &str, drain| Settings { route: route.into(), drain, ..Settings::default() };
    let mut group = group(&[routed("a", false), routed("b", true), routed("c", false)]);
    let now = Instant::now();
    let mut ask = |sid: &'static str| {
        let mut tried = begun(&group, Bytes::new());
        tried.keep_with(Some(sid.into()));
        group.pick(&mut tried, now).map(|(id, ..)| id)
    };
    assert_eq!([ask("c"), ask("c"), ask("b"), ask("gone")], [Some(2), Some(2), Some(1), Some(0)]);
}

#[test]
fn failures_count_within_their_window_and_eject_for_as_long() {
    let twice = Settings { max_fails: 2, ..Settings::default() };
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    let fail = |group: &mut Balancer, now: Instant| {
        let id = group.primary[0].id;
        group.primary[0].begin(now);
        group.free(id, Outcome::Failed, now)
    };
    let is_out = |group: &Balancer, now: Instant| group.primary[0].is_ejected(now);
    let mut group = group(&[twice.clone(), Settings::default()]);
    assert!(!fail(&mut group, at(0)) && !is_out(&group, at(1)));
    assert!(fail(&mut group, at(6)));
    assert!(is_out(&group, at(16)) && !is_out(&group, at(17)));
    // After its time one failure is enough, until it has answered.
    assert!(fail(&mut group, at(17)) && is_out(&group, at(27)));
    let id = group.primary[0].id;
    group.primary[0].begin(at(28));
    group.free(id, Outcome::Answered, at(28));
    assert!(!fail(&mut group, at(29)) && !is_out(&group, at(29)));
    // An answer within the window does not make up for a failure.
    group.primary[0].begin(at(30));
    group.free(id, Outcome::Answered, at(30));
    assert!(fail(&mut group, at(31)));
}

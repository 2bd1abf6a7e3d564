//! Applications that are reloaded, replaced and killed while clients ask all the time.

mod clients;
mod site;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use Change::{Killed, OneKilled, Reloaded, Replaced, Restarted};
use clients::{Counts, Seen};
use site::Site;

use super::application::Runner;
use crate::harness::process;

/// What becomes of the two applications of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// SIGHUP to both: they load their code anew and go on listening.
    Reloaded,
    /// One after the other is marked `down` by a reload of the server, ended by SIGTERM when it has
    /// nothing more to do, started anew and asked again.
    Replaced,
    /// SIGKILL to one of them, which is started anew.
    OneKilled,
    /// SIGTERM to both: they end what they are doing, close their sockets, and are started anew.
    Restarted,
    /// SIGKILL to both: they are gone at once, and are started anew.
    Killed,
}

impl Change {
    /// Whether an application goes away that has been sent requests: what it has not answered then is
    /// lost, and a POST is not sent twice.
    fn cuts(self) -> bool {
        matches!(self, Self::OneKilled | Self::Restarted | Self::Killed)
    }
}

const KINDS: [(Runner, &str, bool); 3] = [
    (Runner::Uwsgi, "uWSGI, TCP", false),
    (Runner::Uwsgi, "uWSGI, unix sockets", true),
    (Runner::Gunicorn, "gunicorn, TCP", false),
];

#[tokio::test]
async fn no_client_sees_an_error_while_applications_restart() {
    if !process::is_ours() {
        return;
    }
    let changes = [Reloaded, Replaced, Killed];
    let seen = restart(&changes, Duration::from_millis(1500), 60, &[]).await;
    for (number, kind) in KINDS.iter().enumerate() {
        for (change, seen) in changes.iter().zip(&seen) {
            let seen = &seen[number][0];
            assert_eq!(seen.failed(*change), [0; 4], "{kind:?} {change:?} {:?}", seen.reasons);
            assert!(seen.gets.answered > 5 && seen.posts.answered > 5, "{seen:?}");
            // Of one that reloads none is in flight, so that none is excused.
            assert!(*change != Reloaded || seen.in_flight == Counts::default(), "{seen:?}");
        }
    }
}

/// The long form, beside nginx: `tests/deploy`. It prints what the documentation says.
#[tokio::test]
#[ignore = "two minutes"]
async fn two_minutes_of_restarts() {
    let kinds = [Reloaded, Replaced, OneKilled, Restarted, Killed];
    let changes = [kinds, kinds].concat();
    let oracle = crate::oracle::nginx::oracle().expect("nginx");
    let seen = restart(&changes, Duration::from_secs(12), 67, &[&oracle.binary]).await;
    let mut table = String::from(
        "| | | GET | failed | POST | failed | POST in flight | lost | POST, `non_idempotent` | failed |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut faults = String::new();
    for (number, kind) in KINDS.iter().enumerate() {
        for (place, server) in ["tidegate", "nginx"].iter().enumerate() {
            for change in kinds {
                let mut sum = Seen::default();
                for (_, seen) in changes.iter().zip(&seen).filter(|(one, _)| **one == change) {
                    sum.add(&seen[number][place]);
                }
                let _ = writeln!(table, "| {}, {change:?} | {server} | {sum} |", kind.1);
                if place == 0 && sum.failed(change) != [0; 4] {
                    let _ = writeln!(faults, "{kind:?} {change:?}: {:?}", sum.reasons);
                }
            }
        }
    }
    println!("{table}");
    assert_eq!(faults, "");
}

/// Runs all kinds side by side behind tidegate and the others: what was seen, by change, by kind, by
/// server.
async fn restart(
    changes: &[Change],
    each: Duration,
    rate: u32,
    others: &[&Path],
) -> Vec<Vec<Vec<Seen>>> {
    let mut site = Site::start(others).await;
    let mut seen = Vec::new();
    for change in changes {
        let asking = site.asked(rate);
        tokio::time::sleep(each / 3).await;
        let windows = site.change(*change).await;
        tokio::time::sleep(each * 2 / 3).await;
        let mut kinds = Vec::new();
        for (clients, windows) in asking.into_iter().zip(&windows) {
            let mut servers = Vec::new();
            for client in clients {
                servers.push(client.end(windows).await);
            }
            kinds.push(servers);
        }
        seen.push(kinds);
    }
    seen
}

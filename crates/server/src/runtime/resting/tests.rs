//! Who is told when.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::*;

fn poll(seat: &Seat<'_>) -> Poll<Over> {
    seat.poll(&Context::from_waker(Waker::noop()))
}

const DISMISSED: Poll<Over> = Poll::Ready(Over::Dismissed);

#[test]
fn who_has_waited_for_longest_makes_room() {
    let resting = Resting::new();
    assert_eq!(resting.press(Duration::ZERO), None);
    let seats: Vec<_> = (0..4).map(|_| resting.seat()).collect();
    for seat in &seats {
        seat.rest(NEVER);
    }
    // The first has been asked, and waits again.
    seats[0].rise();
    seats[0].rest(NEVER);
    seats[2].rise();
    assert_eq!(resting.press(NEVER), Some(false));
    resting.hold();
    for number in [1, 3, 0] {
        assert_eq!(resting.press(Duration::ZERO), Some(true));
        resting.hold();
        let told: Vec<_> = (0..4).filter(|other| poll(&seats[*other]) == DISMISSED).collect();
        assert_eq!(told, [number]);
    }
    assert_eq!(resting.press(Duration::ZERO), None);
}

#[test]
fn another_makes_room_where_one_was_asked_just_then() {
    let resting = Resting::new();
    let seats = [resting.seat(), resting.seat(), resting.seat()];
    for seat in &seats {
        seat.rest(NEVER);
    }
    assert_eq!(resting.press(Duration::ZERO), Some(true));
    seats[0].rise();
    assert_eq!(poll(&seats[1]), DISMISSED);
    assert_eq!(poll(&seats[2]), Poll::Pending);
    resting.hold();
    // Nobody waits for room any more.
    resting.press_all(Duration::ZERO);
    seats[0].rest(NEVER);
    seats[2].rise();
    assert_eq!(poll(&seats[0]), Poll::Pending);
}

#[test]
fn a_place_serves_for_another_connection() {
    let resting = Resting::new();
    let (one, two) = (resting.seat(), resting.seat());
    one.rest(NEVER);
    two.rest(NEVER);
    drop(one);
    let next = resting.seat();
    assert_eq!((next.number, resting.seats.borrow().all.len()), (0, 2));
    next.rest(NEVER);
    resting.dismiss();
    assert_eq!((poll(&two), poll(&next)), (DISMISSED, DISMISSED));
    next.rest(NEVER);
    assert_eq!(poll(&next), DISMISSED);
}

#[tokio::test]
async fn who_waits_for_too_long_is_told_so() {
    let resting = Resting::new();
    let (short, long) = (resting.seat(), resting.seat());
    let (brief, patience) = (Duration::from_millis(60), Duration::from_secs(20));
    let start = std::time::Instant::now();
    let waits = async {
        long.rest(patience);
        tokio::task::yield_now().await;
        // Sooner than what is looked for by now.
        short.rest(brief);
        std::future::poll_fn(|cx| short.poll(cx)).await
    };
    let over = tokio::select! {
        over = waits => over,
        () = resting.look() => unreachable!(),
    };
    let took = start.elapsed();
    assert_eq!(over, Over::Late);
    assert!(took > brief / 2 && took < patience / 4, "{took:?}");
    assert_eq!(poll(&long), Poll::Pending);
}

//! What a worker says is taken for the answer to what was asked, and to nothing else.

use tidegate_config::Options;

use super::*;
use crate::listen::{Listeners, Purpose};
use crate::process::worker_process;

/// A worker process that says what a test has it say.
fn worker() -> (Child, Channel) {
    let (own, other) = UnixStream::pair().unwrap();
    worker_over(own, other)
}

fn worker_over(own: UnixStream, other: UnixStream) -> (Child, Channel) {
    let channel = Channel::patient(own, MOST);
    let pulse = Arc::<Pulse>::default();
    let answers = reply::listen(channel.try_clone().unwrap(), Arc::clone(&pulse)).unwrap();
    // One that is started would have the open files of other tests for a moment.
    let started = Instant::now();
    let outbox = Outbox::new(channel).unwrap();
    let child = Child { process: None, outbox, answers, asked: 0, pulse, started };
    (child, Channel::new(other, worker_process::MOST).unwrap())
}

/// Says of a worker that it has taken so many connections.
fn counted(accepted: u64) -> [[u8; 8]; 5] {
    [accepted, 0, 0, 0, 0].map(u64::to_le_bytes)
}

/// Answers the question of a number; what is not asked has none.
fn say(worker: &Channel, kind: u8, number: Option<u64>, fields: &[&[u8]]) {
    let number = number.map(|number| number.to_le_bytes().to_vec()).unwrap_or_default();
    let fields: Vec<&[u8]> = fields.iter().copied().chain([number.as_slice()]).collect();
    worker.send(kind, &fields, &[]).unwrap();
}

fn say_numbers(worker: &Channel, number: u64, accepted: u64) {
    let fields = counted(accepted);
    let fields: Vec<&[u8]> = fields.iter().map(<[u8; 8]>::as_slice).collect();
    say(worker, answer::NUMBERS, Some(number), &fields);
}

/// The number of the question that comes next, of this kind.
fn heard(worker: &Channel, kind: u8) -> Option<u64> {
    let message = worker.receive().unwrap();
    assert_eq!(message.kind, kind);
    let number = message.fields.last()?;
    Some(u64::from_le_bytes(number.as_slice().try_into().unwrap()))
}

#[tokio::test]
async fn what_comes_of_an_order_is_no_answer_to_a_question() {
    let (mut child, worker) = worker();
    child.order(State::Leaving).unwrap();
    let says = std::thread::spawn(move || {
        assert_eq!(heard(&worker, order::LEAVE), None);
        let asked = heard(&worker, order::NUMBERS).unwrap();
        say(&worker, answer::LEFT, None, &[]);
        say(&worker, answer::COMMITTED, None, &[]);
        say_numbers(&worker, asked, 7);
        let asked = heard(&worker, order::LOG);
        say(&worker, answer::LEFT, None, &[]);
        say(&worker, answer::LOG, asked, &[b"a line"]);
        let asked = heard(&worker, order::MEMORY);
        say(&worker, answer::LEFT, None, &[]);
        say(&worker, answer::WAYS, asked, &[&[0]]);
        say(&worker, answer::MEMORY, asked, &[&[0]]);
        let asked = heard(&worker, order::COMMIT);
        say(&worker, answer::LEFT, None, &[]);
        (worker, asked)
    });
    assert_eq!(child.numbers().await.unwrap().accepted, 7);
    assert_eq!(child.log().await.unwrap(), b"a line");
    assert!(child.memory().await.is_some());
    let worker = {
        let mut committing = std::pin::pin!(child.commit());
        let early = tokio::select! {
            biased;
            _ = &mut committing => true,
            // It has been heard when there is nothing left to be heard.
            () = tokio::time::sleep(Duration::from_millis(50)) => false,
        };
        assert!(!early, "it holds before it holds");
        let (worker, asked) = says.join().unwrap();
        say(&worker, answer::COMMITTED, asked, &[]);
        committing.await.unwrap();
        worker
    };
    drop(worker);
    assert!(child.commit().await.is_err());
}

#[tokio::test]
async fn an_answer_that_is_late_is_none_to_the_next_question() {
    let (mut child, worker) = worker();
    let late = child.ask(order::BUILD, answer::BUILT, Duration::ZERO).await;
    assert!(matches!(late, Err(Silence::Late)));
    let late = child.ask(order::NUMBERS, answer::NUMBERS, Duration::ZERO).await;
    assert!(matches!(late, Err(Silence::Late)));
    say(&worker, answer::BUILT, Some(1), &[]);
    say(&worker, answer::FAULT, Some(3), &[b"no"]);
    say_numbers(&worker, 2, 1);
    say_numbers(&worker, 4, 2);
    let built = child.ask(order::BUILD, answer::BUILT, PATIENCE).await;
    assert!(matches!(built, Ok(Reply::Built(Err(fault))) if fault == "no"));
    assert_eq!(child.numbers().await.unwrap().accepted, 2);
    drop(worker);
    child.ended().await;
    assert!(child.numbers().await.is_none());
}

#[tokio::test]
async fn a_question_that_is_never_answered_leaves_the_next_ones_as_they_are() {
    let (mut child, worker) = worker();
    let silent = child.ask(order::NUMBERS, answer::NUMBERS, Duration::ZERO).await;
    assert!(matches!(silent, Err(Silence::Late)));
    // Nonsense is no answer either.
    say(&worker, answer::NUMBERS, Some(2), &[b"?"]);
    for (number, accepted) in [(2, 5), (3, 6)] {
        say_numbers(&worker, number, accepted);
        assert_eq!(child.numbers().await.unwrap().accepted, accepted);
    }
}

#[tokio::test]
async fn a_worker_that_does_not_listen_holds_up_nobody_and_hears_all_of_it_later() {
    let (child, worker) = worker();
    let large = |byte: u8| Parcel::plain(order::BUILD, vec![vec![byte; 900_000]]);
    // More than the system keeps for who reads later.
    let asked = (0..10).take_while(|byte| child.outbox.ask(large(*byte)).is_ok()).count() as u8;
    assert!((2..=4).contains(&asked), "{asked}");
    child.order(State::Draining).unwrap();
    for byte in 0..asked {
        let message = worker.receive().unwrap();
        assert!(message.kind == order::BUILD && message.fields == [vec![byte; 900_000]]);
    }
    assert_eq!(worker.receive().unwrap().kind, order::DRAIN);
    drop(worker);
    let deadline = Instant::now() + PATIENCE;
    while child.order(State::Stopping).is_ok() {
        assert!(Instant::now() < deadline, "nobody hears it");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_listen_is_told_to_leave_whatever_waits() {
    let (mut child, worker) = worker();
    let large = || Parcel::plain(order::BUILD, vec![vec![0; 900_000]]);
    let waiting = (0..10).take_while(|_| child.outbox.ask(large()).is_ok()).count();
    assert!(waiting < 10, "nothing is too much");
    child.leave().await.unwrap();
    for _ in 0..waiting {
        assert_eq!(worker.receive().unwrap().kind, order::BUILD);
    }
    assert_eq!(heard(&worker, order::LEAVE), Some(1));
}

#[tokio::test]
async fn a_worker_that_cannot_be_told_something_is_taken_for_ended() {
    let (own, other) = UnixStream::pair().unwrap();
    own.set_write_timeout(Some(Duration::from_millis(1))).unwrap();
    let (mut child, worker) = worker_over(own, other);
    // More than the system keeps for who reads later.
    child.outbox.tell(Parcel::plain(order::BUILD, vec![vec![0; 4_000_000]])).unwrap();
    let ended = tokio::time::timeout(PATIENCE, child.ended()).await;
    assert!(ended.is_ok(), "nobody hears that it is deaf");
    // It sees no more than a part, and the end.
    let heard = worker.receive().map(|message| message.kind);
    assert_eq!(heard.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_builds_for_too_long_is_told_to_forget_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nginx.conf");
    std::fs::write(&path, "error_log stderr emerg; events {} http { access_log off; }").unwrap();
    let options = Options { prefix: folder.path().into(), ..Options::default() };
    let config = tidegate_config::load(&path, &options).config.unwrap();
    let ground = Ground::first(config, &Listeners::new(), Purpose::Test).unwrap();
    let (mut child, worker) = worker();
    let late = child.prepare(&Source { path, options }, &ground).await;
    assert!(late.unwrap_err().to_string().contains("in 60 seconds"));
    child.order(State::Draining).unwrap();
    let heard = [(); 2].map(|()| worker.receive().unwrap().kind);
    assert_eq!(heard, [order::BUILD, order::FORGET]);
}

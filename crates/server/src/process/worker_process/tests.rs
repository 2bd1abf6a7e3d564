//! What is answered is never more than the master reads.

use anyhow::anyhow;

use super::*;
use crate::process::child;

/// What the master hears of this, field by field.
fn heard<const N: usize>(says: impl FnOnce(&Question<'_>)) -> [Vec<Vec<u8>>; N] {
    let (own, other) = UnixStream::pair().unwrap();
    let worker = Channel::new(own, MOST).unwrap();
    let master = Channel::new(other, child::MOST).unwrap();
    let heard = std::thread::spawn(move || [(); N].map(|()| master.receive().unwrap().fields));
    says(&Question { channel: &worker, number: vec![0; 8] });
    heard.join().unwrap()
}

/// What stands for so many lines.
fn left_out(count: usize) -> String {
    format!("{} {count}", answer::LEFT_OUT)
}

#[test]
fn servers_that_are_too_many_are_told_by_their_number() {
    let line = format!("  {}\n", "\u{fc}".repeat(500));
    let count = 2 * answer::ROOM / line.len();
    let numbers = Numbers {
        accepted: 1,
        active: 2,
        requests: 3,
        turned_away: 4,
        upstreams: line.repeat(count),
        each: vec![5, 6],
    };
    let [fields] = heard(|question| question.tell_numbers(numbers).unwrap());
    let kept = answer::ROOM / line.len();
    let expected = line.repeat(kept) + "  " + &left_out(count - kept) + "\n";
    assert!(fields[4] == expected.as_bytes());
    assert_eq!([&fields[0], &fields[6]].map(|field| field[0]), [1, 6]);
}

#[test]
fn faults_that_are_too_many_are_told_by_their_number() {
    let [many, one] = heard(|question| {
        question.tell_fault(&anyhow!("{}", "a\nb".repeat(answer::ROOM))).unwrap();
        question.tell_fault(&anyhow!("{}", "\u{fc}".repeat(answer::ROOM))).unwrap();
    });
    let [many, one] = [&many[0], &one[0]].map(|text| std::str::from_utf8(text).unwrap());
    let kept = many.lines().count() - 1;
    let left = left_out(answer::ROOM + 1 - kept);
    assert!(many.ends_with(&format!("\nnginx: [emerg] {left}")));
    assert!(one.ends_with(&format!("\u{fc}\nnginx: [emerg] {}", left_out(1))));
}

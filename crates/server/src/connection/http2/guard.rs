//! Counts what a client's frames cost and what they are good for, so that none makes us work for
//! nothing.

use std::time::Instant;

/// What a client opens a connection with (RFC 9113, section 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bytes before every frame (RFC 9113, section 4.1).
pub(super) const FRAME_HEADER: usize = 9;

/// How much a client may cost us at once, in frames.
const CREDIT: u64 = 2000;

/// How much more each second.
const CREDIT_A_SECOND: u64 = 200;

/// How many sent bytes allow for one frame more: a client has to say that it has taken them.
const BYTES_A_FRAME: u64 = 2048;

/// How many lengths of header blocks are kept for requests that are not served yet.
const BLOCKS: usize = 256;

/// The kinds of frames (RFC 9113, section 6).
pub(super) mod kind {
    pub(in super::super) const DATA: u8 = 0;
    pub(in super::super) const HEADERS: u8 = 1;
    pub(in super::super) const RST_STREAM: u8 = 3;
    pub(in super::super) const SETTINGS: u8 = 4;
    pub(in super::super) const CONTINUATION: u8 = 9;
}

/// The flag of a frame that ends its stream.
pub(super) const END_STREAM: u8 = 1;

/// The flag of a frame that ends a block of header fields.
pub(super) const END_HEADERS: u8 = 4;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    pub(super) length: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

/// Finds the heads of frames in bytes that come in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Heads {
    head: [u8; FRAME_HEADER],
    have: usize,
    /// What is left to pass over.
    skip: usize,
}

impl Heads {
    /// Begins behind this many bytes.
    pub(super) fn behind(skip: usize) -> Self {
        Self { skip, ..Self::default() }
    }

    /// The next head in `bytes`, which loses what was looked at.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<FrameHead> {
        let over = self.skip.min(bytes.len());
        *bytes = bytes.get(over..).unwrap_or_default();
        self.skip -= over;
        let rest = self.head.get_mut(self.have..)?;
        let taken = rest.len().min(bytes.len());
        rest.get_mut(..taken)?.copy_from_slice(bytes.get(..taken)?);
        *bytes = bytes.get(taken..).unwrap_or_default();
        self.have += taken;
        if self.have < FRAME_HEADER {
            return None;
        }
        self.have = 0;
        let [a, b, c, kind, flags, stream @ ..] = self.head;
        let length = u32::from_be_bytes([0, a, b, c]);
        self.skip = length as usize;
        let stream = u32::from_be_bytes(stream) & (u32::MAX >> 1);
        Some(FrameHead { length, kind, flags, stream })
    }
}

/// What a client's frames have cost, and what it may still cost.
#[derive(Debug)]
pub(super) struct Guard {
    heads: Heads,
    credit: u64,
    filled: Instant,
    /// Sent bytes that no frame was allowed for yet.
    sent: u64,
    /// A block of header fields that is not complete: since when, and how long it is so far.
    pub(super) block: Option<(Instant, u64)>,
    blocks: Vec<(u32, u64)>,
}

impl Guard {
    /// A guard at the start of a connection, the preface included.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            heads: Heads::behind(PREFACE.len()),
            credit: CREDIT,
            filled: now,
            sent: 0,
            block: None,
            blocks: Vec::new(),
        }
    }

    /// Looks at bytes from the client. The error is the kind of the frame that was one too many.
    pub(super) fn read(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), u8> {
        let seconds = now.saturating_duration_since(self.filled).as_secs();
        if seconds > 0 {
            self.credit = CREDIT.min(self.credit.saturating_add(seconds * CREDIT_A_SECOND));
            self.filled = now;
        }
        let mut flood = Ok(());
        while let Some(head) = self.heads.next(&mut bytes) {
            self.follow(&head, now);
            match self.credit.checked_sub(cost(&head)) {
                Some(left) => self.credit = left,
                None => flood = flood.and(Err(head.kind)),
            }
        }
        flood
    }

    /// Takes note that bytes were sent.
    pub(super) fn sent(&mut self, bytes: u64) {
        self.sent += bytes;
        self.credit = CREDIT.min(self.credit + self.sent / BYTES_A_FRAME);
        self.sent %= BYTES_A_FRAME;
    }

    /// The length of the header block that opened a stream; to be asked once.
    pub(super) fn block_of(&mut self, stream: u32) -> u64 {
        let at = self.blocks.iter().position(|(id, _)| *id == stream);
        at.map_or(0, |at| self.blocks.remove(at).1)
    }

    fn follow(&mut self, head: &FrameHead, now: Instant) {
        if !matches!(head.kind, kind::HEADERS | kind::CONTINUATION) {
            return;
        }
        let (since, before) = self.block.unwrap_or((now, 0));
        let length = before + u64::from(head.length);
        if head.flags & END_HEADERS == 0 {
            self.block = Some((since, length));
            return;
        }
        self.block = None;
        if self.blocks.len() >= BLOCKS {
            self.blocks.remove(0);
        }
        self.blocks.push((head.stream, length));
    }
}

/// What a frame costs. Small pieces of bodies are bounded by h2, whom they cost memory.
fn cost(head: &FrameHead) -> u64 {
    match head.kind {
        kind::DATA if head.length == 0 && head.flags & END_STREAM == 0 => 10,
        kind::DATA | kind::HEADERS => 0,
        // A request that was begun for nothing, or a list of settings to apply.
        kind::RST_STREAM | kind::SETTINGS => 10,
        _ => 1,
    }
}

/// The name of a kind of frame.
pub(super) fn name(kind: u8) -> &'static str {
    const NAMES: [&str; 10] = [
        "DATA",
        "HEADERS",
        "PRIORITY",
        "RST_STREAM",
        "SETTINGS",
        "PUSH_PROMISE",
        "PING",
        "GOAWAY",
        "WINDOW_UPDATE",
        "CONTINUATION",
    ];
    NAMES.get(usize::from(kind)).unwrap_or(&"unknown")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: usize) -> Vec<u8> {
        let length = (payload as u32).to_be_bytes();
        let mut out = vec![length[1], length[2], length[3], kind, flags];
        out.extend(stream.to_be_bytes());
        out.resize(FRAME_HEADER + payload, 0xff);
        out
    }

    fn guard(now: Instant) -> Guard {
        let mut guard = Guard::new(now);
        guard.read(PREFACE, now).unwrap();
        guard
    }

    #[test]
    fn heads_are_found_however_the_bytes_are_cut() {
        let bytes = [frame(1, 4, 1, 20), frame(0, 1, 1, 0), frame(6, 0, 0, 8)].concat();
        for cut in 1..bytes.len() {
            let (mut heads, mut found) = (Heads::default(), Vec::new());
            for piece in bytes.chunks(cut) {
                let mut piece = piece;
                while let Some(head) = heads.next(&mut piece) {
                    found.push((head.kind, head.flags, head.stream, head.length));
                }
            }
            assert_eq!(found, [(1, 4, 1, 20), (0, 1, 1, 0), (6, 0, 0, 8)]);
        }
    }

    #[test]
    fn frames_without_work_are_bounded_and_time_heals() {
        let now = Instant::now();
        let mut guard = guard(now);
        let ping = frame(6, 0, 0, 8);
        let taken = (0..5000).take_while(|_| guard.read(&ping, now).is_ok()).count();
        assert_eq!(taken as u64, CREDIT);
        assert_eq!(guard.read(&ping, now), Err(6));
        let later = now + Duration::from_secs(1);
        let taken = (0..5000).take_while(|_| guard.read(&ping, later).is_ok()).count();
        assert_eq!(taken as u64, CREDIT_A_SECOND);
    }

    #[test]
    fn resets_cost_more_and_bytes_sent_pay_for_acknowledgements() {
        let now = Instant::now();
        let mut guard = guard(now);
        let reset = frame(3, 0, 1, 4);
        assert_eq!((0..5000).take_while(|_| guard.read(&reset, now).is_ok()).count(), 200);
        guard.sent(BYTES_A_FRAME * 3 + 1);
        let update = frame(8, 0, 0, 4);
        assert_eq!((0..5000).take_while(|_| guard.read(&update, now).is_ok()).count(), 3);
    }

    #[test]
    fn requests_and_bodies_are_free() {
        let now = Instant::now();
        let mut guard = guard(now);
        for _ in 0..10_000 {
            guard.read(&frame(1, 5, 1, 30), now).unwrap();
            guard.read(&frame(0, 0, 1, 1), now).unwrap();
        }
    }

    #[test]
    fn header_blocks_are_measured_whole() {
        let now = Instant::now();
        let mut guard = guard(now);
        guard.read(&frame(1, 1, 7, 100), now).unwrap();
        assert_eq!(guard.block, Some((now, 100)));
        guard.read(&frame(9, 4, 7, 11), now).unwrap();
        assert_eq!((guard.block, guard.block_of(7), guard.block_of(7)), (None, 111, 0));
    }
}

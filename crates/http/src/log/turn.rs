//! What is written when the loop of a thread has nothing more to do, before it sleeps.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::writer::LogWriter;

/// Lines that wait, by their writer and the place of their file.
type Waiting = Vec<(Rc<LogWriter>, usize)>;

thread_local! {
    static ENDS: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Waiting> = const { RefCell::new(Vec::new()) };
}

/// This thread calls [`end`] whenever its loop has nothing more to do, and now and then where it
/// always has, so that no tasks need be started for what waits until then.
pub fn will_end() {
    ENDS.set(true);
}

/// Writes what has waited for the end of this turn. Must be called within a local task set.
pub fn end() {
    if WAITING.with_borrow(Vec::is_empty) {
        return;
    }
    let mut waiting = WAITING.take();
    for (writer, place) in waiting.drain(..) {
        writer.drain_now(place);
    }
    // Its memory serves again, unless something has come meanwhile.
    WAITING.with_borrow_mut(|now| {
        if now.is_empty() {
            *now = waiting;
        }
    });
}

/// Has lines written at the end of the turn; false where nobody tells of that.
pub(super) fn wait(writer: &Rc<LogWriter>, place: usize) -> bool {
    if ENDS.get() {
        WAITING.with_borrow_mut(|waiting| waiting.push((Rc::clone(writer), place)));
    }
    ENDS.get()
}

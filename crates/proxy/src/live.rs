//! A client whose body is still being sent on while its answer comes already.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tidegate_http::client::{ClientError, RequestBody};

/// The client, whose body is read by whoever reads the answer.
pub(crate) struct Live {
    /// What is still to come of its body.
    pub(crate) body: Box<dyn RequestBody>,
    back: Rc<RefCell<Back>>,
}

/// What its request has instead, meanwhile. It tells that the client leaves when the body has been
/// read: before, whoever reads it finds out.
pub(crate) struct Lent(Rc<RefCell<Back>>);

/// Where the client is given back to.
#[derive(Default)]
struct Back {
    client: Option<Box<dyn RequestBody>>,
    /// Who waits for it.
    waiting: Option<Waker>,
}

impl Live {
    /// A client, and what stands for it until it is given back.
    pub(crate) fn new(body: Box<dyn RequestBody>) -> (Self, Lent) {
        let back = Rc::<RefCell<Back>>::default();
        let lent = Lent(Rc::clone(&back));
        (Self { body, back }, lent)
    }

    /// Gives it back: its body has been read.
    pub(crate) fn give_back(self) {
        let mut back = self.back.borrow_mut();
        back.client = Some(self.body);
        if let Some(waiting) = back.waiting.take() {
            waiting.wake();
        }
    }
}

impl RequestBody for Lent {
    fn poll_data(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, ClientError>>> {
        Poll::Ready(None)
    }

    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut back = self.0.borrow_mut();
        if let Some(client) = &mut back.client {
            return client.poll_closed(cx);
        }
        back.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn length(&self) -> Option<u64> {
        Some(0)
    }

    fn is_done(&self) -> bool {
        true
    }

    fn set_limits(&mut self, _: Duration, _: Option<u64>) {}
}

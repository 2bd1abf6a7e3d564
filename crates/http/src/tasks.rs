//! Work that goes on beside a request: its subrequests.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use crate::body::BodyStream;
use crate::exchange::Exchange;
use std::io;

use bytes::Bytes;

/// One piece of work.
pub type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The work of a request and of all requests that were made for it. They share one list, which
/// whoever serves the first of them keeps going.
#[derive(Default)]
pub enum Tasks<'a> {
    /// None so far.
    #[default]
    None,
    /// The list of a client's request.
    Own(Rc<List<'a>>),
    /// The list of the request that this one was made for.
    Shared(Weak<List<'a>>),
}

/// Work that is not done yet.
#[derive(Default)]
pub struct List<'a> {
    running: RefCell<Vec<Task<'a>>>,
    /// What was added meanwhile.
    added: RefCell<Vec<Task<'a>>>,
}

impl<'a> Tasks<'a> {
    /// Adds work; it begins when the client's request is waited for next.
    pub fn add(&mut self, task: impl Future<Output = ()> + 'a) {
        if let Self::None = self {
            *self = Self::Own(Rc::default());
        }
        if let Some(list) = self.list() {
            list.added.borrow_mut().push(Box::pin(task));
        }
    }

    /// The list for a request that is made for this one.
    #[must_use]
    pub fn share(&mut self) -> Self {
        if let Self::None = self {
            *self = Self::Own(Rc::default());
        }
        match self {
            Self::Own(list) => Self::Shared(Rc::downgrade(list)),
            Self::Shared(list) => Self::Shared(Weak::clone(list)),
            Self::None => Self::None,
        }
    }

    /// How many pieces of work there are.
    pub fn len(&self) -> usize {
        self.list().map_or(0, |list| list.running.borrow().len() + list.added.borrow().len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the work going; ready when there is none. Only the client's own request does so.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Own(list) => list.poll(cx),
            Self::None | Self::Shared(_) => Poll::Ready(()),
        }
    }

    /// Waits until all is done. Only the client's own request does so.
    pub async fn finish(&self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    /// The list of a client's request, where it has one.
    pub fn own(&self) -> Option<Rc<List<'a>>> {
        match self {
            Self::Own(list) => Some(Rc::clone(list)),
            Self::None | Self::Shared(_) => None,
        }
    }

    fn list(&self) -> Option<Rc<List<'a>>> {
        match self {
            Self::None => None,
            Self::Own(list) => Some(Rc::clone(list)),
            Self::Shared(list) => list.upgrade(),
        }
    }
}

impl List<'_> {
    /// Waits for a future, and keeps the work going meanwhile.
    pub async fn beside<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        poll_fn(|cx| {
            let _waiting = self.poll(cx);
            future.as_mut().poll(cx)
        })
        .await
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut running = self.running.take();
            running.append(&mut self.added.borrow_mut());
            running.retain_mut(|task| task.as_mut().poll(cx).is_pending());
            let done = running.is_empty();
            self.running.replace(running);
            if self.added.borrow().is_empty() {
                return if done { Poll::Ready(()) } else { Poll::Pending };
            }
        }
    }
}

impl std::fmt::Debug for Tasks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tasks").field(&self.len()).finish()
    }
}

impl Exchange<'_> {
    /// The next bytes of its answer's body, which may be made by work beside it. Whoever writes an
    /// answer asks in this way.
    pub fn poll_body(
        &self,
        body: &mut BodyStream,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        if let Tasks::Own(_) = self.tasks {
            let _waiting = self.tasks.poll(cx);
        }
        body.as_mut().poll_next(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::Waker;

    use super::*;

    #[test]
    fn work_that_adds_work_is_done_to_the_end() {
        let count = Rc::new(Cell::new(0));
        let mut tasks = Tasks::default();
        let mut shared = tasks.share();
        let (one, two) = (Rc::clone(&count), Rc::clone(&count));
        tasks.add(async move {
            one.set(one.get() + 1);
            shared.add(async move { two.set(two.get() + 10) });
        });
        assert_eq!(tasks.len(), 1);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(tasks.poll(&mut cx).is_ready());
        assert_eq!((count.get(), tasks.is_empty()), (11, true));
    }

    #[test]
    fn work_is_dropped_with_its_request() {
        let kept = Rc::new(());
        let mut tasks = Tasks::default();
        let (mut shared, held) = (tasks.share(), Rc::clone(&kept));
        shared.add(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        let mut cx = Context::from_waker(Waker::noop());
        assert!(tasks.poll(&mut cx).is_pending());
        drop(tasks);
        assert_eq!((Rc::strong_count(&kept), shared.len()), (1, 0));
    }
}

//! Values that are made in their box: what is made first and then boxed is copied, with all that it
//! has room for, which of a future is much.

use std::pin::Pin;

/// A box, and in it what is made.
#[inline]
pub fn boxed<T>(make: impl FnOnce() -> T) -> Box<T> {
    // The memory is there first, so that nothing has to be kept for the case that there is none.
    Box::write(Box::new_uninit(), make())
}

/// The same of a future.
#[inline]
pub fn pinned<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::into_pin(boxed(make))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_in_the_box() {
        assert_eq!(*boxed(|| [7; 100]), [7; 100]);
    }
}

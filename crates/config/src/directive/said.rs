//! What is said of a feature at a level: most levels say nothing of most features.

use std::ops::{Deref, DerefMut};

/// A feature as written, of which nothing may be said.
pub trait Unsaid: Default + 'static {
    /// What it is where nothing is said.
    fn unsaid() -> &'static Self;
}

/// A feature as written at a level; it takes no memory until something is said.
#[derive(Clone, Debug)]
pub struct Said<W>(Option<Box<W>>);

impl<W> Default for Said<W> {
    fn default() -> Self {
        Self(None)
    }
}

impl<W: Unsaid> Deref for Said<W> {
    type Target = W;

    fn deref(&self) -> &W {
        self.0.as_deref().unwrap_or_else(|| W::unsaid())
    }
}

impl<W: Unsaid> DerefMut for Said<W> {
    fn deref_mut(&mut self) -> &mut W {
        self.0.get_or_insert_default()
    }
}

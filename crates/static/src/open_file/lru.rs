//! A bounded table that knows what was used least recently.

use std::collections::HashMap;
use std::rc::Rc;

/// Values by paths, in the order of their last use. Every operation takes the same time, however many
/// there are.
#[derive(Debug)]
pub(super) struct Lru<V> {
    places: HashMap<Rc<[u8]>, usize>,
    nodes: Vec<Option<Node<V>>>,
    free: Vec<usize>,
    /// The one that was used last, and the one that was not for longest.
    ends: Option<(usize, usize)>,
}

#[derive(Debug)]
struct Node<V> {
    path: Rc<[u8]>,
    value: V,
    newer: Option<usize>,
    older: Option<usize>,
}

impl<V> Default for Lru<V> {
    fn default() -> Self {
        Self { places: HashMap::new(), nodes: Vec::new(), free: Vec::new(), ends: None }
    }
}

impl<V> Lru<V> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// A value, which becomes the one that was used last.
    pub(super) fn touch(&mut self, path: &[u8]) -> Option<&mut V> {
        let place = *self.places.get(path)?;
        if self.ends.is_none_or(|(newest, _)| newest != place) {
            self.unlink(place);
            self.link(place);
        }
        self.node(place).map(|node| &mut node.value)
    }

    /// The value that was not used for longest.
    pub(super) fn oldest(&self) -> Option<&V> {
        let (_, oldest) = self.ends?;
        self.nodes.get(oldest)?.as_ref().map(|node| &node.value)
    }

    /// Adds a value in the place of the one that was there; it is the one that was used last.
    pub(super) fn insert(&mut self, path: &[u8], value: V) {
        if let Some(known) = self.touch(path) {
            *known = value;
            return;
        }
        let path: Rc<[u8]> = path.into();
        let node = Some(Node { path: Rc::clone(&path), value, newer: None, older: None });
        let place = self.free.pop().unwrap_or(self.nodes.len());
        match self.nodes.get_mut(place) {
            Some(free) => *free = node,
            None => self.nodes.push(node),
        }
        self.places.insert(path, place);
        self.link(place);
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, path: &[u8]) {
        if let Some(place) = self.places.remove(path) {
            self.take(place);
        }
    }

    /// Takes the value out that was not used for longest.
    pub(super) fn remove_oldest(&mut self) {
        let Some((_, oldest)) = self.ends else { return };
        if let Some(node) = self.take(oldest) {
            self.places.remove(&node.path);
        }
    }

    fn take(&mut self, place: usize) -> Option<Node<V>> {
        self.unlink(place);
        self.free.push(place);
        self.nodes.get_mut(place)?.take()
    }

    fn node(&mut self, place: usize) -> Option<&mut Node<V>> {
        self.nodes.get_mut(place)?.as_mut()
    }

    /// Puts a node before all others.
    fn link(&mut self, place: usize) {
        let before = self.ends;
        if let Some(node) = self.node(place) {
            (node.newer, node.older) = (None, before.map(|(newest, _)| newest));
        }
        if let Some(newest) = before.and_then(|(newest, _)| self.node(newest)) {
            newest.newer = Some(place);
        }
        self.ends = Some((place, before.map_or(place, |(_, oldest)| oldest)));
    }

    /// Takes a node from between its neighbours.
    fn unlink(&mut self, place: usize) {
        let Some((newer, older)) = self.node(place).map(|node| (node.newer, node.older)) else {
            return;
        };
        if let Some(node) = newer.and_then(|newer| self.node(newer)) {
            node.older = older;
        }
        if let Some(node) = older.and_then(|older| self.node(older)) {
            node.newer = newer;
        }
        self.ends = self.ends.and_then(|(newest, oldest)| {
            let newest = if newest == place { older? } else { newest };
            Some((newest, if oldest == place { newer? } else { oldest }))
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_used_last_leaves_last() {
        let mut lru = Lru::default();
        for name in ["a", "b", "c"] {
            lru.insert(name.as_bytes(), name);
        }
        assert_eq!(lru.oldest(), Some(&"a"));
        assert_eq!(lru.touch(b"a"), Some(&mut "a"));
        assert_eq!(lru.touch(b"x"), None);
        assert_eq!(lru.oldest(), Some(&"b"));
        lru.remove_oldest();
        lru.remove(b"c");
        lru.insert(b"a", "again");
        assert_eq!((lru.len(), lru.oldest()), (1, Some(&"again")));
        lru.remove_oldest();
        lru.remove_oldest();
        assert_eq!((lru.len(), lru.oldest()), (0, None));
    }

    proptest! {
        #[test]
        fn it_is_a_list_in_the_order_of_use(steps in prop::collection::vec((0u8..4, 0u8..5), 0..60)) {
            let (mut lru, mut list) = (Lru::default(), Vec::new());
            for (what, key) in steps {
                let path = [key];
                match what {
                    0 => {
                        lru.insert(&path, key);
                        list.retain(|other| *other != key);
                        list.push(key);
                    }
                    1 => {
                        let known = lru.touch(&path).is_some();
                        prop_assert_eq!(known, list.contains(&key));
                        if known {
                            list.retain(|other| *other != key);
                            list.push(key);
                        }
                    }
                    2 => {
                        lru.remove(&path);
                        list.retain(|other| *other != key);
                    }
                    _ => {
                        lru.remove_oldest();
                        if !list.is_empty() {
                            list.remove(0);
                        }
                    }
                }
                prop_assert_eq!((lru.len(), lru.oldest()), (list.len(), list.first()));
            }
        }
    }
}

//! Queues over caller memory: first in, first out, never longer than the slice.
//!
//! Invariant: what comes out are the elements that went in, in their order, each once; a full queue refuses and changes nothing.

/// A bounded queue.
#[derive(Debug)]
pub(crate) struct Ring<'m, T> {
    places: &'m mut [T],
    first: usize,
    len: usize,
}

impl<'m, T: Copy> Ring<'m, T> {
    /// Empty, whatever was in the places.
    pub(crate) fn new(places: &'m mut [T]) -> Self {
        Self {
            places,
            first: 0,
            len: 0,
        }
    }

    pub(crate) fn into_inner(self) -> &'m mut [T] {
        self.places
    }

    fn place(&self, at: usize) -> Option<usize> {
        self.first.saturating_add(at).checked_rem(self.places.len())
    }

    pub(crate) fn push_back(&mut self, element: T) -> Result<(), T> {
        if self.is_full() {
            return Err(element);
        }
        match self.place(self.len).and_then(|at| self.places.get_mut(at)) {
            Some(place) => {
                *place = element;
                self.len = self.len.saturating_add(1);
                Ok(())
            }
            None => Err(element),
        }
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        let element = self.places.get(self.first).copied()?;
        self.first = self.place(1)?;
        self.len = self.len.saturating_sub(1);
        Some(element)
    }

    /// Moves the first that `is` so to the end, as if it had just come in. False where there is none.
    pub(crate) fn move_back(&mut self, is: impl Fn(&T) -> bool) -> bool {
        let mut moved = None;
        for _ in 0..self.len {
            let Some(element) = self.pop_front() else {
                break;
            };
            if moved.is_none() && is(&element) {
                moved = Some(element);
            } else {
                let _ = self.push_back(element);
            }
        }
        moved.is_some_and(|element| self.push_back(element).is_ok())
    }

    /// From the first in to the last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len).filter_map(|at| self.places.get(self.place(at)?))
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.len >= self.places.len()
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #[test]
        fn it_is_a_queue(size in 0usize..5, steps in prop::collection::vec(any::<Option<u8>>(), 0..60), again in prop::collection::vec(any::<u8>(), 60)) {
            let mut places = vec![0xeeu8; size];
            let mut ring = Ring::new(&mut places);
            let mut model = VecDeque::new();
            for (step, again) in steps.into_iter().zip(again) {
                let at = model.iter().position(|e| e % 8 == again % 8);
                prop_assert_eq!(ring.move_back(|e| e % 8 == again % 8), at.is_some());
                if let Some(moved) = at.and_then(|at| model.remove(at)) {
                    model.push_back(moved);
                }
                match step {
                    Some(element) if model.len() < size => {
                        prop_assert_eq!(ring.push_back(element), Ok(()));
                        model.push_back(element);
                    }
                    Some(element) => prop_assert_eq!(ring.push_back(element), Err(element)),
                    None => prop_assert_eq!(ring.pop_front(), model.pop_front()),
                }
                prop_assert!(ring.iter().eq(model.iter()));
                prop_assert_eq!((ring.len(), ring.is_empty()), (model.len(), model.is_empty()));
                prop_assert_eq!(ring.is_full(), model.len() == size);
            }
        }
    }
}

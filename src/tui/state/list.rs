//! A selection in a list whose length is known only when it is used.

/// A selected line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct List {
    selected: usize,
}

impl List {
    /// A list with line `selected` selected.
    pub fn at(selected: usize) -> Self {
        Self { selected }
    }

    /// The selected line of `length`; 0 when there is none.
    pub fn selected(self, length: usize) -> usize {
        self.selected.min(length.saturating_sub(1))
    }

    /// Moves by `by` lines, stopping at the ends.
    pub fn step(&mut self, by: isize, length: usize) {
        let at = self.selected(length);
        self.selected = at.saturating_add_signed(by).min(length.saturating_sub(1));
    }

    /// The first line of `height` that keeps the selected one in view, near the middle once there is more than fits.
    pub fn top(self, length: usize, height: usize) -> usize {
        let at = self.selected(length);
        at.saturating_sub(height / 2).min(length.saturating_sub(height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within() {
        let mut list = List::default();
        list.step(-1, 3);
        assert_eq!(list.selected(3), 0);
        list.step(isize::MAX, 3);
        assert_eq!(list.selected(3), 2);
        list.step(1, 0);
        assert_eq!(list.selected(0), 0);
        assert_eq!(List::at(9).selected(4), 3);
    }

    proptest::proptest! {
        #[test]
        fn the_selected_line_is_in_view(at in 0usize..50, length in 1usize..50, height in 1usize..20) {
            let list = List::at(at);
            let (top, at) = (list.top(length, height), list.selected(length));
            proptest::prop_assert!(top <= at && at < top + height);
        }
    }
}

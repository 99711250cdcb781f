//! Copies that cannot fail.
//!
//! The standard library's stop the device where lengths differ, and a compiler that saves space does not always see that they never do.

use heapless::Vec;

/// Copies as many elements as both have.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(crate) fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// As many elements as there is room for.
pub(crate) fn gather<T, const N: usize>(from: impl Iterator<Item = T>) -> Vec<T, N> {
    let mut list = Vec::new();
    for element in from {
        if list.push(element).is_err() {
            break;
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_fits() {
        let mut to = [0u8; 3];
        copy(&mut to, &[1, 2, 3, 4]);
        assert_eq!(to, [1, 2, 3]);
        copy(&mut to, &[9]);
        assert_eq!(to, [9, 2, 3]);
        assert_eq!(gather::<u8, 2>([1, 2, 3].into_iter()).as_slice(), [1, 2]);
        assert_eq!(gather::<u8, 4>([1, 2, 3].into_iter()).as_slice(), [1, 2, 3]);
    }
}

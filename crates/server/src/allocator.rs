//! The allocator: mimalloc, asked without an alignment where it keeps the one that is wanted anyway.
//!
//! The crate that hands Rust's allocations on to mimalloc names the alignment of each. mimalloc 3
//! then takes a longer way, and a larger block, wherever the size is no power of two: a quarter of a
//! request's work on memory.
#![allow(unsafe_code)] // The trait of allocators is unsafe, and there is no other way to be one.

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys::{
    mi_free, mi_malloc, mi_malloc_aligned, mi_realloc, mi_realloc_aligned, mi_zalloc,
    mi_zalloc_aligned,
};

/// mimalloc as the allocator of the program.
pub(crate) struct Allocator;

/// Blocks of so many bytes or more begin at a multiple of it, smaller ones at one of 8 (mimalloc:
/// `MI_MAX_ALIGN_SIZE`, `mi_bin`).
const USUAL: usize = 16;

/// Whether a block of this size is aligned so without a word on it.
const fn is_usual(size: usize, align: usize) -> bool {
    align <= USUAL && align <= size
}

// SAFETY: mimalloc gives blocks that overlap with no other, of at least the size that is asked for, or
// null, and never unwinds. Whatever gave a block, `mi_free` and `mi_realloc` take it. That each is
// aligned is shown below.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        // SAFETY: these two ask nothing of their callers but that the alignment is a power of two,
        // as that of a layout is. Of 16 bytes and more, a block begins at a multiple of 16; of fewer,
        // where the alignment is at most 8, at one of 8.
        let block = unsafe {
            if is_usual(size, align) { mi_malloc(size) } else { mi_malloc_aligned(size, align) }
        };
        block.cast()
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        // SAFETY: as in `alloc`.
        let block = unsafe {
            if is_usual(size, align) { mi_zalloc(size) } else { mi_zalloc_aligned(size, align) }
        };
        block.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller says that the block is one of this allocator, which mimalloc has given.
        unsafe { mi_free(block.cast()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let align = layout.align();
        // SAFETY: the caller says that the block is one of this allocator, of this layout. It stays
        // where it is, aligned already, or moves to one that is, as in `alloc`; where there is none,
        // it is left alone.
        let moved = unsafe {
            if is_usual(size, align) {
                mi_realloc(block.cast(), size)
            } else {
                mi_realloc_aligned(block.cast(), size, align)
            }
        };
        moved.cast()
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    /// Whether a block is full of one byte.
    ///
    /// # Safety
    /// So many bytes of it have been written.
    unsafe fn is_full(block: *const u8, length: usize, byte: u8) -> bool {
        const ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];
        const SEVENS: [u8; 16 * 1024] = [7; 16 * 1024];
        let expected = if byte == 0 { &ZEROS } else { &SEVENS };
        // SAFETY: by what this one asks for.
        unsafe { slice::from_raw_parts(block, length) == &expected[..length] }
    }

    /// Takes a block, fills it, lets it grow or shrink, and gives it back.
    fn checked(layout: Layout, zeroed: bool, next: usize) {
        let (size, kept) = (layout.size(), layout.size().min(next));
        let aligned =
            |block: *mut u8| !block.is_null() && block.addr().is_multiple_of(layout.align());
        // SAFETY: the layout has a size other than 0, as has the next; what is read has been written or
        // is zero; each block is given back once, with the layout it has by then.
        unsafe {
            let block =
                if zeroed { Allocator.alloc_zeroed(layout) } else { Allocator.alloc(layout) };
            assert!(aligned(block), "{layout:?}");
            assert!(!zeroed || is_full(block, size, 0), "{layout:?}");
            let other = Allocator.alloc(layout);
            assert!(aligned(other) && block.addr().abs_diff(other.addr()) >= size, "{layout:?}");
            block.write_bytes(7, size);
            other.write_bytes(7, size);
            let block = Allocator.realloc(block, layout, next);
            assert!(aligned(block) && is_full(block, kept, 7), "{layout:?} to {next}");
            block.write_bytes(8, next);
            assert!(is_full(other, size, 7), "{layout:?} to {next}");
            Allocator.dealloc(other, layout);
            Allocator.dealloc(block, Layout::from_size_align(next, layout.align()).unwrap());
        }
    }

    #[test]
    fn every_block_is_aligned_and_keeps_what_is_in_it() {
        for align in (0..=12).map(|power| 1 << power) {
            for size in 1..=5000 {
                let layout = Layout::from_size_align(size, align).unwrap();
                checked(layout, size % 2 == 0, size / 2 + 1);
                checked(layout, size % 2 == 1, 2 * size + 3);
            }
        }
    }

    #[test]
    fn blocks_in_use_at_once_are_aligned() {
        for size in 1..=5000 {
            let align = 1 << (size % 5);
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: the layout has a size other than 0, and each block is given back once.
            unsafe {
                let blocks: Vec<_> = (0..9).map(|_| Allocator.alloc(layout)).collect();
                assert!(
                    blocks.iter().all(|block| block.addr().is_multiple_of(align)),
                    "{layout:?}"
                );
                for block in blocks {
                    Allocator.dealloc(block, layout);
                }
            }
        }
    }
}

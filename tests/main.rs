//! End to end: the real binary, as a client sees it.

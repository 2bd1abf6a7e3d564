//! Derive macros that declare directives.

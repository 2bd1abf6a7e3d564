//! Derive macros that declare directives: a field of a struct *is* the directive.
//!
//! `Directives` turns a feature's struct into its declarations, a shadow of what was written
//! (`…Written`), the setter of one directive, and inheritance from level to level. `Block` joins
//! features into a block. What the attributes mean is told in `tidegate_config::directive`.

mod attribute;
mod block;
mod directives;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Declares the directives of one feature.
#[proc_macro_derive(Directives, attributes(directive, directives))]
pub fn derive_directives(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    directives::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Joins features into a block.
#[proc_macro_derive(Block, attributes(family, plain))]
pub fn derive_block(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    block::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

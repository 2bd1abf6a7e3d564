//! `#[derive(Block)]`: an explicit list of features.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Error, GenericArgument, Ident, LitStr, PathArguments, Result, Type};

use crate::attribute::fields;

struct Feature<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    prefix: String,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let (name, visibility) = (&input.ident, &input.vis);
    let written = format_ident!("{name}Written");
    let summary = format!("What was written of a [`{name}`].");
    let (features, plain) = sorted(input)?;
    let idents: Vec<_> = features.iter().map(|feature| feature.ident).collect();
    let types: Vec<_> = features.iter().map(|feature| feature.ty).collect();
    let prefixes = features.iter().map(|feature| &feature.prefix);
    let numbers: Vec<_> = (0..features.len()).collect();
    Ok(quote! {
        #[doc = #summary]
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs)]
        #visibility struct #written {
            #(pub #idents: crate::directive::Said<<#types as crate::directive::Directives>::Written>,)*
        }

        impl crate::directive::Block for #name {
            type Written = #written;

            fn declarations() -> Vec<(crate::directive::Declaration, crate::directive::Key)> {
                let mut all = Vec::new();
                #(
                    let feature = <#types as crate::directive::Directives>::declarations(#prefixes);
                    let named = feature.into_iter().enumerate();
                    for (index, declaration) in named.filter(|(_, one)| !one.name.is_empty()) {
                        all.push((declaration, crate::directive::Key { feature: #numbers, index }));
                    }
                )*
                all
            }

            fn set(
                written: &mut Self::Written,
                key: crate::directive::Key,
                args: &crate::directive::Arguments<'_>,
                cx: &mut crate::directive::Cx<'_>,
            ) -> Result<(), crate::directive::Fault> {
                match key.feature {
                    #(
                        #numbers => <#types as crate::directive::Directives>::set(
                            &mut written.#idents, key.index, args, cx,
                        ),
                    )*
                    _ => Ok(()),
                }
            }

            fn resolve(
                written: &Self::Written,
                parent: Option<&Self>,
                nesting: crate::directive::Nesting,
                cx: &mut crate::directive::Cx<'_>,
            ) -> Result<Self, crate::directive::Fault> {
                Ok(Self {
                    #(
                        #idents: <#types as crate::directive::Directives>::resolve(
                            &written.#idents, parent.map(|parent| &parent.#idents), nesting, cx,
                        )?,
                    )*
                    #(#plain: Default::default(),)*
                })
            }
        }
    })
}

/// The features of a block, and its fields that are none.
fn sorted(input: &DeriveInput) -> Result<(Vec<Feature<'_>>, Vec<&Ident>)> {
    let mut features = Vec::new();
    let mut plain = Vec::new();
    for field in fields(input)? {
        let ident = field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "a name"))?;
        if field.attrs.iter().any(|attribute| attribute.path().is_ident("plain")) {
            plain.push(ident);
            continue;
        }
        let mut prefix = String::new();
        for attribute in field.attrs.iter().filter(|a| a.path().is_ident("family")) {
            prefix = attribute.parse_args::<LitStr>()?.value();
        }
        features.push(Feature { ident, ty: shared(&field.ty)?, prefix });
    }
    Ok((features, plain))
}

/// `T` of an `Arc<T>`.
fn shared(ty: &Type) -> Result<&Type> {
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Arc"
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return Ok(inner);
    }
    Err(Error::new_spanned(ty, "a feature is held in an Arc"))
}

//! `#[derive(Directives)]`: one feature.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Error, Field, GenericArgument, Ident, PathArguments, Result, Type};

use crate::attribute::{Directive, doc, fields};

struct Declared<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    doc: String,
    directives: Vec<Directive>,
}

impl Declared<'_> {
    fn repeats(&self) -> bool {
        self.directives.iter().any(|directive| directive.repeat)
    }

    fn own(&self) -> bool {
        self.directives.iter().any(|directive| directive.own)
    }
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let declared = fields(input)?.into_iter().map(declared).collect::<Result<Vec<_>>>()?;
    let (declarations, setters) = tables(&declared)?;
    let is_written = declared.iter().map(is_written);
    let resolve = declared.iter().map(resolve).collect::<Result<Vec<_>>>()?;
    let own = declared.iter().any(Declared::own);
    let name = &input.ident;
    let written = format_ident!("{name}Written");
    let shadow = shadowed(&written, input, &declared);
    Ok(quote! {
        #shadow

        impl crate::directive::Directives for #name {
            type Written = #written;

            fn declarations(prefix: &str) -> Vec<crate::directive::Declaration> {
                vec![#(#declarations),*]
            }

            #[allow(unused_variables, clippy::too_many_lines)]
            fn set(
                written: &mut Self::Written,
                index: usize,
                args: &crate::directive::Arguments<'_>,
                cx: &mut crate::directive::Cx<'_>,
            ) -> Result<(), crate::directive::Fault> {
                match index {
                    #(#setters)*
                    _ => {}
                }
                Ok(())
            }

            #[allow(unused_variables, clippy::too_many_lines)]
            fn resolve(
                written: &Self::Written,
                parent: Option<&std::sync::Arc<Self>>,
                nesting: crate::directive::Nesting,
                cx: &mut crate::directive::Cx<'_>,
            ) -> Result<std::sync::Arc<Self>, crate::directive::Fault> {
                let silent = !(false #(|| #is_written)*);
                if let Some(parent) = parent
                    && silent
                    && (!#own || nesting.shares())
                {
                    return Ok(std::sync::Arc::clone(parent));
                }
                let parent = parent.map(|parent| &**parent);
                Ok(std::sync::Arc::new(Self { #(#resolve,)* }))
            }
        }
    })
}

/// The shadow as written: each field as an option.
fn shadowed(written: &Ident, input: &DeriveInput, declared: &[Declared<'_>]) -> TokenStream {
    let (name, visibility) = (&input.ident, &input.vis);
    let summary = format!("What was written of [`{name}`] at one level.");
    let fields = declared.iter().map(shadow);
    quote! {
        #[doc = #summary]
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs)]
        #visibility struct #written { #(#fields,)* }

        impl crate::directive::Unsaid for #written {
            fn unsaid() -> &'static Self {
                static UNSAID: std::sync::LazyLock<#written> =
                    std::sync::LazyLock::new(Default::default);
                &UNSAID
            }
        }
    }
}

/// Each directive's declaration, and what takes it; the place in the list is its number.
fn tables(declared: &[Declared<'_>]) -> Result<(Vec<TokenStream>, Vec<TokenStream>)> {
    let mut index = 0_usize;
    let mut declarations = Vec::new();
    let mut setters = Vec::new();
    for field in declared {
        for directive in &field.directives {
            for name in &directive.names {
                declarations.push(declaration(field, directive, &name.value())?);
                setters.push(setter(index, field, directive)?);
                index += 1;
            }
        }
    }
    Ok((declarations, setters))
}

fn declared(field: &Field) -> Result<Declared<'_>> {
    let ident = field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "needs a name"))?;
    let mut directives = Vec::new();
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("directive")) {
        directives.push(attribute.parse_args::<Directive>()?);
    }
    if directives.is_empty() {
        return Err(Error::new_spanned(field, "every field of a feature is a directive"));
    }
    Ok(Declared { ident, ty: &field.ty, doc: doc(&field.attrs), directives })
}

fn shadow(field: &Declared<'_>) -> TokenStream {
    let (ident, ty) = (field.ident, field.ty);
    if field.repeats() { quote!(pub #ident: #ty) } else { quote!(pub #ident: Option<#ty>) }
}

fn is_written(field: &Declared<'_>) -> TokenStream {
    let ident = field.ident;
    if field.repeats() {
        quote!(!written.#ident.is_empty())
    } else {
        quote!(written.#ident.is_some())
    }
}

/// `T` of a `Vec<T>`.
fn item(ty: &Type) -> Result<&Type> {
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(item)) = arguments.args.first()
    {
        return Ok(item);
    }
    Err(Error::new_spanned(ty, "a directive that repeats needs a Vec"))
}

fn value_type<'a>(field: &Declared<'a>, directive: &Directive) -> Result<&'a Type> {
    if directive.repeat { item(field.ty) } else { Ok(field.ty) }
}

fn declaration(field: &Declared<'_>, directive: &Directive, name: &str) -> Result<TokenStream> {
    let ty = value_type(field, directive)?;
    let arity = match directive.args {
        Some((least, Some(most))) => quote!(crate::directive::Arity::between(#least, #most)),
        Some((least, None)) => quote!(crate::directive::Arity::at_least(#least)),
        None => quote!(<#ty as crate::value::Value>::ARITY),
    };
    let contexts = if let Some(only) = &directive.contexts {
        quote!(crate::directive::Contexts::of(&[#(crate::directive::Context::#only),*]))
    } else {
        quote!(crate::directive::Contexts::HTTP_SERVER_LOCATION)
    };
    let also = &directive.also;
    let default =
        if let Some(text) = &directive.default { quote!(Some(#text)) } else { quote!(None) };
    let effect = match (&directive.ignored, &directive.differs) {
        (Some(reason), _) => quote!(crate::directive::Effect::Ignored(#reason)),
        (None, Some(how)) => quote!(crate::directive::Effect::Differs(#how)),
        (None, None) => quote!(crate::directive::Effect::Acts),
    };
    let (doc, repeat, not) = (&field.doc, directive.repeat, &directive.not);
    let (own, ident) = (directive.own, field.ident);
    Ok(quote! {
        crate::directive::Declaration {
            // The block passes over what has no name.
            name: if [#(#not),*].contains(&prefix) {
                String::new()
            } else {
                #name.replace("{}", prefix)
            },
            contexts: #contexts #(.and(crate::directive::Context::#also))*,
            arity: #arity,
            default: #default,
            doc: #doc,
            effect: #effect,
            repeat: #repeat,
            block: false,
            own: #own,
            field: format!("{prefix} {}::{}", std::any::type_name::<Self>(), stringify!(#ident)),
        }
    })
}

fn parsed(field: &Declared<'_>, directive: &Directive) -> Result<TokenStream> {
    let ty = value_type(field, directive)?;
    Ok(if let Some(path) = &directive.parse {
        quote!(#path)
    } else {
        quote!(<#ty as crate::value::Value>::parse)
    })
}

fn setter(index: usize, field: &Declared<'_>, directive: &Directive) -> Result<TokenStream> {
    let ident = field.ident;
    let parse = parsed(field, directive)?;
    if directive.repeat {
        return Ok(quote!(#index => written.#ident.push(#parse(args, cx)?),));
    }
    let range =
        directive.range.as_ref().map(|range| quote!(crate::directive::within(&value, &(#range))?;));
    if directive.joins {
        return Ok(quote! {
            #index => {
                let value = #parse(args, cx)?;
                written.#ident = Some(match written.#ident.take() {
                    Some(before) => crate::directive::Join::join(before, value),
                    None => value,
                });
            }
        });
    }
    let twice = if field.directives.len() > 1 {
        quote! {
            if let Some(before) = &written.#ident {
                crate::directive::Twice::twice(before, args, cx)?;
            }
        }
    } else {
        quote! {
            if written.#ident.is_some() {
                return Err(crate::directive::Fault::duplicate());
            }
        }
    };
    Ok(quote! {
        #index => {
            #twice
            let value = #parse(args, cx)?;
            #range
            written.#ident = Some(value);
        }
    })
}

fn resolve(field: &Declared<'_>) -> Result<TokenStream> {
    let ident = field.ident;
    let said = if field.repeats() {
        quote!(if written.#ident.is_empty() { None } else { Some(&written.#ident) })
    } else {
        quote!(written.#ident.as_ref())
    };
    let inherited = if field.own() {
        quote!(parent.filter(|_| nesting.shares()).map(|parent| &parent.#ident))
    } else {
        quote!(parent.map(|parent| &parent.#ident))
    };
    let mut default = quote!(Default::default());
    for directive in &field.directives {
        if let (Some(text), Some(name)) = (&directive.default, directive.names.first()) {
            let parse = parsed(field, directive)?;
            let parsed = quote!(crate::directive::from_default(#name, #text, cx, #parse)?);
            default = if directive.repeat { quote!(vec![#parsed]) } else { parsed };
        }
    }
    Ok(quote! {
        #ident: match (#said).or(#inherited) {
            Some(value) => value.clone(),
            None => #default,
        }
    })
}

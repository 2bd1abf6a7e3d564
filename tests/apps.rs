//! Real applications: Django and Flask under uWSGI and gunicorn, and a WebSocket server.

pub mod application;
mod balanced;
mod deploy;
mod gallery;
mod mixed_up;
mod notes;
pub mod visit;
mod websocket;

//! Real applications: Django and Flask under uWSGI and gunicorn, and a WebSocket server.

pub mod application;
mod balanced;
mod gallery;
mod notes;
mod visit;
mod websocket;

//! Facts files: what they turn into, and what they are refused for.

mod agents;
mod refused;
mod sections;
mod support;

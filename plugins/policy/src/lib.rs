//! The policy component.

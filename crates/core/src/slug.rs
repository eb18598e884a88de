//! A community's path, made from its name.

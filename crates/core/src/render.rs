//! Template text and data in, files out.

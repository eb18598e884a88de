//! The HTTP server: connections, time-outs, graceful stop.

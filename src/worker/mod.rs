//! Claiming due work, running it, asking for the next look.

//! Who may approve a proposal, and whether somebody did.

//! One look at one thing: observe, plan, apply, name the next look.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| convenor_fuzz::core::note(bytes));

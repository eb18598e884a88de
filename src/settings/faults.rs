//! What is wrong with the settings, all of it at once.

use std::fmt;

/// One thing that is wrong, with what would mend it. Never holds a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key as it is written in the file (`gitlab.url`), or the variable that set it.
    pub key: String,
    /// What was found.
    pub problem: String,
    /// What would do.
    pub mend: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.problem, self.mend)
    }
}

/// Everything that is wrong with the settings; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFaults(pub Vec<Fault>);

impl fmt::Display for SettingsFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(
            f,
            "the settings have {count} fault{}",
            if count == 1 { "" } else { "s" }
        )?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsFaults {}

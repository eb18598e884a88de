//! Text that is fit for the place it is written to.

macro_rules! sink {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Takes text that is known to be fit.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text to send.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

sink!(
    /// Body of a note, an issue or a merge request.
    Markdown);
sink!(
    /// Title of an issue or merge request.
    Title);
sink!(
    /// Message of a commit.
    CommitMessage);
sink!(
    /// One line, such as a project's description.
    PlainLine);
sink!(
    /// Name of a project.
    ProjectName);
sink!(
    /// Path of a project.
    Slug);

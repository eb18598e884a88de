//! Reading a proposal: the Markdown in, the form and all findings out.

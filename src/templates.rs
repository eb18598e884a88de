//! Where template sets come from: the one inside the program, or a folder.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use convenor_core::render::TemplateSet;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Embedded;

/// The template set that comes with the program.
///
/// # Errors
/// When one of its files is not UTF-8, which a test excludes.
pub fn embedded() -> anyhow::Result<TemplateSet> {
    let mut files = BTreeMap::new();
    for path in Embedded::iter() {
        let Some(file) = Embedded::get(&path) else { continue };
        let source =
            String::from_utf8(file.data.into_owned()).with_context(|| format!("template {path} is not UTF-8"))?;
        files.insert(path.into_owned(), source);
    }
    Ok(TemplateSet::new(files))
}

/// The template set in a folder of this machine.
///
/// # Errors
/// When the folder cannot be read, holds links, or holds files that are not UTF-8.
pub fn from_dir(folder: &Path) -> anyhow::Result<TemplateSet> {
    let mut files = BTreeMap::new();
    read_into(&mut files, folder, folder)?;
    if files.is_empty() {
        bail!("the template folder {} is empty", folder.display());
    }
    Ok(TemplateSet::new(files))
}

fn read_into(files: &mut BTreeMap<String, String>, root: &Path, folder: &Path) -> anyhow::Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the template folder {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            bail!(
                "{} is a link; a template set holds only files and folders",
                path.display()
            );
        }
        if kind.is_dir() {
            read_into(files, root, &path)?;
            continue;
        }
        let source =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read the template {}", path.display()))?;
        let parts: Vec<_> = path
            .strip_prefix(root)?
            .iter()
            .map(|part| part.to_string_lossy())
            .collect();
        files.insert(parts.join("/"), source);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_set_is_the_folder() {
        let folder = from_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")).unwrap();
        assert_eq!(embedded().unwrap(), folder);
    }
}

//! Deployment packages of functions: one executable named `bootstrap`, as the runtime `provided.al2023` wants it, or sources.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The executable of a workspace member, built beside this program.
pub(crate) fn executable(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program is")?;
    let path = own.with_file_name(name);
    anyhow::ensure!(path.exists(), "{} is not built; scripts/dev builds it", path.display());
    Ok(path)
}

/// The package of an executable.
pub(crate) fn zip_executable(executable: &Path) -> Result<Vec<u8>> {
    let content = fs::read(executable).with_context(|| format!("cannot read {}", executable.display()))?;
    zip(&[("bootstrap", &content)])
}

/// Zips without compression: the package only crosses a loopback connection.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let size: usize = files.iter().map(|(_, content)| content.len() + 1024).sum();
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(size)));
    // A fixed time, so that the same executable is the same package.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    for (name, content) in files {
        zip.start_file(*name, options)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}

//! A function's deployment package: one executable named `bootstrap`, as the runtime `provided.al2023` wants it.

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

/// Zips without compression: the package only crosses a loopback connection.
pub(crate) fn zip(executable: &Path) -> Result<Vec<u8>> {
    let content = fs::read(executable).with_context(|| format!("cannot read {}", executable.display()))?;
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(content.len() + 1024)));
    // A fixed time, so that the same executable is the same package.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    zip.start_file("bootstrap", options)?;
    zip.write_all(&content)?;
    Ok(zip.finish()?.into_inner())
}

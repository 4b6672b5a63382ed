//! The files of `db/`, which are part of the program.

use anyhow::{Context as _, Result};
use include_dir::{Dir, include_dir};
use refinery::Migration;

static DB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../db");

/// Migrations follow the schema files, so that a schema file added later still comes before them.
pub(super) const FIRST_MIGRATION: i32 = 100;
/// refinery's table of what has run.
pub(super) const HISTORY: &str = "module_mgmt_schema_history";

/// Schema files and migrations as refinery has them.
pub(crate) fn migrations() -> Result<Vec<Migration>> {
    let schema = files("schema").into_iter().map(|file| (0, file));
    let later = files("migrations").into_iter().map(|file| (FIRST_MIGRATION, file));
    schema
        .chain(later)
        .map(|(base, (file, sql))| {
            let (number, name) =
                file.trim_end_matches(".sql").split_once('-').with_context(|| format!("{file} has no number"))?;
            let version = base + number.parse::<i32>().with_context(|| format!("{file} has no number"))?;
            // U and not V: refinery applies a schema file that is added after later-numbered migrations have run.
            Ok(Migration::unapplied(&format!("U{version}__{}", name.replace('-', "_")), sql)?)
        })
        .collect()
}

/// The files of `db/<folder>` in name order.
pub(super) fn files(folder: &str) -> Vec<(&'static str, &'static str)> {
    let all = DB.get_dir(folder).into_iter().flat_map(Dir::files);
    let mut files: Vec<_> = all
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "sql"))
        .filter_map(|file| Some((file.path().file_name()?.to_str()?, file.contents_utf8()?)))
        .collect();
    files.sort_unstable();
    files
}

/// Version and checksum of schema files as earlier releases had them; see `db/superseded.txt`.
pub(crate) fn superseded() -> Result<Vec<(i32, u64)>> {
    let text =
        DB.get_file("superseded.txt").and_then(|file| file.contents_utf8()).context("db/superseded.txt is missing")?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (version, checksum) = line.split_once(' ').with_context(|| format!("db/superseded.txt: {line}"))?;
            Ok((version.parse()?, checksum.parse()?))
        })
        .collect()
}

/// What a freshly migrated database looks like; see `mgmt doctor`.
pub(crate) fn catalog() -> Result<&'static str> {
    DB.get_file("catalog.json").and_then(|file| file.contents_utf8()).context("db/catalog.json is missing")
}

/// The names of our tables and of our functions in public, as the schema files make them.
pub(crate) fn our_names() -> (Vec<String>, Vec<String>) {
    let lines = || [files("schema"), files("migrations")].into_iter().flatten().flat_map(|(_, sql)| sql.lines());
    let named = |beginning: &str| -> Vec<String> {
        let names = lines().filter_map(|line| line.strip_prefix(beginning)?.split(['(', ' ']).next());
        names.map(str::to_owned).collect()
    };
    let mut tables = named("create table if not exists public.");
    tables.push(HISTORY.to_owned());
    (tables, named("create or replace function public."))
}

//! Where the local platform keeps its files, and as whom its database runs.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

/// The account that runs Postgres and PgBouncer when this program runs as root, which both refuse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unprivileged {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Folders of the local platform.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// `.dev` in the project.
    pub(crate) root: PathBuf,
    /// Where the database's programs and data live: `.dev`, or a folder that the unprivileged account can enter.
    pub(crate) database: PathBuf,
    pub(crate) unprivileged: Option<Unprivileged>,
}

impl Home {
    pub(crate) fn open(project: &Path) -> Result<Self> {
        let root = std::path::absolute(project)?.join(".dev");
        fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        let unprivileged = if fs::metadata("/proc/self").map_or_else(|_| is_root_by_id(), |me| me.uid() == 0) {
            Some(nobody()?)
        } else {
            None
        };
        let database = match unprivileged {
            Some(account) if !can_enter(account, &root) => {
                let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
                let name: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
                let folder = std::env::temp_dir().join(format!("module-mgmt-{name}"));
                own_folder(&folder)?;
                folder
            }
            _ => root.clone(),
        };
        Ok(Self { root, database, unprivileged })
    }

    /// Claims a name for as long as the answer lives: two platforms on the same data would spoil each other's files. The
    /// system gives the lock back when this program ends, however it ends.
    pub(crate) fn claim(&self, name: &str) -> Result<fs::File> {
        let path = self.root.join(format!("{name}.lock"));
        let file = fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => {
                bail!("another run is using {}; stop that one first", self.root.join(name).display())
            }
            Err(fs::TryLockError::Error(error)) => Err(error).context(format!("cannot lock {}", path.display())),
        }
    }

    /// Makes a folder that the database's account owns.
    pub(crate) fn owned_folder(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path)?;
        if let Some(account) = self.unprivileged {
            std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid))?;
        }
        Ok(())
    }
}

/// Makes a folder where everybody may write, or takes our own of an earlier run. A stranger's is refused: root would run
/// programs from it.
fn own_folder(folder: &Path) -> Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error)?,
        _ => {}
    }
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != 0 {
        bail!("{} exists and is not ours; remove it", folder.display());
    }
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?)
}

fn is_root_by_id() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn nobody() -> Result<Unprivileged> {
    let id = |flag: &str| -> Result<u32> {
        let output = Command::new("id").args([flag, "nobody"]).output().context("cannot run id")?;
        String::from_utf8(output.stdout)?.trim().parse().context("there is no account named nobody")
    };
    Ok(Unprivileged { uid: id("-u")?, gid: id("-g")? })
}

fn can_enter(account: Unprivileged, folder: &Path) -> bool {
    use std::os::unix::process::CommandExt as _;
    Command::new("test")
        .arg("-x")
        .arg(folder)
        .uid(account.uid)
        .gid(account.gid)
        .status()
        .is_ok_and(|status| status.success())
}

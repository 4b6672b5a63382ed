//! A file system of a few megabytes that can really be full: a tmpfs in a mount namespace of its own, so that nobody else sees it and
//! nothing is left of it when the test ends, however it ends.

use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::server::own_uid;

pub(crate) struct SmallDisk {
    /// A process that keeps the namespace until its standard input ends, which it does with this process at the latest.
    keeper: Child,
    at: PathBuf,
    owner: (u32, u32),
}

impl SmallDisk {
    /// As root, or in a user namespace that has a root of its own. `None`: this machine forbids both.
    pub(crate) fn mount(at: &Path, megabytes: u32, owner: (u32, u32)) -> Option<Self> {
        let is_root = own_uid() == 0;
        // In the user namespace nobody but ourselves exists, and is root.
        let (namespaces, (uid, gid)) = if is_root { ("-m", owner) } else { ("-Urm", (0, 0)) };
        let options = format!("size={megabytes}m,mode=0700,uid={uid},gid={gid}");
        let script = "mount -t tmpfs -o \"$2\" tmpfs \"$1\" && echo mounted && exec cat";
        let mut keeper = Command::new("unshare");
        keeper.args([namespaces, "sh", "-c", script, "sh"]).arg(at).arg(options);
        let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut said = String::new();
        BufReader::new(keeper.stdout.take()?).read_line(&mut said).ok()?;
        let disk = Self { keeper, at: at.to_owned(), owner };
        (said == "mounted\n").then_some(disk)
    }

    /// A program that sees the disk, as the owner of its files and not as root.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let (uid, gid) = self.owner;
        command.args(["-t", &self.keeper.id().to_string(), "-m"]);
        if own_uid() == 0 {
            command.args(["setpriv", &format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups"]);
        } else {
            command.args(["-U", "--preserve-credentials", "unshare", "-U"]);
            command.args([format!("--map-user={uid}"), format!("--map-group={gid}")]);
        }
        command.arg(program);
        command
    }

    fn ballast(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        root.join(self.at.strip_prefix("/").unwrap()).join("ballast")
    }

    /// Leaves room for so many bytes and no more.
    pub(crate) fn fill_up_to(&self, left: u64) {
        let mut file = File::create(self.ballast()).unwrap();
        let mut written = 0;
        loop {
            match file.write(&[0; 65_536]) {
                Ok(bytes) => written += u64::try_from(bytes).unwrap(),
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
        file.set_len(written.checked_sub(left).unwrap()).unwrap();
    }

    pub(crate) fn free(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

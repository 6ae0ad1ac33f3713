//! A Postgres of our own: one for each test process, on a Unix socket in a temporary folder.
//!
//! A shell holds the server and waits on its standard input: when this process ends, however it
//! ends, the shell stops the server and removes the folder. A server that ends by itself, or is
//! killed, is started again.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mandate_registry::database::{self, Access};

use crate::skip::skip;

/// The user's password: planted, to be looked for where it must not be.
pub(crate) const PASSWORD: &str = "planted-password-7f3a";

/// Where a server listens that was told nothing else.
const PORT: u16 = 5432;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    folder: PathBuf,
    /// By which its socket is named, too.
    port: u16,
    _shell: Child,
}

/// The server of this process, if there is a Postgres; says aloud, once, that its half is skipped.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let started = SERVER.get_or_init(|| {
        let Some(programs) = std::env::var_os("MANDATE_POSTGRES") else {
            let reason = "MANDATE_POSTGRES names no folder of Postgres's programs";
            skip("the registry on Postgres, every case", reason);
            return None;
        };
        Some(Server::start(Path::new(&programs), "mandate-pg", None))
    });
    started.as_ref()
}

/// Another server, which its test may kill; `None` where there is no Postgres.
pub(crate) fn server_to_kill() -> Option<&'static Server> {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let programs = std::env::var_os("MANDATE_POSTGRES")?;
    Some(SERVER.get_or_init(|| Server::start(Path::new(&programs), "mandate-pg-killed", None)))
}

/// Another server, which speaks TLS at a port of 127.0.0.1; `None` where there is no Postgres.
pub(crate) fn server_with_tls(tls: &Tls<'_>) -> Option<Server> {
    let programs = std::env::var_os("MANDATE_POSTGRES")?;
    Some(Server::start(Path::new(&programs), "mandate-pg-tls", Some(tls)))
}

/// A certificate with its key, PEM, and a free port.
pub(crate) struct Tls<'t> {
    pub(crate) certificate: &'t str,
    pub(crate) key: &'t str,
    pub(crate) port: u16,
}

impl Server {
    fn start(programs: &Path, name: &str, tls: Option<&Tls<'_>>) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        std::fs::write(folder.join("password"), PASSWORD).expect("the password's file");
        let mut files = vec![folder.join("password")];
        if let Some(tls) = tls {
            for (name, text) in [("tls.crt", tls.certificate), ("tls.key", tls.key)] {
                let path = folder.join(name);
                std::fs::write(&path, text).expect("a file of TLS");
                let private = std::fs::Permissions::from_mode(0o600);
                std::fs::set_permissions(&path, private).expect("Postgres wants it so");
                files.push(path);
            }
        }
        let owner = owner();
        if let Some((user, group)) = owner {
            for path in files.iter().chain([&folder]) {
                chown(path, Some(user), Some(group)).expect("root gives its files away");
            }
        }
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&folder, open).expect("the folder can be entered");
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.arg("-c").arg(script).arg("sh").arg(programs).arg(&folder);
            command.arg(tls.map_or_else(String::new, |tls| tls.port.to_string()));
            command.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null());
            if let Some((user, group)) = owner {
                command.uid(user).gid(group);
            }
            command
        };
        let made = shell(INITIALIZE).status().expect("a shell runs");
        assert!(made.success(), "initdb of MANDATE_POSTGRES makes a cluster");
        // In a group of its own: an interrupt at the keyboard must not end who cleans up.
        let shell = shell(SERVE).stdin(Stdio::piped()).process_group(0).spawn();
        let shell = shell.expect("a shell runs");
        let server = Self { folder, port: tls.map_or(PORT, |tls| tls.port), _shell: shell };
        server.wait();
        server
    }

    /// Ends the server at once, as a crash of its machine would; it comes back by itself.
    pub(crate) fn kill(&self) {
        let file = self.folder.join("data/postmaster.pid");
        let text = std::fs::read_to_string(file).expect("a running server has its file");
        let id = text.lines().next().expect("the process is in its first line");
        let killed = Command::new("kill").args(["-KILL", id]).status().expect("`kill` runs");
        assert!(killed.success(), "the server was running");
    }

    /// Until it answers.
    pub(crate) fn wait(&self) {
        let started = Instant::now();
        while database::open(&self.url("postgres")).is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "Postgres answers within 60 s");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The address of a database.
    pub(crate) fn url(&self, name: &str) -> String {
        self.url_with(name, PASSWORD)
    }

    /// The address of a database, with another password.
    pub(crate) fn url_with(&self, name: &str, password: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://mandate:{password}@{folder}:{}/{name}", self.port)
    }

    /// Makes an empty database and gives its name.
    pub(crate) fn make_database(&self) -> String {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("store_{}", MADE.fetch_add(1, Ordering::Relaxed));
        // No statement of the registry makes databases: this is the one that Postgres runs outside
        // of a transaction, so that a program of Postgres has to.
        let url = self.url("postgres");
        let programs = std::env::var_os("MANDATE_POSTGRES").expect("the server runs");
        let made = Command::new(Path::new(&programs).join("psql"))
            .args(["--no-psqlrc", "--quiet", "--dbname", &url, "--command"])
            .arg(format!("create database {name}"))
            .status();
        assert!(made.expect("psql runs").success(), "psql makes a database");
        name
    }

    /// Ends every connection to a database, as a restart of the server would.
    pub(crate) fn disconnect(&self, name: &str) {
        let mut database = database::open(&self.url("postgres")).expect("the server answers");
        let mut transaction = database.begin(Access::Write).expect("a transaction");
        let sql = "select cast(pg_terminate_backend(pid) as text) from pg_stat_activity \
            where datname = $1";
        transaction.query(sql, &[name.into()]).expect("a superuser may end connections");
    }
}

/// Whom the server runs as: not root, which Postgres refuses.
fn owner() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
}

const INITIALIZE: &str = "exec \"$1/initdb\" --pgdata=\"$2/data\" --username=mandate \
    --auth=scram-sha-256 --pwfile=\"$2/password\" --encoding=UTF8 --locale=C --no-sync";

const SERVE: &str = "if [ -n \"$3\" ]; then
        tls=\"-c listen_addresses=127.0.0.1 -c port=$3 -c ssl=on \
            -c ssl_cert_file=$2/tls.crt -c ssl_key_file=$2/tls.key\"
    else tls='-c listen_addresses='; fi
    while [ ! -e \"$2/over\" ]; do
        \"$1/postgres\" -D \"$2/data\" -c unix_socket_directories=\"$2\" \
            $tls -c fsync=off -c max_connections=90 <&-; sleep 0.05
    done & servers=$!
    cat > /dev/null; touch \"$2/over\"
    kill -QUIT $(head -n 1 \"$2/data/postmaster.pid\"); wait $servers; rm -rf \"$2\"";

//! A control plane: its parts put together, started, stopped and talked to.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, Config, ResourceExt as _};
use socket2::{Domain, Socket, Type};
use tokio::time::{sleep, timeout};

use crate::arguments;
use crate::audit::{self, AuditLog, Request};
use crate::binaries::{Binaries, NodeBinaries};
use crate::crds;
use crate::error::Error;
use crate::kubeconfig::{Impersonated, kubeconfig, write_private};
use crate::node::{self, Node, NodeOptions};
use crate::pki::{self, Authority, Identity};
use crate::process::{Part, Sandbox};
use crate::say;

/// For each part. It takes 3 s on two idle cores, 12 s where four start at once, and longer beside a compiler.
const READY_WITHIN: Duration = Duration::from_mins(2);

/// Between two questions whether a part is ready.
const POLL: Duration = Duration::from_millis(50);

/// A server that is just starting, or frozen, may accept a connection and not answer.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// How a control plane differs from a plain one.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Custom resource definitions, YAML or JSON, one or more documents in each text.
    ///
    /// They are there before kube-controller-manager starts: it learns of later ones only every 30 s, and until then what
    /// their objects own is not collected.
    pub crds: Vec<String>,
    /// Further arguments of kube-apiserver, `--request-timeout=3s`; after ours, so that the last value counts.
    pub apiserver_flags: Vec<String>,
    /// With a node that runs pods; only root can have one, and one at a time.
    pub node: Option<NodeOptions>,
}

impl Options {
    /// With the CRDs of this workspace, `crds/*.yaml`.
    pub fn of_workspace() -> Result<Options, Error> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
        let failed = || Error::io(format!("read {}", folder.display()));
        let mut crds = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            if path.extension() == Some(OsStr::new("yaml")) {
                crds.push(fs::read_to_string(&path).map_err(failed())?);
            }
        }
        Ok(Options { crds, ..Options::default() })
    }
}

/// A running control plane. It ends, and its directory goes, when it is dropped or when its process ends in any way.
pub struct Cluster {
    binaries: Binaries,
    options: Options,
    sandbox: Mutex<Sandbox>,
    /// Bound and not listening: keeps the API server's port ours while that is down.
    _port: Socket,
    address: SocketAddr,
    url: String,
    authority: Authority,
    admin: Identity,
    kubeconfig: PathBuf,
    audit: AuditLog,
    users: AtomicU32,
    node: Option<Node>,
}

impl Cluster {
    /// Starts a control plane and waits until all of it works.
    ///
    /// If the environment variable `ASA_CLUSTER_KEEP` is set, its directory with all logs is kept when it ends.
    pub async fn start(mut options: Options) -> Result<Cluster, Error> {
        let binaries = tokio::task::spawn_blocking(Binaries::find).await;
        let binaries = binaries.map_err(|error| Error::io("look for binaries")(error.into()))??;
        let keep = env::var_os("ASA_CLUSTER_KEEP").is_some_and(|value| !value.is_empty());
        let sandbox = Sandbox::new(keep)?;
        if keep {
            say(&format!("ASA_CLUSTER_KEEP is set: logs stay in {}", sandbox.dir().display()));
        }
        let mut node = None;
        if let Some(wanted) = options.node.take() {
            let programs = NodeBinaries::find(&binaries)?;
            node = Some(Node::prepare(wanted, programs, &sandbox)?);
            // In front of the caller's, which count more.
            options.apiserver_flags.splice(..0, node::apiserver_flags());
        }
        let cluster = Cluster::prepare(binaries, options, sandbox, node)?;
        cluster.spawn(Part::Etcd, &cluster.binaries.etcd, &arguments::etcd())?;
        // It waits for etcd by itself.
        cluster.start_apiserver().await?;
        crds::install(&cluster.client()?, &cluster.options.crds).await?;
        cluster.start_controller_manager().await?;
        cluster.start_node().await?;
        Ok(cluster)
    }

    /// Makes all files that the parts need.
    fn prepare(binaries: Binaries, options: Options, sandbox: Sandbox, node: Option<Node>) -> Result<Cluster, Error> {
        let host = if node.is_some() { node::ADDRESS } else { Ipv4Addr::LOCALHOST };
        let (port, address) = reserve_port(host).map_err(Error::io("reserve a port"))?;
        let url = format!("https://{address}");
        let authority = Authority::new()?;
        let admin = authority.client("admin", Some("system:masters"))?;
        let server = authority.server()?;
        let controller_manager = authority.client("system:kube-controller-manager", None)?;
        let service_accounts = pki::new_key()?;

        let dir = sandbox.dir().to_owned();
        let write = |name: &str, contents: &str| {
            let path = dir.join(name);
            write_private(&path, contents).map_err(Error::io(format!("write {}", path.display()))).map(|()| path)
        };
        let config = |identity: &Identity| kubeconfig(&url, &authority.certificate(), identity, None).to_string();
        write("ca.crt", &authority.certificate())?;
        write("apiserver.crt", &server.certificate)?;
        write("apiserver.key", &server.key)?;
        write("sa.key", &service_accounts.serialize_pem())?;
        write("sa.pub", &service_accounts.public_key_pem())?;
        write("audit-policy.json", audit::POLICY)?;
        write("controller-manager.kubeconfig", &config(&controller_manager))?;
        if node.is_some() {
            write("admin.crt", &admin.certificate)?;
            write("admin.key", &admin.key)?;
            for (user, group, file) in node::USERS {
                let identity = authority.client(user, group)?;
                write(file, &config(&identity))?;
            }
        }
        let kubeconfig = write("admin.kubeconfig", &config(&admin))?;
        Ok(Cluster {
            binaries,
            options,
            sandbox: Mutex::new(sandbox),
            _port: port,
            address,
            url,
            authority,
            admin,
            kubeconfig,
            audit: AuditLog::new(dir.join(arguments::AUDIT_LOG)),
            users: AtomicU32::new(0),
            node,
        })
    }

    /// The API server's, `https://127.0.0.1:PORT`, or at a node's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The kubeconfig file of a user who may do anything. Its folder has the logs.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A new client of that user, bound to the runtime of the caller.
    ///
    /// It retries as kube's clients do by default. The crypto provider is aws-lc-rs, unless the process has chosen another.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn client(&self) -> Result<Client, Error> {
        self.client_that_retries(true)
    }

    /// kubectl, of the API server's version, as that user; nothing of the developer's own configuration counts.
    pub fn kubectl(&self) -> Command {
        let mut kubectl = Command::new(&self.binaries.kubectl);
        kubectl.env("KUBECONFIG", &self.kubeconfig);
        kubectl.env("KUBECACHEDIR", self.kubeconfig.with_file_name("kubectl-cache"));
        kubectl.env("KUBERC", "off");
        kubectl
    }

    /// Creates a namespace that nobody else has: `prefix`, a hyphen, five characters.
    pub async fn namespace(&self, prefix: &str) -> Result<String, Error> {
        let namespaces: Api<Namespace> = Api::all(self.client()?);
        let namespace = Namespace {
            metadata: ObjectMeta { generate_name: Some(format!("{prefix}-")), ..ObjectMeta::default() },
            ..Namespace::default()
        };
        let created = namespaces.create(&PostParams::default(), &namespace).await;
        Ok(created.map_err(Error::kubernetes(format!("create a namespace {prefix}-…")))?.name_any())
    }

    /// Writes a kubeconfig file for a user of this name in these groups, who may do what RBAC grants them.
    ///
    /// A service account's name is `system:serviceaccount:NAMESPACE:NAME`; without groups it is in those of service accounts.
    /// The file impersonates: it carries the all-powerful user's certificate and the headers that forgo that power.
    pub fn user(&self, name: &str, groups: &[&str]) -> Result<PathBuf, Error> {
        let acting_as = Impersonated { user: name, groups };
        let config = kubeconfig(&self.url, &self.authority.certificate(), &self.admin, Some(&acting_as));
        let number = self.users.fetch_add(1, Ordering::Relaxed);
        let path = self.kubeconfig.with_file_name(format!("user-{number}.kubeconfig"));
        write_private(&path, &config.to_string()).map_err(Error::io(format!("write {}", path.display())))?;
        Ok(path)
    }

    /// All requests to the API server so far, this crate's own and those of the control plane among them.
    pub fn audit(&self) -> Result<Vec<Request>, Error> {
        self.audit.requests(|_| true)
    }

    /// The requests about objects of a namespace by clients whose user agent begins so.
    pub fn requests(&self, namespace: &str, user_agent_prefix: &str) -> Result<Vec<Request>, Error> {
        self.audit.requests(|request| {
            request.namespace.as_deref() == Some(namespace) && request.user_agent.starts_with(user_agent_prefix)
        })
    }

    /// Kills the API server as a crash would. Connections to it are refused until it is started again.
    pub fn stop_apiserver(&self) {
        self.sandbox().kill(Part::ApiServer);
    }

    /// Starts the API server, unless it runs, and waits until it is ready: same port, same data.
    pub async fn start_apiserver(&self) -> Result<(), Error> {
        if !self.sandbox().is_running(Part::ApiServer) {
            let arguments = arguments::apiserver(self.address.port(), &self.options.apiserver_flags);
            self.spawn(Part::ApiServer, &self.binaries.kube_apiserver, &arguments)?;
        }
        let probe = self.client_that_retries(false)?;
        self.ready(Part::ApiServer, || async {
            match http::Request::get("/readyz").body(Vec::new()) {
                Ok(request) => probe.request_text(request).await.is_ok(),
                Err(_) => false,
            }
        })
        .await
    }

    /// Makes the API server hang: it accepts connections and answers nothing.
    pub fn freeze_apiserver(&self) -> Result<(), Error> {
        self.sandbox().freeze(Part::ApiServer)
    }

    /// Lets a frozen API server go on.
    pub fn thaw_apiserver(&self) -> Result<(), Error> {
        self.sandbox().thaw(Part::ApiServer)
    }

    /// Makes the store hang: the API server answers from its caches and fails writes after its `--request-timeout`.
    pub fn freeze_etcd(&self) -> Result<(), Error> {
        self.sandbox().freeze(Part::Etcd)
    }

    /// Lets a frozen store go on.
    pub fn thaw_etcd(&self) -> Result<(), Error> {
        self.sandbox().thaw(Part::Etcd)
    }

    async fn start_controller_manager(&self) -> Result<(), Error> {
        let controllers = if self.node.is_some() { "*" } else { arguments::CONTROLLERS };
        let arguments = arguments::controller_manager(controllers);
        self.spawn(Part::ControllerManager, &self.binaries.kube_controller_manager, &arguments)?;
        // The first thing that it makes.
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client_that_retries(false)?, "default");
        self.ready(Part::ControllerManager, || async { accounts.get("default").await.is_ok() }).await
    }

    /// Starts the node's parts, if there is to be one, and waits until it takes pods.
    async fn start_node(&self) -> Result<(), Error> {
        let Some(node) = &self.node else { return Ok(()) };
        let spawn = |part| {
            let (program, arguments) = node.command(part);
            self.spawn(part, program, &arguments)
        };
        spawn(Part::Containerd)?;
        self.ready(Part::Containerd, || async { node.runs_containers() }).await?;
        node.import_images()?;
        for part in [Part::Dnsmasq, Part::Kubelet, Part::Scheduler, Part::Proxy] {
            spawn(part)?;
        }
        self.ready(Part::Dnsmasq, || async { Node::tells_names() }).await?;
        let nodes: Api<k8s_openapi::api::core::v1::Node> = Api::all(self.client_that_retries(false)?);
        self.ready(Part::Kubelet, || async { nodes.get(node::NAME).await.is_ok_and(|node| node::is_ready(&node)) })
            .await
    }

    /// Gives a name an address, instead of one that it may have: the node's pods find it by DNS from now on.
    pub fn name(&self, name: &str, address: Ipv4Addr) -> Result<(), Error> {
        self.node.as_ref().map_or_else(|| Err(Error::NotRunning(Part::Dnsmasq)), |node| node.name(name, address))
    }

    /// Runs containerd's client on the node, `ctr -n k8s.io`, and returns what it printed.
    pub fn ctr(&self, arguments: &[&str]) -> Result<String, Error> {
        self.node.as_ref().map_or_else(|| Err(Error::NotRunning(Part::Containerd)), |node| node.ctr(arguments))
    }

    fn spawn(&self, part: Part, program: &Path, arguments: &[String]) -> Result<(), Error> {
        self.sandbox().spawn(part, program, arguments)
    }

    /// Asks until the answer is good, all parts permitting.
    async fn ready<F>(&self, part: Part, probe: impl Fn() -> F) -> Result<(), Error>
    where
        F: Future<Output = bool>,
    {
        let ready = async {
            loop {
                self.sandbox().check()?;
                if timeout(PROBE_LIMIT, probe()).await == Ok(true) {
                    return Ok(());
                }
                sleep(POLL).await;
            }
        };
        let ready = timeout(READY_WITHIN, ready).await;
        ready
            .unwrap_or_else(|_| Err(Error::NotReady { part, waited: READY_WITHIN, log: self.sandbox().log_tail(part) }))
    }

    fn client_that_retries(&self, retry: bool) -> Result<Client, Error> {
        let failed = || Error::kubernetes("make a client");
        let url = self.url.parse().map_err(|error| failed()(kube::Error::HttpError(http::Error::from(error))))?;
        let mut config = Config::new(url);
        config.root_cert = Some(vec![self.authority.der().to_vec()]);
        config.auth_info.client_certificate_data = Some(self.admin.certificate_base64());
        config.auth_info.client_key_data = Some(self.admin.key_base64().into());
        config.default_retry = retry;
        Client::try_from(config).map_err(failed())
    }

    fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("url", &self.url).field("kubeconfig", &self.kubeconfig).finish_non_exhaustive()
    }
}

/// A port of the address that the API server can bind beside us and, because it is bound here, nobody else is given.
fn reserve_port(host: Ipv4Addr) -> std::io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.bind(&SocketAddr::from((host, 0)).into())?;
    let address = socket.local_addr()?.as_socket();
    let address = address.ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, address))
}

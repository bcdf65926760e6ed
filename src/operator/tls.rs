//! TLS for /metrics, with a certificate that is read again when it changes.

use std::{
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::serve::Listener;
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use zeroize::Zeroizing;

/// The files are looked at this often. cert-manager renews weeks before the end; a kubelet shows a new Secret within two
/// minutes.
const RELOAD: Duration = Duration::from_secs(10);

/// A client has so long for its part of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes under way at once; the next ones wait in the kernel.
const MOST_HANDSHAKES: usize = 16;

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used. Nothing of a file's content is shown.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files are not what they should be.
    #[error("{} and {} are not a certificate and its key, both PEM", .0.cert.display(), .0.key.display())]
    NoPair(TlsFiles),
}

/// The certificate that is shown to whoever connects.
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Says nothing: there is a key in it.
impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

/// Connections whose handshake is over. A client that takes its time with it holds up no other.
pub(super) struct TlsListener {
    address: SocketAddr,
    arrived: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Takes over `listener`, and looks after the files, both in `tasks` that never end.
    ///
    /// # Errors
    /// Where the files cannot be used now. Later that is only logged, and the old certificate stays.
    pub(super) fn new(
        listener: TcpListener,
        address: SocketAddr,
        files: TlsFiles,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, TlsError> {
        let shown = Arc::new(Shown(RwLock::new(Arc::new(load(&files)?))));
        let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::clone(&shown) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (tell, arrived) = mpsc::channel(1);
        tasks.spawn(accept(listener, TlsAcceptor::from(Arc::new(config)), tell));
        tasks.spawn(reload(files, shown));
        Ok(Self { address, arrived })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.arrived.recv().await {
            Some(arrived) => arrived,
            // The task that accepts has ended, and with it the process.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    mut listener: TcpListener,
    acceptor: TlsAcceptor,
    arrived: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(MOST_HANDSHAKES));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        // axum's own, which survives a lack of file descriptors.
        let (stream, peer) = Listener::accept(&mut listener).await;
        let (acceptor, arrived) = (acceptor.clone(), arrived.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // Nobody listens any more: the process is ending.
                let _ = arrived.send((stream, peer)).await;
            }
            drop(place);
        });
    }
}

async fn reload(files: TlsFiles, shown: Arc<Shown>) {
    let mut has_failed = false;
    loop {
        tokio::time::sleep(RELOAD).await;
        match load(&files) {
            Ok(pair) => {
                let mut shown = shown.0.write().unwrap_or_else(PoisonError::into_inner);
                if shown.cert != pair.cert {
                    *shown = Arc::new(pair);
                    tracing::info!("the certificate for metrics was read again");
                }
                has_failed = false;
            }
            // Once is enough; a pair that is written one after the other is whole the next time.
            Err(error) if !has_failed => {
                tracing::warn!("the certificate for metrics stays as it is: {error}");
                has_failed = true;
            }
            Err(_) => {}
        }
    }
}

fn load(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).map(Zeroizing::new);
        bytes.map_err(|source| TlsError::Unreadable { path: path.clone(), source })
    };
    let (cert, key) = (read(&files.cert)?, read(&files.key)?);
    pair(&cert, &key).ok_or_else(|| TlsError::NoPair(files.clone()))
}

fn pair(cert: &[u8], key: &[u8]) -> Option<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(cert).collect::<Result<Vec<_>, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_slice(key).ok()?;
    // Refuses a key that is another certificate's, and an empty chain.
    CertifiedKey::from_der(chain, key, CryptoProvider::get_default()?).ok()
}

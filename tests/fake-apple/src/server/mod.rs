//! The server around [`State`]: a thread of its own with a runtime of its own.

mod connection;
mod control;
mod tls;
mod wire;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    thread::JoinHandle,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::{apple::Apple, clock::Clock, jwt::BadKey, model::Config, state::State};
use tls::Identity;

/// A running stand-in for Apple. Dropping it closes all its connections and frees its ports.
///
/// It runs on a thread and a runtime of its own, so it outlives the runtime of the test that started it, and a paused
/// tokio clock does not pause it.
///
/// ```no_run
/// # async fn example(client: fake_apple::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use fake_apple::{Endpoint, FakeApple};
///
/// let apple = FakeApple::start().await?;
/// apple.state().register(client)?;
/// println!("--apple-id-url {} --ca-bundle <file with {}>", apple.https_url(), apple.ca_pem());
/// apple.state().until(|counts| counts.at(Endpoint::Token).with_status(200).total() == 1).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FakeApple {
    state: State,
    identity: Identity,
    addresses: Addresses,
    running: Option<Running>,
}

/// Where and with what to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Plain HTTP; port 0 is any free one.
    pub listen: SocketAddr,
    /// HTTPS; port 0 is any free one.
    pub https_listen: SocketAddr,
    /// Names and addresses, beside those of loopback, that the certificate is for.
    pub https_names: Vec<String>,
    /// The source of time.
    pub clock: Clock,
    /// What Apple knows at the start.
    pub config: Config,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A port is taken, or the thread or its runtime could not be made.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
    /// The certificate authority could not be made.
    #[error("cannot make certificates: {0}")]
    Certificates(#[from] rcgen::Error),
    /// The certificates do not serve for TLS.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// A key of the given clients is not one.
    #[error(transparent)]
    Key(#[from] BadKey),
}

#[derive(Clone, Copy, Debug)]
struct Addresses {
    http: SocketAddr,
    https: SocketAddr,
}

#[derive(Debug)]
struct Running {
    /// Sent or dropped: the server ends.
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Default for Options {
    /// Free ports of 127.0.0.1, the system's clock, nothing known.
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: any,
            https_listen: any,
            https_names: Vec::new(),
            clock: Clock::system(),
            config: Config::default(),
        }
    }
}

impl FakeApple {
    /// Starts on free ports of 127.0.0.1; returns when both accept connections.
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(Options::default()).await
    }

    /// Starts as told; returns when both ports accept connections.
    pub async fn start_with(options: Options) -> Result<Self, StartError> {
        let mut apple = Apple::new();
        apple.configure(options.config)?;
        let mut server = Self {
            state: State::new(apple, options.clock),
            identity: Identity::generate(&options.https_names)?,
            addresses: Addresses { http: options.listen, https: options.https_listen },
            running: None,
        };
        server.resume().await?;
        Ok(server)
    }

    /// What it knows and was asked, to read and to set.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end. The token endpoint is at `/auth/oauth2/token`, the Ads APIs
    /// are at `/v1` and `/api/v5`, App Store Connect is at `/app-store-connect`, the Enterprise Program at `/enterprise`,
    /// the control endpoint at `/control`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addresses.http)
    }

    /// The same over TLS; the certificate is for `127.0.0.1`, `::1`, `localhost` and [`Options::https_names`].
    pub fn https_url(&self) -> String {
        format!("https://{}", self.addresses.https)
    }

    /// The port of plain HTTP.
    pub fn http_port(&self) -> u16 {
        self.addresses.http.port()
    }

    /// The port of HTTPS.
    pub fn https_port(&self) -> u16 {
        self.addresses.https.port()
    }

    /// The certificate of the authority that signed the server's, as PEM. Each start makes a new one.
    pub fn ca_pem(&self) -> &str {
        self.identity.ca_pem()
    }

    /// Goes down: connections are cut, new ones refused. State, ports and certificates stay for [`FakeApple::resume`].
    pub fn pause(&mut self) {
        let Some(Running { stop, thread }) = self.running.take() else {
            return;
        };
        drop(stop);
        // A thread that panicked is as stopped as one that returned.
        let _ = thread.join();
    }

    /// Comes back on the same ports; returns when both accept connections. Does nothing while running.
    pub async fn resume(&mut self) -> Result<(), StartError> {
        if self.running.is_some() {
            return Ok(());
        }
        let (stop, stopped) = oneshot::channel();
        let (report, reported) = oneshot::channel();
        let (wanted, state, identity) = (self.addresses, self.state.clone(), self.identity.clone());
        let thread = std::thread::Builder::new()
            .name("fake-apple".to_owned())
            .spawn(move || run(wanted, state, identity, report, stopped))?;
        self.running = Some(Running { stop, thread });
        let bound = reported.await.unwrap_or_else(|_| Err(io::Error::other("the server's thread ended at once")));
        match bound {
            Ok(addresses) => self.addresses = addresses,
            Err(error) => {
                self.pause();
                return Err(error.into());
            }
        }
        Ok(())
    }
}

impl Drop for FakeApple {
    fn drop(&mut self) {
        self.pause();
    }
}

/// The thread: binds, reports where, and serves until told to stop. Dropping the runtime cuts all connections.
fn run(
    wanted: Addresses,
    state: State,
    identity: Identity,
    report: oneshot::Sender<io::Result<Addresses>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(report.send(Err(error))),
    };
    runtime.block_on(async {
        let (http, https) = match bind(wanted).await {
            Ok(bound) => bound,
            Err(error) => return drop(report.send(Err(error))),
        };
        let bound = http.local_addr().and_then(|http| Ok(Addresses { http, https: https.local_addr()? }));
        if report.send(bound).is_err() {
            return;
        }
        tokio::select! {
            () = accept_plain(http, state.clone()) => {}
            () = accept_tls(https, identity, state) => {}
            _ = stopped => {}
        }
    });
}

async fn bind(wanted: Addresses) -> io::Result<(TcpListener, TcpListener)> {
    Ok((TcpListener::bind(wanted.http).await?, TcpListener::bind(wanted.https).await?))
}

async fn accept_plain(listener: TcpListener, state: State) {
    loop {
        if let Some(stream) = accept(&listener).await {
            tokio::spawn(connection::serve(stream, state.clone()));
        }
    }
}

async fn accept_tls(listener: TcpListener, identity: Identity, state: State) {
    loop {
        let Some(stream) = accept(&listener).await else {
            continue;
        };
        let (acceptor, state, at) = (identity.acceptor(), state.clone(), state.now());
        tokio::spawn(async move {
            match acceptor.accept(stream).await {
                Ok(stream) => connection::serve(stream, state).await,
                // The client's choice: it does not know this authority.
                Err(_) => state.hung_up_on(at),
            }
        });
    }
}

/// The next connection; none where accepting failed, which concerns that one connection or a passing shortage.
async fn accept(listener: &TcpListener) -> Option<TcpStream> {
    let Ok((stream, _)) = listener.accept().await else {
        tokio::task::yield_now().await;
        return None;
    };
    // Answers are small, and tests count milliseconds.
    let _ = stream.set_nodelay(true);
    Some(stream)
}

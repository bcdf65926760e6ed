//! What happens to requests on their way, and to the process that makes them. Both toys are reached over a [`Wire`].

use std::{
    collections::BTreeMap,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll},
    time::Duration,
};

use tokio::sync::{Notify, watch};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not arrive; who asked sees a broken connection.
    LostBefore,
    /// It is carried out, and its answer is lost.
    LostAfter,
    /// It is carried out twice; the first answer is seen.
    TwiceFirst,
    /// It is carried out twice; the second answer is seen.
    TwiceSecond,
    /// Who asked sees a broken connection at once; it is carried out so much later.
    Late(Duration),
    /// The process dies before it is sent.
    CrashBefore,
    /// It is carried out, and the process dies before it sees the answer.
    CrashAfter,
}

/// Which faults are to happen, counted from when it is armed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Requests by their number, from 0.
    pub(crate) faults: BTreeMap<usize, Fault>,
    /// The process dies after so many polls of its tasks.
    pub(crate) last_poll: Option<usize>,
}

impl Plan {
    /// These requests fare like this.
    pub(crate) fn of(faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        Self { faults: faults.into_iter().collect(), last_poll: None }
    }
}

/// What passed while a plan was armed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passed {
    /// The requests in their order, for example `create acme`.
    pub(crate) requests: Vec<String>,
    /// How often a task of the process was polled.
    pub(crate) polls: usize,
    /// How many of the planned faults came to pass.
    pub(crate) struck: usize,
}

#[derive(Default)]
struct Line {
    living: u32,
    plan: Option<Plan>,
    passed: Passed,
    late: Vec<Late>,
}

/// A request that was carried out late.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    pub(crate) request: String,
    pub(crate) by: Duration,
    pub(crate) went_well: bool,
}

/// The line between one process and the toys. A later process gets its own from [`Wire::cut`].
#[derive(Clone, Default)]
pub(crate) struct Wire {
    process: u32,
    line: Arc<Mutex<Line>>,
    death: Arc<Notify>,
    /// Stops who asks between two polls while it is set.
    brake: Option<watch::Receiver<bool>>,
}

impl Wire {
    /// From now on requests and polls are counted, and fare as planned.
    pub(crate) fn arm(&self, plan: Plan) {
        let mut line = self.lock();
        line.plan = Some(plan);
        line.passed = Passed::default();
    }

    /// From now on everything goes well. Tells what passed.
    pub(crate) fn disarm(&self) -> Passed {
        let mut line = self.lock();
        line.plan = None;
        std::mem::take(&mut line.passed)
    }

    /// Requests that were carried out late.
    pub(crate) fn late(&self) -> Vec<Late> {
        self.lock().late.clone()
    }

    /// Ends the living process, if it has not died already, and gives the wire of the next one.
    pub(crate) fn cut(&self) -> Self {
        let mut line = self.lock();
        line.living += 1;
        Self { process: line.living, line: Arc::clone(&self.line), death: Arc::clone(&self.death), brake: None }
    }

    /// The same line, for a process that this brake stops in the middle of a request as well.
    pub(crate) fn with_brake(&self, brake: watch::Receiver<bool>) -> Self {
        Self { brake: Some(brake), ..self.clone() }
    }

    /// Returns when the process died by a planned fault.
    pub(crate) async fn died(&self) {
        self.death.notified().await;
    }

    /// Carries one request: `effect` is what it does on the other side, `broken` what is seen if the line breaks.
    pub(crate) async fn carry<T: Send + 'static, E: Send + 'static>(
        &self,
        request: String,
        broken: impl FnOnce() -> E,
        mut effect: impl FnMut() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.step().await;
        let answer = match self.send(&request) {
            None => effect(),
            Some(Fault::LostBefore) => Err(broken()),
            Some(Fault::LostAfter) => {
                drop(effect());
                Err(broken())
            }
            Some(Fault::TwiceFirst) => {
                let first = effect();
                drop(effect());
                first
            }
            Some(Fault::TwiceSecond) => {
                drop(effect());
                effect()
            }
            Some(Fault::Late(by)) => {
                let line = Arc::clone(&self.line);
                tokio::spawn(async move {
                    tokio::time::sleep(by).await;
                    let went_well = effect().is_ok();
                    line.lock().unwrap().late.push(Late { request, by, went_well });
                });
                Err(broken())
            }
            Some(Fault::CrashBefore) => self.die().await,
            Some(Fault::CrashAfter) => {
                drop(effect());
                self.die().await
            }
        };
        self.step().await;
        answer
    }

    /// `future` is a task of this process: it dies with it.
    pub(crate) async fn mortal(&self, future: impl Future<Output = ()>) {
        Mortal { wire: self, future: pin!(future) }.await;
    }

    fn send(&self, request: &str) -> Option<Fault> {
        let mut line = self.lock();
        let Line { plan: Some(plan), passed, .. } = &mut *line else { return None };
        let fault = plan.faults.get(&passed.requests.len()).copied();
        passed.requests.push(request.to_owned());
        passed.struck += usize::from(fault.is_some());
        fault
    }

    /// The end of one poll of a run, and the beginning of the next.
    async fn step(&self) {
        self.polled();
        tokio::task::yield_now().await;
        if let Some(mut brake) = self.brake.clone() {
            // Whoever held the brake may be gone: then it is off.
            let _ = brake.wait_for(|is_set| !is_set).await;
        }
        if !self.is_alive() {
            std::future::pending::<()>().await;
        }
    }

    fn is_alive(&self) -> bool {
        self.lock().living == self.process
    }

    fn polled(&self) {
        let mut line = self.lock();
        if line.living != self.process {
            return;
        }
        let Line { plan: Some(plan), passed, .. } = &mut *line else { return };
        passed.polls += 1;
        if plan.last_poll == Some(passed.polls) {
            passed.struck += 1;
            line.living += 1;
            self.death.notify_one();
        }
    }

    async fn die<T>(&self) -> T {
        self.lock().living += 1;
        self.death.notify_one();
        std::future::pending().await
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap()
    }
}

struct Mortal<'a, F> {
    wire: &'a Wire,
    future: Pin<&'a mut F>,
}

impl<F: Future<Output = ()>> Future for Mortal<'_, F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if !self.wire.is_alive() {
            return Poll::Pending;
        }
        let polled = self.future.as_mut().poll(context);
        self.wire.polled();
        polled
    }
}

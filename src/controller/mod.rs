//! Kubernetes' side: what is seen ([`index`], [`watches`]), who runs ([`pump`]), what a run does ([`drive`], [`perform`],
//! [`report`]), who may act ([`mandate`]), and the two ports through which it acts ([`cluster`], [`apple`]).

pub mod apple;
pub mod clock;
pub mod cluster;
mod drive;
pub mod events;
pub mod health;
pub mod index;
mod kept;
mod kube_cluster;
mod learned;
pub mod mandate;
pub mod metrics;
mod neglect;
mod perform;
pub mod pump;
mod report;
pub mod watches;
pub mod world;

pub use kube_cluster::KubeCluster;

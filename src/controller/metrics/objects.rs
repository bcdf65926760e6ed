//! What describes objects, computed at each scrape from what is seen of them: it is gone with the object, costs nothing
//! between scrapes, and is as true on a standby.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter},
};

use super::lapses::Lapses;
use crate::{
    api::{ConditionStatus, ConditionType, Program, conditions::find},
    controller::{
        kept::{Kept, kept},
        world::World,
    },
    credential::now::{Now, later},
};

/// A renewal that has not ended so long after its time is overdue.
const OVERDUE: Duration = Duration::from_mins(5);

/// The collector of what describes objects.
pub struct Objects<C, A> {
    world: Arc<World<C, A>>,
    lapses: Mutex<Lapses>,
}

impl<C, A> Objects<C, A> {
    /// Of all credentials that `world` sees.
    #[must_use]
    pub fn new(world: Arc<World<C, A>>) -> Self {
        let lapses = Mutex::new(Lapses::from(world.clock.now()));
        Self { world, lapses }
    }

    fn look(&self) -> Vec<Kept> {
        let mut all = kept(&self.world);
        all.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        all
    }
}

impl<C, A> fmt::Debug for Objects<C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

impl Kept {
    fn labels(&self) -> [(&str, &str); 3] {
        [("kind", self.id.kind.as_str()), ("namespace", &*self.id.namespace), ("name", &*self.id.name)]
    }

    /// Whether its renewal should have ended five minutes ago, or its token has ended.
    fn is_overdue(&self, now: Now) -> bool {
        let (Some(life), Some(renewal)) = (self.life, self.renewal()) else { return false };
        self.is_looked_after() && now.wall >= later(renewal, OVERDUE).min(life.expires_at)
    }

    /// Each condition of ours, with each status that it could have, and whether it has that.
    fn conditions(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        const STATUSES: [(&str, ConditionStatus); 3] =
            [("True", ConditionStatus::True), ("False", ConditionStatus::False), ("Unknown", ConditionStatus::Unknown)];
        let told = self.object.status().map_or(&[][..], |status| &status.conditions);
        let known = ConditionType::ALL.iter().filter_map(|type_| Some((type_.as_str(), find(told, *type_)?.status)));
        known.flat_map(|(type_, is)| STATUSES.map(|(name, status)| (type_, name, status == is)))
    }

    fn info(&self) -> [(&str, String); 4] {
        let program = self.object.app_store_connect().map(|object| match object.spec.program {
            Program::AppStore => "AppStore",
            Program::Enterprise => "Enterprise",
        });
        let organization = self.object.status().and_then(|status| status.organization.as_ref());
        [
            ("secret", self.object.secret_name()),
            ("program", program.unwrap_or_default().to_owned()),
            ("organization", organization.map(|found| found.org_id.to_string()).unwrap_or_default()),
            ("suspended", self.object.is_suspended().to_string()),
        ]
    }
}

impl<C: Send + Sync + 'static, A: Send + Sync + 'static> Collector for Objects<C, A> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let now = self.world.clock.now();
        let all = self.look();
        let lived = all.iter().filter(|seen| seen.is_looked_after());
        let lived = lived.filter_map(|seen| Some((seen.id.clone(), seen.life?)));
        let lapsed = self.lapses.lock().unwrap_or_else(PoisonError::into_inner).look(now, lived);
        let overdue = all.iter().filter(|seen| seen.is_overdue(now)).count();

        gauges(
            &mut encoder,
            "asa_credential_token_expiration_timestamp_seconds",
            "When the published token ends, in seconds since 1970",
            all.iter().filter_map(|seen| Some((seen.labels(), seen.life?.expires_at.as_second()))),
        )?;
        gauges(
            &mut encoder,
            "asa_credential_renewal_timestamp_seconds",
            "When the renewal of the published token starts, in seconds since 1970",
            all.iter().filter_map(|seen| Some((seen.labels(), seen.renewal()?.as_second()))),
        )?;
        gauges(
            &mut encoder,
            "asa_credential_condition",
            "Conditions in status: 1 for the status that one has, 0 for the others",
            all.iter().flat_map(|seen| {
                let each = seen.conditions();
                each.map(|(type_, status, is)| ((seen.labels(), [("type", type_), ("status", status)]), i64::from(is)))
            }),
        )?;
        gauges(
            &mut encoder,
            "asa_credential_info",
            "Each credential, with its Secret, its program (App Store Connect) and its orgId (Apple Ads)",
            all.iter().map(|seen| ((seen.labels(), seen.info()), 1)),
        )?;
        gauges(
            &mut encoder,
            "asa_renewals_overdue",
            "Credentials, not suspended, whose token has ended or whose renewal has been due for five minutes",
            [(NONE, i64::try_from(overdue).unwrap_or(i64::MAX))].into_iter(),
        )?;
        let lapsed = ConstCounter::new(lapsed.as_secs_f64());
        let help = "Seconds in which a credential, not suspended, had a token that had ended, while this process ran";
        lapsed.encode(encoder.encode_descriptor("asa_expired_token_seconds", help, None, MetricType::Counter)?)
    }
}

const NONE: [(&str, &str); 0] = [];

fn gauges<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl Iterator<Item = (L, impl EncodeGaugeValue)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in series {
        family.encode_family(&labels)?.encode_gauge(&value)?;
    }
    Ok(())
}

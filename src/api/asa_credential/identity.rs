//! `spec.apis`, `spec.organization` and `spec.adAccount`: whose ids are resolved, and which of several.

#![allow(unreachable_pub, reason = "KubeSchema repeats each struct, with its `pub`, inside a function")]
#![allow(clippy::doc_markdown, reason = "field docs are what `kubectl explain` prints, where backticks are noise")]

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::schema::MAX_ID;

/// An API of Apple Ads. Both take the same token; each has ids of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AdsApi {
    /// Apple Ads Platform API v1.
    PlatformV1,
    /// Campaign Management API v5, which ends on 2027-01-26.
    CampaignManagementV5,
}

/// The organization chosen among several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.selection != 'Any' || !has(self.orgId)")
        .message(
            "must be absent where selection is Any, which leaves the choice to whoever holds the token; remove orgId, or \
             set selection to One"
        )
        .field_path(".orgId")
)]
pub struct OrganizationChoice {
    /// The orgId of a campaign group, for example 40669820. Absent: the only one that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_ID))]
    pub org_id: Option<i64>,

    /// One: org_id is published, and where there are several without an orgId here, the resource is not Ready. Any:
    /// whoever holds the token chooses at each call; no org_id is published, but all that there are, in the entry
    /// organizations.json. Default: One.
    #[serde(default)]
    pub selection: Selection,
}

/// The ad account chosen among several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(
    validation = Rule::new("self.selection != 'Any' || !has(self.id)")
        .message(
            "must be absent where selection is Any, which leaves the choice to whoever holds the token; remove id, or \
             set selection to One"
        )
        .field_path(".id")
)]
pub struct AdAccountChoice {
    /// The id of an ad account, for example 9001; never an orgId. Absent: the only one that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_ID))]
    pub id: Option<i64>,

    /// One: ad_account_id is published, and where there are several without an id here, the resource is not Ready. Any:
    /// whoever holds the token chooses at each call; no ad_account_id is published, but all that there are, in the entry
    /// organizations.json. Default: One.
    #[serde(default)]
    pub selection: Selection,
}

/// Who chooses among several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Selection {
    /// The resource: by its id, or because there is only one.
    #[default]
    One,
    /// Whoever holds the token, at each call.
    Any,
}

//! The bot's token: what it may do, and until when.

use jiff::civil::Date;

use super::Check;

/// A token that ends within so many days is worth a warning.
const EXPIRES_SOON_DAYS: i32 = 30;

/// What GitLab says of the token.
#[derive(Clone, Debug)]
pub struct TokenSeen {
    /// What it may do.
    pub scopes: Vec<String>,
    /// The day on which it ends, at 00:00 UTC.
    pub expires_at: Option<Date>,
}

/// Checks the token; `None`: this GitLab does not tell.
#[must_use]
pub fn token(seen: Option<&TokenSeen>, today: Date) -> Vec<Check> {
    let Some(seen) = seen else {
        return vec![Check::warning(
            "token.scopes",
            "GitLab does not tell the token's scopes and end",
            "make sure by hand that it has the scope `api` and note when it ends",
        )];
    };
    vec![scopes(seen), expiry(seen, today)]
}

/// Scopes that `api` does not hold and that nothing here uses: acting as others, administration, machines and clusters.
const TOO_MUCH: [&str; 7] = [
    "sudo",
    "admin_mode",
    "create_runner",
    "manage_runner",
    "k8s_proxy",
    "ai_features",
    "read_service_ping",
];

/// Checks the bot's account; `None`: this GitLab does not tell an account whether it is an administrator's.
#[must_use]
pub fn account(is_admin: Option<bool>) -> Vec<Check> {
    match is_admin {
        Some(true) => vec![Check::warning(
            "account.rights",
            "the bot's account is an administrator of the instance",
            "use an ordinary account or service account that is a member of the groups that it looks after",
        )],
        _ => Vec::new(),
    }
}

fn scopes(seen: &TokenSeen) -> Check {
    let listed = seen.scopes.join(", ");
    if !seen.scopes.iter().any(|scope| scope == "api") {
        return Check::error(
            "token.scopes",
            format!("scopes: {listed}"),
            "make a token with the scope `api`",
        );
    }
    let more: Vec<&str> = seen
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| TOO_MUCH.contains(scope))
        .collect();
    if more.is_empty() {
        Check::fine("token.scopes", format!("scopes: {listed}"))
    } else {
        let mend = format!(
            "make a token without {}: it gives more power than is used",
            more.join(" and ")
        );
        Check::warning("token.scopes", format!("scopes: {listed}"), mend)
    }
}

fn expiry(seen: &TokenSeen, today: Date) -> Check {
    let Some(end) = seen.expires_at else {
        return Check::fine("token.expiry", "the token does not end");
    };
    let days = (end - today).get_days();
    let evidence = format!("the token ends on {end}, in {days} days");
    let mend = "run `convenor rotate` in time (a token from the environment is replaced there); after the end only a person can make a new one";
    match days {
        ..=0 => Check::error("token.expiry", format!("the token ended on {end}"), mend),
        days if days <= EXPIRES_SOON_DAYS => Check::warning("token.expiry", evidence, mend),
        _ => Check::fine("token.expiry", evidence),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::{Level, levels};
    use super::*;

    fn token_seen(scopes: &[&str], expires_at: Option<Date>) -> TokenSeen {
        TokenSeen {
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires_at,
        }
    }

    #[test]
    fn a_token_needs_the_scope_api_and_no_more() {
        let today = date(2026, 1, 1);
        for (scopes, level) in [
            (&["api"][..], Level::Ok),
            (&["read_api"], Level::Error),
            (&["api", "sudo"], Level::Warning),
            (&["api", "k8s_proxy"], Level::Warning),
            (&["api", "read_user", "self_rotate"], Level::Ok),
            (&["read_repository", "write_repository"], Level::Error),
            (&[], Level::Error),
        ] {
            assert_eq!(
                token(Some(&token_seen(scopes, None)), today)[0].level,
                level,
                "{scopes:?}"
            );
        }
        assert_eq!(levels(&token(None, today)), [Level::Warning]);
    }

    #[test]
    fn an_administrators_account_is_more_than_is_used() {
        let levels = |is_admin| -> Vec<Level> { account(is_admin).iter().map(|check| check.level).collect() };
        assert_eq!(levels(Some(true)), [Level::Warning]);
        assert!(levels(Some(false)).is_empty() && levels(None).is_empty());
    }

    #[test]
    fn a_token_that_ends_soon_is_worth_a_warning() {
        let today = date(2026, 1, 1);
        for (end, level) in [
            (date(2026, 6, 1), Level::Ok),
            (date(2026, 1, 20), Level::Warning),
            (date(2026, 1, 1), Level::Error),
        ] {
            assert_eq!(
                token(Some(&token_seen(&["api"], Some(end))), today)[1].level,
                level,
                "{end}"
            );
        }
    }
}

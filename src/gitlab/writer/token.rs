//! The bot's own token.

use jiff::civil::Date;
use serde_json::json;

use super::Writer;
use crate::gitlab::endpoints::Plain;
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::wire::RotatedToken;

impl Writer {
    /// Makes a new token in place of the one that this call carries, which ends at once.
    ///
    /// # Errors
    /// `Invalid` when the instance does not allow a life that long; `Forbidden` where tokens may not rotate themselves. In
    /// both cases the old token goes on. After `OutcomeUnknown` nobody knows which one counts.
    pub async fn rotate_own_token(&self, expires_at: Date) -> Result<RotatedToken, GitLabError> {
        let body = json!({ "expires_at": expires_at.to_string() });
        let endpoint = Plain::post("personal_access_tokens/self/rotate".to_owned(), body);
        self.client.ask(Operation::writes("token.rotate"), &endpoint).await
    }
}

//! Reddit's app-only OAuth. The client secret and the token live here and in the headers of the requests that need them,
//! and nowhere else.

use std::time::Duration;

use anyhow::{Context, Result};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::error::NetError;
use super::{Auth, Budget, Call, Net};
use crate::config::RedditCredentials;

/// A token is renewed this long before it expires.
const EARLY: Duration = Duration::from_secs(60);

/// A client of Reddit's API and its current token.
#[derive(Debug)]
pub(super) struct RedditAccess {
    client_id: String,
    client_secret: SecretString,
    token_url: Url,
    /// Where the token may be sent, and nowhere else.
    pub(super) api_url: Url,
    token: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    secret: SecretString,
    renew_at: Duration,
}

/// Errors come with status 200 too, so every field may be missing.
#[derive(Deserialize)]
struct TokenReply {
    access_token: Option<SecretString>,
    expires_in: Option<f64>,
    error: Option<serde_json::Value>,
}

impl RedditAccess {
    pub(super) fn new(credentials: &RedditCredentials) -> Result<Self> {
        let url = |name, text: &str| Url::parse(text).with_context(|| format!("reddit.{name} {text:?} is no address"));
        Ok(Self {
            client_id: credentials.client_id.clone(),
            client_secret: credentials.client_secret.clone(),
            token_url: url("token_url", &credentials.token_url)?,
            api_url: url("api_url", &credentials.api_url)?,
            token: Mutex::default(),
        })
    }

    /// A token that is good for another minute; asks for one when there is none.
    pub(super) async fn token(&self, net: &Net, budget: &mut Budget) -> Result<SecretString, NetError> {
        // Held while asking, so that requests that need a token at the same time ask once.
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref()
            && net.timer.now() < token.renew_at
        {
            return Ok(token.secret.clone());
        }
        let fresh = self.ask(net, budget).await?;
        let secret = fresh.secret.clone();
        *token = Some(fresh);
        Ok(secret)
    }

    /// Drops `refused`, unless another request has replaced it already.
    pub(super) async fn forget(&self, refused: &SecretString) {
        let mut token = self.token.lock().await;
        if token.as_ref().is_some_and(|t| t.secret.expose_secret() == refused.expose_secret()) {
            *token = None;
        }
    }

    async fn ask(&self, net: &Net, budget: &mut Budget) -> Result<Token, NetError> {
        let installed = self.client_secret.expose_secret().is_empty();
        let form = if installed {
            vec![
                ("grant_type".to_owned(), "https://oauth.reddit.com/grants/installed_client".to_owned()),
                ("device_id".to_owned(), "DO_NOT_TRACK_THIS_DEVICE".to_owned()),
            ]
        } else {
            vec![("grant_type".to_owned(), "client_credentials".to_owned())]
        };
        net.admit(&self.token_url)?;
        let call = Call {
            url: &self.token_url,
            form: Some(&form),
            auth: Auth::Basic { user: &self.client_id, password: &self.client_secret },
        };
        let refused = |why: String| NetError::Credentials { site: "Reddit", why };
        let reply = match net.exchange(&call, budget).await {
            Err(NetError::Status { status: 400 | 401 | 403, .. }) => {
                return Err(refused(
                    "it does not know this client id and secret; check [reddit] in candor.toml and the environment \
                     variable that holds the secret"
                        .to_owned(),
                ));
            }
            other => other?,
        };
        // The body is not repeated in messages: it may hold the token.
        let reply: TokenReply =
            serde_json::from_slice(&reply.body).map_err(|_| refused("its answer is no token".to_owned()))?;
        match (reply.access_token, reply.error) {
            (Some(secret), None) => {
                let lives = Duration::try_from_secs_f64(reply.expires_in.unwrap_or(3600.0)).unwrap_or_default();
                Ok(Token { secret, renew_at: net.timer.now() + lives.saturating_sub(EARLY) })
            }
            (_, Some(error)) => Err(refused(format!("it answered {error}"))),
            (None, None) => Err(refused("its answer holds no token".to_owned())),
        }
    }
}

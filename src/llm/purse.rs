//! The budget. Before a question is sent, the most it can cost is held back; when the answer is there, what it did cost is
//! taken. The one rule: spent and held back together never exceed the budget.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::config::{LlmSettings, Price};
use crate::store::LlmSpent;

/// A price in millionths of the currency per million tokens, so that sums are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rate {
    input: u64,
    output: u64,
}

impl Rate {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "prices lie in 0 to 1e9")]
    pub(super) fn new(price: Price, share: f64) -> Self {
        let per_million = |price: f64| (price * share * 1e6).round() as u64;
        Self { input: per_million(price.input), output: per_million(price.output) }
    }

    /// Cost in millionths, rounded up.
    pub(super) fn cost(self, prompt_tokens: u64, completion_tokens: u64) -> u64 {
        let sum = u128::from(prompt_tokens) * u128::from(self.input)
            + u128::from(completion_tokens) * u128::from(self.output);
        u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

/// An amount in both currencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) micros: u64,
    pub(super) tokens: u64,
}

impl Amount {
    pub(super) fn and(self, more: Self) -> Self {
        Self { micros: self.micros.saturating_add(more.micros), tokens: self.tokens.saturating_add(more.tokens) }
    }

    fn less(self, part: Self) -> Self {
        Self { micros: self.micros.saturating_sub(part.micros), tokens: self.tokens.saturating_sub(part.tokens) }
    }
}

impl From<LlmSpent> for Amount {
    fn from(spent: LlmSpent) -> Self {
        Self { micros: spent.cost_micros, tokens: spent.prompt_tokens + spent.completion_tokens }
    }
}

#[derive(Debug, Default)]
struct Sums {
    spent: Amount,
    held: Amount,
}

/// The purse of one workspace.
#[derive(Debug)]
pub(super) struct Purse {
    section: &'static str,
    limit_micros: Option<u64>,
    limit_tokens: Option<u64>,
    currency: String,
    sums: Mutex<Sums>,
    changed: Notify,
}

/// Money held back for one request. Dropped without [`Held::settle`] it goes back.
#[derive(Debug)]
pub(super) struct Held {
    purse: Arc<Purse>,
    amount: Amount,
}

impl Purse {
    /// A purse out of which `spent` was taken by earlier runs.
    pub(super) fn new(settings: &LlmSettings, spent: Amount) -> Self {
        Self {
            section: settings.section,
            limit_micros: settings.budget_micros,
            limit_tokens: settings.budget_tokens,
            currency: settings.currency.clone(),
            sums: Mutex::new(Sums { spent, held: Amount::default() }),
            changed: Notify::new(),
        }
    }

    pub(super) fn currency(&self) -> &str {
        &self.currency
    }

    /// Whether anything is limited at all.
    pub(super) fn is_limited(&self) -> bool {
        self.limit_micros.is_some() || self.limit_tokens.is_some()
    }

    /// What is left in money and in tokens, where each is limited.
    pub(super) fn left(&self) -> (Option<u64>, Option<u64>) {
        let taken = {
            let sums = self.sums();
            sums.spent.and(sums.held)
        };
        let left = |limit: Option<u64>, taken: u64| limit.map(|limit| limit.saturating_sub(taken));
        (left(self.limit_micros, taken.micros), left(self.limit_tokens, taken.tokens))
    }

    /// Holds back `amount`, waiting for requests under way when what they hold could still be freed.
    ///
    /// # Errors
    /// In words, when the budget does not reach.
    pub(super) async fn hold(self: &Arc<Self>, amount: Amount) -> Result<Held, String> {
        loop {
            let changed = self.changed.notified();
            {
                let mut sums = self.sums();
                if self.reaches(sums.spent.and(sums.held).and(amount)) {
                    sums.held = sums.held.and(amount);
                    return Ok(Held { purse: Arc::clone(self), amount });
                }
                if !self.reaches(sums.spent.and(amount)) {
                    return Err(self.refusal(sums.spent, amount));
                }
            }
            changed.await;
        }
    }

    /// Takes `amount` without asking whether the budget reaches: it was promised before.
    pub(super) fn take(&self, amount: Amount) {
        let mut sums = self.sums();
        sums.spent = sums.spent.and(amount);
    }

    /// Gives `amount` back.
    pub(super) fn give_back(&self, amount: Amount) {
        let mut sums = self.sums();
        sums.spent = sums.spent.less(amount);
        drop(sums);
        self.changed.notify_waiters();
    }

    fn reaches(&self, total: Amount) -> bool {
        self.limit_micros.is_none_or(|limit| total.micros <= limit)
            && self.limit_tokens.is_none_or(|limit| total.tokens <= limit)
    }

    fn refusal(&self, spent: Amount, next: Amount) -> String {
        let section = self.section;
        // Of embeddings nothing says it beforehand.
        let foretold = match section {
            "llm" => "; --dry-run of extract, crm import and group says what can still come",
            _ => "",
        };
        match self.limit_micros.filter(|limit| spent.micros.saturating_add(next.micros) > *limit) {
            Some(limit) => format!(
                "{} of {} {} are spent and the next request may cost {}; raise {section}.budget to go on from here{foretold}",
                money(spent.micros),
                money(limit),
                self.currency,
                money(next.micros),
            ),
            None => format!(
                "{} of {} tokens are used and the next request may take {}; raise {section}.budget_tokens to go on from \
                 here{foretold}",
                spent.tokens,
                self.limit_tokens.unwrap_or_default(),
                next.tokens,
            ),
        }
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Takes `cost` and gives the rest back.
    pub(super) fn settle(self, cost: Amount) {
        self.purse.take(cost);
    }

    /// No answer came: takes the whole where the request is `lost`, gives it back where it was not sent or was refused.
    pub(super) fn unanswered(self, lost: bool) {
        if lost {
            self.lose();
        }
    }

    /// Takes the whole: the request was sent, no answer came, and the provider may count it all the same.
    pub(super) fn lose(self) {
        let amount = self.amount;
        self.settle(amount);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut sums = self.purse.sums();
        sums.held = sums.held.less(self.amount);
        drop(sums);
        self.purse.changed.notify_waiters();
    }
}

/// Millionths as people write money.
pub(super) fn money(micros: u64) -> String {
    let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
    let digits = format!("{part:06}");
    let short = digits.trim_end_matches('0');
    format!("{whole}.{short:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purse(micros: Option<u64>, tokens: Option<u64>) -> Arc<Purse> {
        let mut settings = LlmSettings::new("http://x/v1", "m");
        settings.budget_micros = micros;
        settings.budget_tokens = tokens;
        Arc::new(Purse::new(&settings, Amount { micros: 10, tokens: 10 }))
    }

    #[test]
    fn costs_are_exact_and_rounded_up() {
        let rate = Rate::new(Price { input: 0.15, output: 0.6, batch: 0.5 }, 1.0);
        assert_eq!(rate.cost(1_000_000, 1_000_000), 750_000);
        assert_eq!(rate.cost(1000, 100), 210);
        assert_eq!(rate.cost(1, 0), 1);
        assert_eq!(rate.cost(0, 0), 0);
        assert_eq!(Rate::new(Price { input: 0.15, output: 0.6, batch: 0.5 }, 0.5).cost(1000, 100), 105);
    }

    #[test]
    fn money_is_written_with_what_it_needs() {
        for (micros, text) in [(0, "0.00"), (1_500_000, "1.50"), (210, "0.00021"), (12_345_678, "12.345678")] {
            assert_eq!(money(micros), text);
        }
    }

    #[tokio::test]
    async fn nothing_is_held_beyond_the_limit() {
        let purse = purse(Some(100), None);
        let held = purse.hold(Amount { micros: 90, tokens: 5 }).await.unwrap();
        held.settle(Amount { micros: 40, tokens: 5 });
        assert!(purse.hold(Amount { micros: 51, tokens: 5 }).await.unwrap_err().contains("llm.budget "));
        drop(purse.hold(Amount { micros: 50, tokens: 5 }).await.unwrap());
        purse.hold(Amount { micros: 50, tokens: 5 }).await.unwrap().lose();
        assert!(purse.hold(Amount { micros: 1, tokens: 0 }).await.is_err());
    }

    #[tokio::test]
    async fn a_question_waits_for_what_others_may_give_back() {
        let purse = purse(None, Some(100));
        let first = purse.hold(Amount { micros: 0, tokens: 60 }).await.unwrap();
        let waiting = tokio::spawn({
            let purse = Arc::clone(&purse);
            async move { purse.hold(Amount { micros: 0, tokens: 60 }).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        first.settle(Amount { micros: 0, tokens: 20 });
        assert!(waiting.await.unwrap().is_ok());
        let error = purse.hold(Amount { micros: 0, tokens: 71 }).await.unwrap_err();
        assert!(error.contains("30 of 100 tokens"), "{error}");
    }
}

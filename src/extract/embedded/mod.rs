//! STUB
use crate::model::{Act, Evidence, Fit, PostReading, Recipe, Severity, Span, Voice};
/// stub
pub fn recipe() -> Recipe { Recipe::new("stub", &[]) }
/// stub
pub fn read_post(text: &str, _context: Option<&str>) -> PostReading {
    let mut acts = Vec::new();
    if text.len() > 40 && let Some(e) = Span::new(text, 0, text.len()).and_then(|s| Evidence::cut(text, s, Fit::Exact)) {
        acts.push((Act::Complaint { severity: Severity::Disapproval }, e, 0.5));
    }
    PostReading { voice: Voice::FirstHand, lang: Some("eng"), acts, texture: Vec::new(), rejected: 0 }
}
